"""Frames of the WebSocket protocol: parses and validates the client's, and builds the larger ones sent to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from ...contract.conversation.initiation import InitiationData
from ...contract.errors import InvalidRequest
from ...contract.merge import Json
from ..checks.problems import may_be_unstorable, refuse_unstorable, refusing
from ..dialogue.agent import at

FRAME_BYTES = 1024 * 1024
"""The maximum size of one frame, in either direction."""
MESSAGE_CHARACTERS = 100_000
INITIATION = "conversation_initiation_client_data"
AUDIO = "user_audio_chunk"
"""The key of an audio frame, which has no type."""


class Malformed(Exception):
    """A frame that cannot be parsed; the text says why."""


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class UserMessage(_Frame):
    text: Annotated[str, Field(max_length=MESSAGE_CHARACTERS)] | None = None


class Multimodal(_Frame):
    """Files are ignored, because there is no upload."""

    text: UserMessage | None = None


class UserActivity(_Frame):
    pass


class Pong(_Frame):
    event_id: int


class ContextualUpdate(_Frame):
    text: Annotated[str, Field(max_length=MESSAGE_CHARACTERS)]
    context_id: str | None = None


class Feedback(_Frame):
    event_id: int
    score: Literal["like", "dislike"] | None = None


class ClientToolResult(_Frame):
    tool_call_id: str
    result: Any = None
    is_error: bool = False


class Approval(_Frame):
    tool_call_id: str
    is_approved: bool


class Mocking(_Frame):
    """The tools that are mocked in this conversation."""

    mocking_strategy: Literal["none", "all", "selected"] = "none"
    mocked_tool_names: list[str] = []
    fallback_strategy: Literal["raise_error", "call_real_tool"] = "call_real_tool"


class Initiation(InitiationData):
    tool_mock_config: Mocking | None = None


_KEPT = ("conversation_config_override", "custom_llm_extra_body", "dynamic_variables")

Heard = UserMessage | Multimodal | UserActivity | Pong | ContextualUpdate | Feedback | ClientToolResult | Approval

_KINDS: dict[str, type[Heard]] = {
    "user_message": UserMessage,
    "multimodal_message": Multimodal,
    "user_activity": UserActivity,
    "pong": Pong,
    "contextual_update": ContextualUpdate,
    "feedback": Feedback,
    "client_tool_result": ClientToolResult,
    "mcp_tool_approval_result": Approval,
}


@dataclass(frozen=True)
class Brought:
    """The client's initiation data; only its shape is checked here."""

    data: Json
    """The data as stored in the conversation's record."""
    mocking: Mocking
    text_only: bool
    """`conversation_config_override.text_only`, where the Python SDK 2.78 always writes it, beside the sections."""


def unpacked(message: Mapping[str, Any]) -> Json:
    """The JSON object of one ASGI message. Raises Malformed."""
    raw: str | bytes = message.get("text") or message.get("bytes") or b""
    data = raw.encode() if isinstance(raw, str) else raw
    if len(data) > FRAME_BYTES:
        raise Malformed(f"A frame has at most {FRAME_BYTES:,} bytes.")
    try:
        found: Any = from_json(data, allow_inf_nan=False)
    except ValueError as exc:
        raise Malformed(f"A frame is a JSON object: {exc}.") from None
    if not isinstance(found, dict):
        raise Malformed("A frame is a JSON object.")
    frame = cast(Json, found)
    if may_be_unstorable(data):
        try:
            refuse_unstorable(frame, [])
        except InvalidRequest as exc:
            raise Malformed(str(exc)) from None
    return frame


def heard(frame: Json) -> Heard | None:
    """The client's input; None for audio and for types of newer servers. Raises Malformed."""
    kind = _KINDS.get(str(frame.get("type")))
    if kind is None:
        return None
    try:
        return refusing(lambda: kind.model_validate(frame), {})
    except InvalidRequest as exc:
        raise Malformed(f"{frame['type']}: {_told(exc)}") from None


def brought(frame: Json) -> Brought:
    """Initiation data from the first frame of a client. Raises Malformed."""
    frame = {key: value for key, value in frame.items() if key != "type" and value is not None}
    stray = at(frame, "conversation_config_override", "text_only")
    if stray is not None:
        override: Json = frame["conversation_config_override"]
        rest = {key: value for key, value in override.items() if key != "text_only"}
        frame = frame | {"conversation_config_override": rest}
    try:
        read = refusing(lambda: Initiation.model_validate(frame), {})
    except InvalidRequest as exc:
        raise Malformed(f"{INITIATION}: {_told(exc)}") from None
    data: Json = {key: frame.get(key) or {} for key in _KEPT}
    data |= {key: frame[key] for key in ("user_id", "source_info") if frame.get(key)}
    return Brought(data, read.tool_mock_config or Mocking(), stray is True)


def greeting(conversation_id: str, config: Json) -> Json:
    """The first frame sent to a client."""
    return {
        "type": "conversation_initiation_metadata",
        "conversation_initiation_metadata_event": {
            "conversation_id": conversation_id,
            "agent_output_audio_format": at(config, "tts", "agent_output_audio_format") or "pcm_16000",
            "user_input_audio_format": at(config, "asr", "user_input_audio_format") or "pcm_16000",
        },
    }


def _told(exc: InvalidRequest) -> str:
    return "; ".join(f"{'.'.join(map(str, p['loc'][1:]))}: {p['msg']}" for p in exc.problems)
