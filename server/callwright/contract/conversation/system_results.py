"""What the platform's own tools did."""

from typing import Annotated, Literal

from ..common import Maybe, OneOf, Unknown, Variant


class CallEnded(Variant):
    """The agent hung up."""

    result_type: Literal["end_call_success"] = "end_call_success"
    status: Literal["success"] = "success"
    reason: str | None = None
    message: str | None = None


class LanguageSwitched(Variant):
    """The agent changed its language."""

    result_type: Literal["language_detection_success"] = "language_detection_success"
    status: Literal["success"] = "success"
    reason: str | None = None
    language: str | None = None


class AgentTransferred(Variant):
    """Another agent took over."""

    result_type: Literal["transfer_to_agent_success"] = "transfer_to_agent_success"
    status: Literal["success"] = "success"
    from_agent: str
    to_agent: str
    condition: str
    delay_ms: Maybe[int] = None
    transfer_message: str | None = None
    enable_transferred_agent_first_message: Maybe[bool] = None


class AgentTransferFailed(Variant):
    """No other agent took over."""

    result_type: Literal["transfer_to_agent_error"] = "transfer_to_agent_error"
    status: Literal["error"] = "error"
    from_agent: str
    error: str


class TwilioTransferred(Variant):
    """A person joined by Twilio."""

    result_type: Literal["transfer_to_number_twilio_success"] = "transfer_to_number_twilio_success"
    status: Literal["success"] = "success"
    transfer_number: str
    reason: str | None = None
    client_message: str | None = None
    agent_message: str
    conference_name: str
    note: str | None = None


class SipTransferred(Variant):
    """A person took over by SIP."""

    result_type: Literal["transfer_to_number_sip_success"] = "transfer_to_number_sip_success"
    status: Literal["success"] = "success"
    transfer_number: str
    reason: str | None = None
    note: str | None = None


class NumberTransferFailed(Variant):
    """No person took over."""

    result_type: Literal["transfer_to_number_error"] = "transfer_to_number_error"
    status: Literal["error"] = "error"
    error: str
    details: str | None = None


class TurnSkipped(Variant):
    """The agent stayed silent."""

    result_type: Literal["skip_turn_success"] = "skip_turn_success"
    status: Literal["success"] = "success"
    reason: str | None = None


class KeypadTonesPlayed(Variant):
    """Keys were pressed."""

    result_type: Literal["play_dtmf_success"] = "play_dtmf_success"
    status: Literal["success"] = "success"
    dtmf_tones: str
    reason: str | None = None


class KeypadTonesFailed(Variant):
    """Keys were not pressed."""

    result_type: Literal["play_dtmf_error"] = "play_dtmf_error"
    status: Literal["error"] = "error"
    error: str
    details: str | None = None


class VoicemailDetected(Variant):
    """The agent met a voicemail."""

    result_type: Literal["voicemail_detection_success"] = "voicemail_detection_success"
    status: Literal["success"] = "success"
    voicemail_message: str | None = None
    reason: str | None = None


class ToolRehearsed(Variant):
    """A rehearsal or test stood in for the real effect."""

    result_type: Literal["testing_tool_result"] = "testing_tool_result"
    status: Literal["success"] = "success"
    reason: Maybe[str] = None


SystemResult = Annotated[
    CallEnded
    | LanguageSwitched
    | AgentTransferred
    | AgentTransferFailed
    | TwilioTransferred
    | SipTransferred
    | NumberTransferFailed
    | TurnSkipped
    | KeypadTonesPlayed
    | KeypadTonesFailed
    | VoicemailDetected
    | ToolRehearsed
    | Unknown,
    OneOf("result_type"),
]
