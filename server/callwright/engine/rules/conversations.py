"""The handlers of stored conversations."""

from typing import Any

from sqlalchemy import RowMapping, or_, select, update

from ...contract.common import Empty
from ...contract.conversations import (
    ConversationPage,
    DeleteConversation,
    GetConversation,
    GetConversationAudio,
    ListConversations,
    SendFeedback,
)
from ...contract.errors import NotFound
from ...contract.merge import Json
from ...contract.operation import Blob
from ..handlers import Handlers
from ..schema.live import live_turn
from ..schema.tables import agent, conversation
from ..store.conversations import forget, whole
from ..store.paging import LARGEST, page, search_key
from ..store.transaction import Tx

conversations = Handlers()

_LISTED = [c for c in conversation.c if c.name not in ("document", "search_key")]


@conversations.implements(ListConversations, proof="test_a_rehearsal_is_listed_only_when_asked_for")
def list_conversations(tx: Tx, op: ListConversations) -> ConversationPage:
    """One page of conversations, newest first. Simulated ones are left out unless `include_simulated` is true."""
    found = (
        select(*_LISTED, agent.c.name.label("agent_name"))
        .outerjoin(agent, (agent.c.workspace == conversation.c.workspace) & (agent.c.id == conversation.c.agent_id))
        .where(tx.own(conversation))
    )
    for condition in _conditions(tx, op):
        found = found.where(condition)
    rows, cursor = page(
        tx.db,
        found,
        by=conversation.c.start_secs,
        id=conversation.c.id,
        descending=True,
        size=op.page_size,
        cursor=op.cursor,
    )
    with_summary = op.summary_mode == "include"
    return ConversationPage.model_validate(
        {
            "conversations": [_summary(row, with_summary=with_summary) for row in rows],
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }
    )


@conversations.implements(GetConversation, proof="test_a_rehearsal_reads_back_as_a_conversation")
def get_conversation(tx: Tx, op: GetConversation) -> Json:
    return whole(tx, tx.one(conversation, op.conversation_id)["document"])


@conversations.implements(DeleteConversation, proof="test_a_deleted_conversation_is_gone_from_the_list")
def delete_conversation(tx: Tx, op: DeleteConversation) -> Empty:
    tx.one(conversation, op.conversation_id)
    forget(tx, op.conversation_id)
    return Empty()


@conversations.implements(
    GetConversationAudio,
    proof="test_a_conversation_without_a_recording_says_why",
    missing="recordings: conversations here are in text, so there never is one",
)
def get_audio(tx: Tx, op: GetConversationAudio) -> Blob:
    row = tx.one(conversation, op.conversation_id)
    kind = "a rehearsal, which is held" if row["simulated"] else "held"
    raise NotFound(f"Conversation {op.conversation_id!r} has no recording: it was {kind} in text. Read its transcript.")


@conversations.implements(SendFeedback, proof="test_feedback_is_counted_in_the_conversation")
def send_feedback(tx: Tx, op: SendFeedback) -> Empty:
    record: Json = tx.one(conversation, op.conversation_id)["document"]
    counted: Json = {"overall_score": None, "likes": 0, "dislikes": 0} | record["metadata"].get("feedback", {})
    name = f"{op.feedback}s"
    feedback = counted | {name: counted[name] + 1}
    tx.db.execute(
        update(conversation)
        .where(tx.own(conversation, id=op.conversation_id))
        .values(document=record | {"metadata": record["metadata"] | {"feedback": feedback}})
    )
    return Empty()


def _conditions(tx: Tx, op: ListConversations) -> list[Any]:
    c = conversation.c
    asked: list[tuple[Any, Any]] = [
        (op.agent_id, c.agent_id == op.agent_id),
        (op.call_successful, c.call_successful == op.call_successful),
        (op.user_id, c.user_id == op.user_id),
    ]
    found = [condition for value, condition in asked if value is not None]
    if op.call_start_before_unix is not None:
        found.append(c.start_secs < max(min(op.call_start_before_unix, LARGEST), -LARGEST))
    if op.call_start_after_unix is not None:
        found.append(c.start_secs > max(min(op.call_start_after_unix, LARGEST), -LARGEST))
    if op.search:
        wanted = search_key(op.search)
        now = select(live_turn.c.id).where(tx.own(live_turn), live_turn.c.search_key.contains(wanted, autoescape=True))
        found.append(or_(c.search_key.contains(wanted, autoescape=True), c.id.in_(now)))
    if not op.include_simulated:
        found.append(c.simulated.is_(False))
    return found


def _summary(row: RowMapping, *, with_summary: bool) -> Json:
    shown: Json = {
        "agent_id": row["agent_id"],
        "agent_name": row["agent_name"],
        "conversation_id": row["id"],
        "start_time_unix_secs": row["start_secs"],
        "call_duration_secs": row["duration_secs"],
        "message_count": row["message_count"],
        "status": row["status"],
        "call_successful": row["call_successful"],
        "call_summary_title": row["title"],
        "direction": row["direction"],
        "simulated": row["simulated"],
    }
    return shown | ({"transcript_summary": row["summary"]} if with_summary else {})
