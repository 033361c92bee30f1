"""Tools that the platform itself carries out: hang up, switch language, hand over."""

import re
from typing import Annotated, Literal, Self

from pydantic import ValidationInfo, model_validator

from ..common import Checked, Known, Limits, Maybe, OneOf, PhoneNumberText, Unknown, Variant, Wire, is_answer
from .tools import Tool

TransferType = Annotated[str, Known("conference", "sip_refer")]


def sip_address(uri: str) -> None:
    """`sip:` or `sips:`, a user and a host."""
    if not re.fullmatch(r"sips?:[^@\s]+@[^@\s]+", uri):
        raise ValueError("must be a SIP address, as in sip:desk@example.com")


class EndCall(Variant):
    """The agent may hang up."""

    system_tool_type: Literal["end_call"] = "end_call"


class LanguageDetection(Variant):
    """The agent may switch to another of its languages."""

    system_tool_type: Literal["language_detection"] = "language_detection"


class AgentTransfer(Wire):
    """Hand over to another agent when the condition holds."""

    agent_id: str
    condition: str
    delay_ms: Maybe[Annotated[int, Limits(ge=0, source="guide: agent transfer")]] = None
    transfer_message: str | None = None
    enable_transferred_agent_first_message: Maybe[bool] = None


class TransferToAgent(Variant):
    """The agent may hand over to other agents."""

    system_tool_type: Literal["transfer_to_agent"] = "transfer_to_agent"
    transfers: list[AgentTransfer]


class PhoneDestination(Variant):
    """A number, E.164."""

    type: Literal["phone"] = "phone"
    phone_number: PhoneNumberText


class SipDestination(Variant):
    """A SIP address, reached by REFER."""

    type: Literal["sip_uri"] = "sip_uri"
    sip_uri: Annotated[str, Checked(sip_address, source="guide: transfer to a person")]


class PhoneVariableDestination(Variant):
    """A variable that holds a number."""

    type: Literal["phone_dynamic_variable"] = "phone_dynamic_variable"
    phone_number: str


class SipVariableDestination(Variant):
    """A variable that holds a SIP address."""

    type: Literal["sip_uri_dynamic_variable"] = "sip_uri_dynamic_variable"
    sip_uri: str


TransferDestination = Annotated[
    PhoneDestination | SipDestination | PhoneVariableDestination | SipVariableDestination | Unknown, OneOf("type")
]


def check_refer(destination: object, transfer_type: str | None) -> None:
    """A conference dials a number; a SIP address is reached by REFER alone (guide: transfer to a person)."""
    if isinstance(destination, SipDestination) and transfer_type != "sip_refer":
        raise ValueError("a SIP address needs transfer_type sip_refer")


class NumberTransfer(Wire):
    """Hand over to a person when the condition holds."""

    transfer_destination: TransferDestination | None = None
    phone_number: PhoneNumberText | None = None
    """The older way to name a destination."""
    condition: str
    transfer_type: Maybe[TransferType] = None

    @model_validator(mode="after")
    def _sip_needs_refer(self, info: ValidationInfo) -> Self:
        if not is_answer(info):
            check_refer(self.transfer_destination, self.transfer_type)
        return self


class TransferToNumber(Variant):
    """The agent may hand over to people; phone calls only."""

    system_tool_type: Literal["transfer_to_number"] = "transfer_to_number"
    transfers: list[NumberTransfer]
    enable_client_message: Maybe[bool] = None


class SkipTurn(Variant):
    """The agent may stay silent until the caller speaks again."""

    system_tool_type: Literal["skip_turn"] = "skip_turn"


class PlayKeypadTones(Variant):
    """The agent may press keys."""

    system_tool_type: Literal["play_keypad_touch_tone"] = "play_keypad_touch_tone"


class VoicemailDetection(Variant):
    """The agent may leave a message on a voicemail and hang up."""

    system_tool_type: Literal["voicemail_detection"] = "voicemail_detection"
    voicemail_message: str | None = None


SystemToolParams = Annotated[
    EndCall
    | LanguageDetection
    | TransferToAgent
    | TransferToNumber
    | SkipTurn
    | PlayKeypadTones
    | VoicemailDetection
    | Unknown,
    OneOf("system_tool_type"),
]


class SystemTool(Tool):
    """A tool that the platform itself carries out."""

    type: Literal["system"] = "system"
    description: Maybe[str] = None
    params: SystemToolParams


class BuiltInTools(Wire):
    """The system tools by name; null switches one off."""

    end_call: SystemTool | None = None
    language_detection: SystemTool | None = None
    transfer_to_agent: SystemTool | None = None
    transfer_to_number: SystemTool | None = None
    skip_turn: SystemTool | None = None
    play_keypad_touch_tone: SystemTool | None = None
    voicemail_detection: SystemTool | None = None
