"""Sample calls of the operations on phone numbers."""

from pydantic import SecretStr

from callwright.contract.phone_numbers import (
    CreatePhoneNumber,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListPhoneNumbers,
    UpdatePhoneNumber,
)
from tests.engine.test_phone_numbers import SIP

from . import guarding, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreatePhoneNumber,
        tool="import_phone_number",
        request=SIP,
        makes=("phone_number_id", "phone_number_id"),
        sdk=[
            Sdk(f"{whole.P}.phone_numbers.create", whole.TWILIO, wrapped=True),
            Sdk(f"{whole.P}.phone_numbers.create", whole.SIP, wrapped=True),
        ],
        calls=[
            {
                "phone_number": "+15551234567",
                "label": "Desk",
                "twilio_sid": "AC1",
                "twilio_token": SecretStr("hush"),
                "config": {"supports_inbound": True, "supports_outbound": True, "region_config": probing.REGION},
            },
            {"phone_number": "+15551234567", "label": "Desk", **probing.SIP},
        ],
        guarded={
            "outbound_trunk_config": {**guarding.NUMBER, "sip_outbound": guarding.TRUNK},
            "inbound_trunk_config": {**guarding.NUMBER, "sip_inbound": guarding.CALLERS},
        },
        phrases=["import my Twilio number"],
    ),
    Sample(
        ListPhoneNumbers,
        tool="list_phone_numbers",
        lists="",
        sdk=[Sdk(f"{whole.P}.phone_numbers.list")],
        phrases=["list my phone numbers"],
    ),
    Sample(
        GetPhoneNumber,
        tool="get_phone_number",
        sdk=[Sdk(f"{whole.P}.phone_numbers.get", {"phone_number_id": whole.N})],
        read_as={
            "phone_number_id": probing.N,
            "phone_number": "+15551234567",
            "label": "Desk",
            "supports_inbound": True,
            "supports_outbound": True,
            "livekit_stack": "standard",
        },
    ),
    Sample(
        UpdatePhoneNumber,
        tool="update_phone_number",
        request={"agent_id": "{agent_id}"},
        sdk=[
            Sdk(
                f"{whole.P}.phone_numbers.update",
                {
                    "phone_number_id": whole.N,
                    "agent_id": whole.A,
                    "inbound_trunk_config": whole.INBOUND,
                    "outbound_trunk_config": whole.OUTBOUND,
                    "livekit_stack": "static",
                },
            ),
            Sdk(
                f"{whole.P}.phone_numbers.update",
                {
                    "phone_number_id": whole.N,
                    "agent_id": None,
                    "outbound_trunk_config": {"address": "sip.example.com", "credentials": None},
                },
                label="UpdatePhoneNumber, nobody answers",
            ),
        ],
        calls=[{"phone_number_id": probing.N, "agent_id": probing.A, "livekit_stack": "static", **probing.SIP}],
        beside_ids={"unassign": True},
        guarded={
            "outbound_trunk_config": {"phone_number_id": "phnum_2", "sip_outbound": guarding.TRUNK},
            "inbound_trunk_config": {"phone_number_id": "phnum_2", "sip_inbound": guarding.CALLERS},
            "agent_id": {"phone_number_id": "phnum_2", "agent_id": "agent_1"},
        },
        phrases=["let another agent answer this phone number"],
    ),
    Sample(
        DeletePhoneNumber,
        tool="delete_phone_number",
        sdk=[Sdk(f"{whole.P}.phone_numbers.delete", {"phone_number_id": whole.N})],
        phrases=["take the phone number out"],
    ),
]
