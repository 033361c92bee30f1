# pyright: basic
"""Calls that go out: checked, and answered honestly that no provider is connected."""

from .phone_numbers import SIP, TWILIO
from .sdk import Sdk

TO = "+15557654321"
GREETING = {"conversation_config_override": {"agent": {"first_message": "Other words."}}}
NAMED = {"agent": {"first_message": "Hello {{name}}."}}
IN_2100 = 4_102_444_800


def sweep(sdk: Sdk) -> None:
    ada = sdk.call("agents.create", name="Ada", conversation_config=NAMED).agent_id
    sip = sdk.call("phone_numbers.create", request=SIP).phone_number_id
    twilio = sdk.call("phone_numbers.create", request=TWILIO).phone_number_id
    single(sdk, ada, sip, twilio)
    batches(sdk, ada, twilio)
    for each in (sip, twilio):
        sdk.call("phone_numbers.delete", each)
    sdk.call("agents.delete", ada)


def single(sdk: Sdk, ada: str, sip: str, twilio: str) -> None:
    bo = {"conversation_initiation_client_data": {"dynamic_variables": {"name": "Bo"}}}
    for name, number in (("sip_trunk.outbound_call", sip), ("twilio.outbound_call", twilio)):
        done = sdk.call(name, agent_id=ada, agent_phone_number_id=number, to_number=TO, **bo)
        sdk.saw(f"what came of {name}", [done.success, done.message])
    for name, right, wrong in (
        ("sip_trunk.outbound_call", sip, twilio),
        ("twilio.outbound_call", twilio, sip),
    ):
        sdk.refused(name, agent_id=ada, agent_phone_number_id=wrong, to_number=TO, **bo)
        sdk.refused(name, agent_id=ada, agent_phone_number_id=right, to_number="around the corner", **bo)
        sdk.refused(name, agent_id=ada, agent_phone_number_id="phnum_no", to_number=TO, **bo)
        sdk.refused(name, agent_id="agent_no", agent_phone_number_id=right, to_number=TO, **bo)
        sdk.refused(name, agent_id=ada, agent_phone_number_id=right, to_number=TO)
        sdk.refused(
            name, agent_id=ada, agent_phone_number_id=right, to_number=TO, conversation_initiation_client_data=GREETING
        )
    silent = {**SIP, "phone_number": "+442071838751", "outbound_trunk_config": None}
    inbound = sdk.call("phone_numbers.create", request=silent).phone_number_id
    sdk.refused("sip_trunk.outbound_call", agent_id=ada, agent_phone_number_id=inbound, to_number=TO, **bo)
    sdk.call("phone_numbers.delete", inbound)


def batches(sdk: Sdk, ada: str, twilio: str) -> None:
    whom = [
        {"phone_number": number, "conversation_initiation_client_data": {"dynamic_variables": {"name": "Bo"}}}
        for number in (TO, "+15557654322")
    ]
    this = {"call_name": "Reminders", "agent_id": ada, "agent_phone_number_id": twilio, "recipients": whom}
    now = sdk.call("batch_calls.create", **this).id
    got = sdk.call("batch_calls.get", now)
    sdk.saw("a batch that fell due", [got.status, [each.status for each in got.recipients], got.failure_reason])
    again = sdk.call("batch_calls.retry", now)
    sdk.saw("once retried", [again.status, again.retry_count])
    soon = got.scheduled_time_unix + 3600
    later = sdk.call("batch_calls.create", **this, scheduled_time_unix=soon).id
    sdk.saw("a batch of later", sdk.call("batch_calls.get", later).status)
    sdk.saw("once cancelled", sdk.call("batch_calls.cancel", later).status)
    first = sdk.call("batch_calls.list", limit=1)
    rest = sdk.call("batch_calls.list", limit=1, last_doc=first.next_doc)
    listed = [batch.id for batch in (*first.batch_calls, *rest.batch_calls)]
    sdk.saw("batches come newest first", listed == [later, now])

    sdk.refused("batch_calls.retry", later)
    sdk.refused("batch_calls.create", **{**this, "recipients": []})
    sdk.refused("batch_calls.create", **{**this, "recipients": [{"phone_number": TO}, {"phone_number": "5"}]})
    sdk.refused("batch_calls.create", **{**this, "recipients": [{"phone_number": TO}]})
    sdk.refused("batch_calls.create", **{**this, "agent_phone_number_id": None})
    sdk.refused("batch_calls.create", **this, scheduled_time_unix=IN_2100)
    sdk.refused("batch_calls.list", last_doc="of-another-list")
    sdk.call("agents.update", ada, platform_settings={"archived": True})
    sdk.refused("batch_calls.create", **this)
    sdk.refused("twilio.outbound_call", agent_id=ada, agent_phone_number_id=twilio, to_number=TO)
