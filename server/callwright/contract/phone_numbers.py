"""Phone numbers: import, list, read, change, delete."""

import re
from typing import Annotated, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from .common import (
    AgentId,
    Checked,
    Empty,
    Known,
    Maybe,
    MaybeSecret,
    OneOf,
    PhoneNumberId,
    PhoneNumberText,
    Unknown,
    Variant,
    Wire,
    WriteOnly,
)
from .guards import inward, outward
from .operation import Operation

Transport = Annotated[str, Known("auto", "udp", "tcp", "tls")]
MediaEncryption = Annotated[str, Known("disabled", "allowed", "required")]
LivekitStack = Annotated[str, Known("standard", "static")]


def bare_host(address: str) -> None:
    """A trunk is reached by host name or IP address; neither the scheme nor a user is part of it."""
    if not address or re.search(r"[\s@/]", address) or address.lower().startswith(("sip:", "sips:")):
        raise ValueError("must be a host name or an IP address, without sip: or a user before it")


def encryptable(transport: str) -> None:
    """Trunks speak TCP or TLS; the enumeration still has a value for UDP."""
    if transport == "udp":
        raise ValueError("UDP is not available for trunks; use tcp or tls")


class AnsweringAgent(Wire):
    """The agent that answers."""

    agent_id: str
    agent_name: str


class ImportedNumber(Variant):
    """What every number has."""

    phone_number: str
    label: str
    supports_inbound: Maybe[bool] = None
    supports_outbound: Maybe[bool] = None
    phone_number_id: str
    assigned_agent: AnsweringAgent | None = None


class TwilioNumber(ImportedNumber):
    """A number at Twilio."""

    provider: Literal["twilio"] = "twilio"


class OutboundTrunk(Wire):
    """Where calls go out; the password stays hidden."""

    address: str
    transport: Transport
    media_encryption: MediaEncryption
    headers: dict[str, MaybeSecret] = {}
    has_auth_credentials: bool
    username: str | None = None
    has_outbound_trunk: Maybe[bool] = None


class InboundTrunk(Wire):
    """Who may call in; the password stays hidden."""

    allowed_addresses: list[str]
    allowed_numbers: list[str] | None
    media_encryption: MediaEncryption
    has_auth_credentials: bool
    username: str | None = None
    remote_domains: list[str] | None = None


class SipTrunkNumber(ImportedNumber):
    """A number on a SIP trunk."""

    provider: Literal["sip_trunk"] = "sip_trunk"
    provider_config: OutboundTrunk | None = None
    outbound_trunk: OutboundTrunk | None = None
    inbound_trunk: InboundTrunk | None = None
    livekit_stack: LivekitStack


PhoneNumber = Annotated[TwilioNumber | SipTrunkNumber | Unknown, OneOf("provider")]


class CreatedPhoneNumber(Wire):
    """The new number's id."""

    phone_number_id: str


class TwilioRegion(Wire):
    """Where Twilio handles the calls."""

    region_id: Annotated[str, Known("us1", "ie1", "au1")]
    token: WriteOnly
    edge_location: Annotated[
        str, Known("ashburn", "dublin", "frankfurt", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla", "roaming")
    ]


class TrunkCredentials(Wire):
    """Digest login of a trunk."""

    username: str
    password: WriteOnly | None = None


class InboundTrunkConfig(Wire):
    """Who may call in."""

    allowed_addresses: list[str] | None = None
    allowed_numbers: list[str] | None = None
    media_encryption: Maybe[MediaEncryption] = None
    credentials: TrunkCredentials | None = None
    remote_domains: list[str] | None = None


class OutboundTrunkConfig(Wire):
    """Where calls go out."""

    address: Annotated[str, Checked(bare_host, source="guide: SIP trunking")]
    transport: Maybe[Annotated[Transport, Checked(encryptable, source="guide: SIP trunking")]] = None
    media_encryption: Maybe[MediaEncryption] = None
    headers: dict[str, MaybeSecret] = {}
    credentials: TrunkCredentials | None = None


class CreatePhoneNumber(
    Operation[CreatedPhoneNumber],
    method="POST",
    path="/v1/convai/phone-numbers",
    effect="secret",
    guarded=(*inward("inbound_trunk_config"), *outward("outbound_trunk_config")),
):
    """Bring in a number that you have at Twilio (`sid` and `token`) or on a SIP trunk (the trunk configurations)."""

    phone_number: PhoneNumberText
    label: str
    supports_inbound: Maybe[bool] = None
    supports_outbound: Maybe[bool] = None
    provider: Literal["twilio", "sip_trunk"]
    # Twilio
    sid: Maybe[str] = None
    token: Maybe[WriteOnly] = None
    region_config: TwilioRegion | None = None
    # SIP trunk
    inbound_trunk_config: InboundTrunkConfig | None = None
    outbound_trunk_config: OutboundTrunkConfig | None = None

    @model_validator(mode="after")
    def _provider_has_its_fields(self) -> Self:
        needed = ("sid", "token") if self.provider == "twilio" else ()
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise PydanticCustomError("missing", "A Twilio number needs {fields}", {"fields": " and ".join(missing)})
        return self


class ListPhoneNumbers(Operation[list[PhoneNumber]], method="GET", path="/v1/convai/phone-numbers"):
    """List all numbers; the answer is a bare array."""


class GetPhoneNumber(Operation[PhoneNumber], method="GET", path="/v1/convai/phone-numbers/{phone_number_id}"):
    """Read a number with its trunk and the agent that answers."""

    phone_number_id: PhoneNumberId


class UpdatePhoneNumber(
    Operation[PhoneNumber],
    method="PATCH",
    path="/v1/convai/phone-numbers/{phone_number_id}",
    guarded=(*inward("agent_id", "inbound_trunk_config"), *outward("outbound_trunk_config")),
    seen_as={
        "agent_id": "assigned_agent.agent_id",
        "inbound_trunk_config": "inbound_trunk",
        "outbound_trunk_config": "outbound_trunk",
    },
):
    """Choose the agent that answers (null: none), or change the trunk."""

    phone_number_id: PhoneNumberId
    agent_id: AgentId | None = None
    inbound_trunk_config: InboundTrunkConfig | None = None
    outbound_trunk_config: OutboundTrunkConfig | None = None
    livekit_stack: LivekitStack | None = None


class DeletePhoneNumber(Operation[Empty], method="DELETE", path="/v1/convai/phone-numbers/{phone_number_id}"):
    """Take a number out for good; it stays yours at its provider."""

    phone_number_id: PhoneNumberId
