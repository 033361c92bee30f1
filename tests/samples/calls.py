"""Sample calls of the operations on calls and batches of calls."""

from callwright.contract.calls import (
    CallBySip,
    CallByTwilio,
    CancelBatchCall,
    GetBatchCall,
    ListBatchCalls,
    RetryBatchCall,
    SubmitBatchCall,
)

from . import guarding, plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CallBySip,
        tool="place_call",
        guarded={at: {**call, "phone_number_id": "phnum_2"} for at, call in guarding.CALLS.items()},
        request={**plain.CALL, "agent_phone_number_id": "{trunk_id}"},
        sdk=[Sdk(f"{whole.P}.sip_trunk.outbound_call", whole.DIAL)],
    ),
    Sample(
        CallByTwilio,
        tool="place_call",
        request=plain.CALL,
        sdk=[Sdk(f"{whole.P}.twilio.outbound_call", whole.DIAL)],
        calls=[
            probing.CALLING | {"phone_number_id": "phnum_twilio"},
            probing.CALLING | {"phone_number_id": "phnum_sip_trunk"},
        ],
        beside_ids={"to_number": "+15550000001"},
        guarded={at: {**call, "phone_number_id": "phnum_8"} for at, call in guarding.CALLS.items()},
        phrases=["call me now with this agent", "ring one person"],
    ),
    Sample(
        SubmitBatchCall,
        tool="submit_batch_call",
        request={
            "call_name": "Reminders",
            "agent_id": "{agent_id}",
            "agent_phone_number_id": "{twilio_id}",
            "recipients": [
                {"phone_number": "+15550000001", **plain.BROUGHT},
                {"id": "bo", "phone_number": "+15550000002"},
            ],
        },
        makes=("batch_id", "id"),
        sdk=[
            Sdk(
                f"{whole.P}.batch_calls.create",
                {
                    "call_name": "Rückruf",
                    "agent_id": whole.A,
                    "recipients": [
                        {
                            "id": "r1",
                            "phone_number": "+15550000001",
                            "conversation_initiation_client_data": whole.CLIENT_DATA,
                        },
                        {"phone_number": "+15550000002"},
                        {"whatsapp_user_id": "w"},
                    ],
                    "scheduled_time_unix": 1800000000,
                    "agent_phone_number_id": whole.N,
                    "agent_whatsapp_business_account_id": "wa",
                },
            )
        ],
        calls=[
            {
                "name": "n",
                "agent_id": probing.A,
                "phone_number_id": probing.N,
                "scheduled_unix_secs": 1,
                "recipients": [
                    {"id": "r1", "phone_number": "+15551234567", "conversation_initiation_client_data": probing.PROBE}
                ],
            }
        ],
        unreached={
            "agent_whatsapp_business_account_id": probing.WHATSAPP,
            "recipients.*.whatsapp_user_id": probing.WHATSAPP,
        },
        beside_ids={"name": "b", "recipients": [{"phone_number": "+15550000001"}]},
        guarded={
            at: {"name": "b", "agent_id": "agent_1", "phone_number_id": "phnum_2", "recipients": [recipient]}
            for at, recipient in guarding.RECIPIENTS.items()
        },
        phrases=["call a list of people tomorrow"],
    ),
    Sample(
        ListBatchCalls,
        tool="list_batch_calls",
        lists="batch_calls",
        sdk=[Sdk(f"{whole.P}.batch_calls.list", {"limit": 10, "last_doc": "d+/="})],
        calls=[probing.PAGE],
    ),
    Sample(
        GetBatchCall,
        tool="get_batch_call",
        sdk=[Sdk(f"{whole.P}.batch_calls.get", {"batch_id": "b1"})],
        phrases=["how far is the batch"],
    ),
    Sample(
        CancelBatchCall,
        tool="cancel_batch_call",
        sdk=[Sdk(f"{whole.P}.batch_calls.cancel", {"batch_id": "b1"})],
        phrases=["stop the batch of calls"],
    ),
    Sample(
        RetryBatchCall,
        tool="retry_batch_call",
        sdk=[Sdk(f"{whole.P}.batch_calls.retry", {"batch_id": "b1"})],
        phrases=["ring those again whose call failed"],
    ),
]
