# pyright: basic
"""Numbers of both providers."""

from .sdk import Sdk

SIP = {
    "provider": "sip_trunk",
    "phone_number": "+442071838750",
    "label": "London",
    "inbound_trunk_config": {"credentials": {"username": "in", "password": "p"}, "allowed_numbers": ["+15551234567"]},
    "outbound_trunk_config": {"address": "sip.example.com", "transport": "tls", "headers": {"X-A": "b"}},
}
TWILIO = {"provider": "twilio", "phone_number": "+15551234567", "label": "Front", "sid": "AC1", "token": "t0ken"}


def sweep(sdk: Sdk) -> None:
    ada = sdk.call("agents.create", name="Ada", conversation_config={}).agent_id
    sip = sdk.call("phone_numbers.create", request=SIP).phone_number_id
    twilio = sdk.call("phone_numbers.create", request=TWILIO).phone_number_id
    for each in (sip, twilio):
        sdk.call("phone_numbers.get", each)
    trunk = {"address": "other.example.com", "transport": "tcp", "media_encryption": "required"}
    sdk.call("phone_numbers.update", sip, agent_id=ada, outbound_trunk_config=trunk)
    sdk.call("phone_numbers.update", twilio, agent_id=ada)
    got = sdk.call("phone_numbers.get", sip)
    sdk.saw("a changed number", [got.assigned_agent.agent_name, got.outbound_trunk.address, got.livekit_stack])
    sdk.saw("numbers", sorted([each.provider, each.phone_number] for each in sdk.call("phone_numbers.list")))
    sdk.saw("an agent's numbers", len(sdk.call("agents.get", ada).phone_numbers))

    sdk.refused("phone_numbers.create", request=TWILIO)
    sdk.refused("phone_numbers.create", request={**TWILIO, "phone_number": "555 1234", "token": None})
    udp = {"address": "sip:sip.example.com", "transport": "udp"}
    sdk.refused("phone_numbers.create", request={**SIP, "phone_number": "+442071838751", "outbound_trunk_config": udp})
    sdk.refused("phone_numbers.update", twilio, outbound_trunk_config=trunk)
    sdk.refused("phone_numbers.update", twilio, agent_id="agent_no")

    for each in (sip, twilio):
        sdk.call("phone_numbers.delete", each)
    sdk.saw("numbers once deleted", sdk.call("phone_numbers.list"))
    sdk.call("agents.delete", ada)
