"""Conversations: start, list, read, judge, delete."""

from typing import Annotated, Literal

from pydantic import Field

from .common import AgentId, ConversationId, Cursor, Empty, Known, Maybe, PageSize, Wire
from .conversation.analysis import Analysis, Verdict
from .conversation.initiation import InitiationData
from .conversation.metadata import ConversationMetadata
from .conversation.transcript import Turn
from .operation import Blob, Operation

ConversationStatus = Annotated[str, Known("initiated", "in-progress", "processing", "done", "failed")]
Direction = Annotated[str, Known("inbound", "outbound")]


class ConversationSummary(Wire):
    """A conversation in a list. Time in Unix seconds, duration in seconds."""

    agent_id: str
    branch_id: str | None = None
    agent_name: str | None = None
    conversation_id: str
    start_time_unix_secs: int
    call_duration_secs: int
    message_count: int
    status: ConversationStatus
    call_successful: Verdict
    transcript_summary: str | None = None
    call_summary_title: str | None = None
    direction: Direction | None = None
    simulated: Maybe[bool] = None
    """A rehearsal (embedded platform only)."""


class ConversationPage(Wire):
    """One page of conversations."""

    conversations: list[ConversationSummary]
    next_cursor: str | None = None
    has_more: bool


class Conversation(Wire):
    """A conversation in full."""

    agent_id: str
    conversation_id: str
    status: ConversationStatus
    user_id: str | None = None
    branch_id: str | None = None
    transcript: list[Turn]
    metadata: ConversationMetadata
    analysis: Analysis | None = None
    conversation_initiation_client_data: InitiationData = Field(default_factory=InitiationData)
    has_audio: bool
    has_user_audio: bool
    has_response_audio: bool
    has_auxiliary_audio: Maybe[bool] = None
    """The newest clients do not read a conversation without it."""
    simulated: Maybe[bool] = None
    """A rehearsal (embedded platform only)."""


class ListConversations(Operation[ConversationPage], method="GET", path="/v1/convai/conversations"):
    """Find conversations, newest first."""

    cursor: Cursor | None = None
    agent_id: AgentId | None = None
    call_successful: Literal["success", "failure", "unknown"] | None = None
    call_start_before_unix: int | None = None
    call_start_after_unix: int | None = None
    user_id: str | None = None
    page_size: PageSize = 30
    summary_mode: Literal["exclude", "include"] = "exclude"
    search: str | None = None
    include_simulated: bool = False
    """Rehearsals too (embedded platform only)."""


class GetConversation(Operation[Conversation], method="GET", path="/v1/convai/conversations/{conversation_id}"):
    """Read a conversation with its transcript and analysis."""

    conversation_id: ConversationId


class DeleteConversation(Operation[Empty], method="DELETE", path="/v1/convai/conversations/{conversation_id}"):
    """Delete a conversation for good."""

    conversation_id: ConversationId


class SignedUrl(Wire):
    """A WebSocket URL that starts a conversation."""

    signed_url: str


class SessionToken(Wire):
    """A token that starts a conversation by WebRTC."""

    token: str
    conversation_id: Maybe[str] = None
    """The newest clients do not read a token without it."""


class GetConversationAudio(Operation[Blob], method="GET", path="/v1/convai/conversations/{conversation_id}/audio"):
    """Read the recording, as `audio/mpeg`; not found where nothing was recorded."""

    conversation_id: ConversationId


class SendFeedback(Operation[Empty], method="POST", path="/v1/convai/conversations/{conversation_id}/feedback"):
    """Say whether the conversation was good. Each time counts."""

    conversation_id: ConversationId
    feedback: Literal["like", "dislike"]


class GetSignedUrl(Operation[SignedUrl], method="GET", path="/v1/convai/conversation/get-signed-url", effect="grant"):
    """Hand out a URL that starts conversations within 15 minutes; once only where it is bound to a conversation."""

    agent_id: AgentId
    include_conversation_id: bool = False
    """Bind the URL to one new conversation."""


class GetSessionToken(Operation[SessionToken], method="GET", path="/v1/convai/conversation/token", effect="grant"):
    """Hand out a token that starts a conversation by WebRTC."""

    agent_id: AgentId
    participant_name: str | None = None
    """How the caller is called; the user's id where it is absent."""
