"""Tools to find, read, judge and delete conversations, and to issue the tokens with which people start one."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from pydantic import Field

from ..api.client import ApiClient
from ..contract.agents import GetAgent
from ..contract.common import AgentId, ConversationId, Cursor
from ..contract.conversations import (
    DeleteConversation,
    GetConversation,
    GetConversationAudio,
    GetSessionToken,
    GetSignedUrl,
    ListConversations,
    SendFeedback,
)
from ..contract.talking import EndConversation, SendMessage, StartConversation
from ..replies.rehearsal import UNTRUSTED, AnalysisView, Said, said
from ..replies.text import short
from ..replies.views import Deleted, Page, View, Whole
from ..toolkit.files import PATH_LENGTH, new_file_in_roots, write_new
from ..toolkit.toolset import PlatformApi, Toolset
from .talking import (
    end_conversation,
    send_message,
    start_conversation,
    what_would_be_said,
    what_would_begin,
    what_would_end,
)

TOOLS = Toolset("conversations", "Find, read, judge and delete conversations, and let people start them.")

TURNS_A_PAGE = 40
PAGE_BUDGET = 12_000
AUDIO_SECONDS = 120.0

Id = Annotated[ConversationId, Field(description="From list_conversations.")]
Agent = Annotated[AgentId, Field(description="From list_agents.")]
Moment = Annotated[int, Field(ge=0, description="Unix seconds.")]


class ConversationLine(View):
    conversation_id: str
    agent: str
    started: str
    secs: int
    messages: int
    status: str
    result: str
    title: str | None = None
    summary: str | None = None


class Conversations(Page):
    conversations: list[ConversationLine]


class ConversationView(View):
    conversation_id: str
    agent_id: str
    status: str
    started: str
    secs: int
    simulated: bool
    ended_because: str | None = None
    error: str | None = None
    turns: int
    transcript: list[Said]
    next_turn: int | None = None
    analysis: AnalysisView | None = None
    note: str = UNTRUSTED

    def whole(self) -> Whole | None:
        uri = f"callwright://conversations/{self.conversation_id}/transcript"
        return Whole(uri, "Whole transcript") if len(self.transcript) < self.turns else None


class Recording(View):
    conversation_id: str
    path: str
    media_type: str
    bytes: int


class Feedback(View):
    conversation_id: str
    counted: str


class SignedUrlView(View):
    agent_id: str
    signed_url: str


class TokenView(View):
    agent_id: str
    token: str
    conversation_id: str | None = None


@TOOLS.tool(
    ListConversations,
    title="List conversations",
    parts=True,
    words=(
        "calls yesterday today week failed history many recent happened refund about gescheitert "
        "fehlgeschlagen echoue fallaron fallite found find"
    ),
)
async def list_conversations(
    api: PlatformApi,
    agent_id: Annotated[AgentId | None, Field(description="Only this agent's.")] = None,
    result: Annotated[
        Literal["success", "failure", "unknown"] | None, Field(description="Only calls judged so.")
    ] = None,
    started_after: Moment | None = None,
    started_before: Moment | None = None,
    user_id: Annotated[str | None, Field(max_length=200, description="Only this user's.")] = None,
    search: Annotated[str | None, Field(max_length=200, description="Words said in it.")] = None,
    include_simulated: Annotated[bool, Field(description="Rehearsals too (embedded platform).")] = False,
    with_summary: Annotated[bool, Field(description="Add each summary.")] = False,
    page_size: Annotated[int, Field(ge=1, le=50, description="1 to 50.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Conversations:
    """List conversations, as calls that failed (result=failure), newest first. get_conversation tells why."""
    asked = {
        "agent_id": agent_id,
        "call_successful": result,
        "call_start_after_unix": started_after,
        "call_start_before_unix": started_before,
        "user_id": user_id,
        "search": search,
        "summary_mode": "include" if with_summary else None,
        "include_simulated": include_simulated or None,
        "page_size": page_size,
        "cursor": cursor,
    }
    page = await api.send(ListConversations.model_validate({k: v for k, v in asked.items() if v is not None}))
    return Conversations(
        conversations=[
            ConversationLine(
                conversation_id=c.conversation_id,
                agent=short(c.agent_name or c.agent_id),
                started=_moment(c.start_time_unix_secs),
                secs=c.call_duration_secs,
                messages=c.message_count,
                status=c.status,
                result=c.call_successful,
                title=short(c.call_summary_title) if c.call_summary_title else None,
                summary=short(c.transcript_summary, 400) if c.transcript_summary and with_summary else None,
            )
            for c in page.conversations
        ],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@TOOLS.tool(
    GetConversation,
    title="Get conversation",
    parts=True,
    words="transcript said happened why customer fail caller read protokoll",
)
async def get_conversation(
    api: PlatformApi,
    conversation_id: Id,
    from_turn: Annotated[int, Field(ge=0, description="First turn; next_turn of the last page.")] = 0,
) -> ConversationView:
    """Show one conversation: transcript with tool calls, criteria with reasons, collected data, and how it ended."""
    found = await api.send(GetConversation(conversation_id=conversation_id))
    shown = found.transcript[from_turn : from_turn + TURNS_A_PAGE]
    end = from_turn + len(shown)
    error = found.metadata.error
    return ConversationView(
        conversation_id=conversation_id,
        agent_id=found.agent_id,
        status=found.status,
        started=_moment(found.metadata.start_time_unix_secs),
        secs=found.metadata.call_duration_secs,
        simulated=bool(found.simulated),
        ended_because=found.metadata.termination_reason,
        error=error.reason if error else None,
        turns=len(found.transcript),
        transcript=said(shown, PAGE_BUDGET),
        next_turn=end if end < len(found.transcript) else None,
        analysis=AnalysisView.of(found.analysis) if found.analysis and from_turn == 0 else None,
    )


@TOOLS.tool(
    GetConversationAudio,
    title="Save conversation audio",
    default=False,
    writes_file=True,
    words="recording download listen mp3 aufnahme enregistrement grabacion registrazione",
)
async def save_conversation_audio(
    api: PlatformApi,
    ctx: Context[Any],
    conversation_id: Id,
    path: Annotated[str, Field(max_length=PATH_LENGTH, description="New file, in CALLWRIGHT_FILE_ROOTS.")],
) -> Recording:
    """Save the recording of a call as a new file. Says why where there is none: rehearsals and chats have no sound."""
    place = new_file_in_roots(ctx, path)
    audio = await api.send(GetConversationAudio(conversation_id=conversation_id), deadline=AUDIO_SECONDS)
    write_new(place, audio.data)
    return Recording(
        conversation_id=conversation_id, path=str(place), media_type=audio.media_type, bytes=len(audio.data)
    )


@TOOLS.tool(SendFeedback, title="Send feedback", default=False, words="thumbs down rating good bad like daumen")
async def send_feedback(
    api: PlatformApi,
    conversation_id: Id,
    feedback: Annotated[Literal["like", "dislike"], Field(description="What the person thinks of it.")],
) -> Feedback:
    """Give a conversation a like or dislike, on behalf of whoever judged it. It cannot be taken back."""
    await api.send(SendFeedback(conversation_id=conversation_id, feedback=feedback))
    return Feedback(conversation_id=conversation_id, counted=feedback)


@TOOLS.tool(GetSignedUrl, title="Get signed URL", default=False, words="signed website browser client")
async def get_signed_url(
    api: PlatformApi,
    agent_id: Agent,
    single_use: Annotated[bool, Field(description="For one new conversation only.")] = False,
) -> SignedUrlView:
    """Hand out a WebSocket URL that starts conversations with an agent for 15 minutes. Whoever has it can use it."""
    asked = {"agent_id": agent_id} | ({"include_conversation_id": True} if single_use else {})
    found = await api.send(GetSignedUrl.model_validate(asked))
    return SignedUrlView(agent_id=agent_id, signed_url=found.signed_url)


@TOOLS.tool(GetSessionToken, title="Get session token", default=False, words="webrtc app mobile")
async def get_session_token(
    api: PlatformApi,
    agent_id: Agent,
    participant_name: Annotated[str | None, Field(max_length=200, description="How the caller is called.")] = None,
) -> TokenView:
    """Hand out a token that starts one conversation by WebRTC. For a WebSocket use get_signed_url."""
    asked = {"agent_id": agent_id} | ({"participant_name": participant_name} if participant_name else {})
    found = await api.send(GetSessionToken.model_validate(asked))
    return TokenView(agent_id=agent_id, token=found.token, conversation_id=found.conversation_id)


TOOLS.tool(
    StartConversation,
    GetAgent,
    title="Start conversation",
    long=True,
    words="talk chat speak myself converse reden sprechen parler hablar parlare plaudern",
)(start_conversation)
TOOLS.tool(SendMessage, title="Send message", long=True, words="tell say reply answer want respond sag")(send_message)
TOOLS.tool(EndConversation, title="End conversation", words="hang finish goodbye auflegen raccroche colgar")(
    end_conversation
)
TOOLS.preview(StartConversation)(what_would_begin)
TOOLS.preview(SendMessage)(what_would_be_said)
TOOLS.preview(EndConversation)(what_would_end)


@TOOLS.tool(DeleteConversation, title="Delete conversation", words="erase privacy gdpr customer asked", default=False)
async def delete_conversation(api: PlatformApi, conversation_id: Id) -> Deleted:
    """Delete one conversation for good, with transcript, analysis and recording."""
    await api.send(DeleteConversation(conversation_id=conversation_id))
    return Deleted(deleted=conversation_id, name="conversation")


@TOOLS.preview(DeleteConversation)
async def _what_would_go(api: ApiClient, op: DeleteConversation) -> str:
    found = await api.send(GetConversation(conversation_id=op.conversation_id))
    kind = "rehearsal" if found.simulated else "conversation"
    when = _moment(found.metadata.start_time_unix_secs)
    return (
        f"Delete {kind} {op.conversation_id} of {when} with agent {found.agent_id} for good:"
        f" {len(found.transcript)} turns, analysis and recording."
    )


@TOOLS.preview(SendFeedback)
async def _what_would_be_counted(_: ApiClient, op: SendFeedback) -> str:
    return f"Count a {op.feedback} for conversation {op.conversation_id}."


@TOOLS.preview(GetSignedUrl)
async def _what_the_url_would_open(api: ApiClient, op: GetSignedUrl) -> str:
    times = "one conversation" if op.include_conversation_id else "any number of conversations"
    return f"Hand out a URL: for 15 minutes, whoever has it can start {times} with {await _agent(api, op.agent_id)}."


@TOOLS.preview(GetSessionToken)
async def _what_the_token_would_open(api: ApiClient, op: GetSessionToken) -> str:
    caller = f" as {short(op.participant_name)!r}" if op.participant_name else ""
    return f"Hand out a token: whoever has it can start a conversation{caller} with {await _agent(api, op.agent_id)}."


async def _agent(api: ApiClient, agent_id: str) -> str:
    agent = await api.send(GetAgent(agent_id=agent_id))
    return f"agent {short(agent.name)!r} ({agent_id})"


def _moment(unix_secs: int) -> str:
    return datetime.fromtimestamp(unix_secs, UTC).strftime("%Y-%m-%d %H:%M UTC")
