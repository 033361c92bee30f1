"""Read what agents said: find, read and delete conversations."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from ..api.client import ApiClient
from ..contract.common import AgentId, ConversationId, Cursor
from ..contract.conversations import (
    DeleteConversation,
    GetConversation,
    ListConversations,
)
from .rehearsal import UNTRUSTED, AnalysisView, Said, said
from .text import short
from .toolset import PlatformApi, Toolset
from .views import Deleted, Page, View

TOOLS = Toolset("conversations", "Find, read and delete conversations.")

TURNS_A_PAGE = 40
PAGE_BUDGET = 12_000

Id = Annotated[ConversationId, Field(description="From list_conversations.")]
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


@TOOLS.tool(ListConversations, title="List conversations")
async def list_conversations(
    api: PlatformApi,
    agent_id: Annotated[AgentId | None, Field(description="Only this agent's.")] = None,
    result: Annotated[
        Literal["success", "failure", "unknown"] | None, Field(description="Only calls judged so.")
    ] = None,
    started_after: Moment | None = None,
    started_before: Moment | None = None,
    user_id: Annotated[str | None, Field(max_length=200, description="Only this user's.")] = None,
    include_simulated: Annotated[bool, Field(description="Rehearsals too (embedded platform).")] = False,
    with_summary: Annotated[bool, Field(description="Add each summary.")] = False,
    page_size: Annotated[int, Field(ge=1, le=50, description="Conversations a page, 1 to 50.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="next_cursor of the last page.")] = None,
) -> Conversations:
    """List conversations, newest first. For failed calls use result=failure, then get_conversation for the reason."""
    asked = {
        "agent_id": agent_id,
        "call_successful": result,
        "call_start_after_unix": started_after,
        "call_start_before_unix": started_before,
        "user_id": user_id,
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


@TOOLS.tool(GetConversation, title="Get conversation")
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


@TOOLS.tool(DeleteConversation, title="Delete conversation")
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


def _moment(unix_secs: int) -> str:
    return datetime.fromtimestamp(unix_secs, UTC).strftime("%Y-%m-%d %H:%M UTC")
