"""The rules of kept conversations."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, or_, select, update

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
from ..handlers import Handlers, Tx
from ..schema.live import live_turn
from ..schema.tables import agent, conversation
from ..store.paging import LARGEST, page, search_key

conversations = Handlers()

_LISTED = [c for c in conversation.c if c.name not in ("document", "search_key")]


@conversations.implements(ListConversations, proof="test_a_rehearsal_is_listed_only_when_asked_for")
def list_conversations(tx: Tx, op: ListConversations) -> ConversationPage:
    """Newest first. Rehearsals are left out unless `include_simulated` is true."""
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


def keep(tx: Tx, record: Json, *, simulated: bool) -> None:
    """Store a conversation, in the platform's shape, and note the call on its agent."""
    row = _columns(record) | {"simulated": simulated}
    tx.db.execute(insert(conversation).values(workspace=tx.workspace, **row))
    if not simulated:
        tx.db.execute(
            update(agent).where(tx.own(agent, id=record["agent_id"])).values(last_call_secs=row["start_secs"])
        )


def keep_on(tx: Tx, record: Json) -> None:
    """Store all that became of a kept conversation. One that was deleted stays so."""
    found = update(conversation).where(tx.own(conversation, id=record["conversation_id"]))
    tx.db.execute(found.values(**_columns(record)))
    _clear_turns(tx, record["conversation_id"])


# Made once, because every turn of every conversation runs them.
_KEEP_HEAD = (
    update(conversation)
    .where(conversation.c.workspace == bindparam("in_workspace"), conversation.c.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("duration_secs", "message_count", "document")})
)
_KEEP_TURN = insert(live_turn)
_CHANGE_TURN = (
    update(live_turn)
    .where(
        live_turn.c.workspace == bindparam("in_workspace"),
        live_turn.c.id == bindparam("of"),
        live_turn.c.place == bindparam("at_place"),
    )
    .values({name: bindparam(name) for name in ("search_key", "document")})
)


def keep_turns(tx: Tx, head: Json, new: Mapping[int, Json], changed: Mapping[int, Json], *, said: int) -> None:
    """Store what was added to a kept conversation that goes on, at the same cost however long it is.

    `head` is its record without the transcript, of which `new` and `changed` are turns by their places; `said`: how
    many of all turns have a message. One that was deleted stays so.
    """
    at = {"in_workspace": tx.workspace, "of": head["conversation_id"]}
    columns = {"duration_secs": head["metadata"]["call_duration_secs"], "message_count": said, "document": head}
    if not tx.db.execute(_KEEP_HEAD, at | columns).rowcount:
        return
    rows = [{"workspace": tx.workspace, "id": at["of"], "place": place, **_turn(new[place])} for place in new]
    if rows:
        tx.db.execute(_KEEP_TURN, rows)
    for place, one in changed.items():
        tx.db.execute(_CHANGE_TURN, at | {"at_place": place, **_turn(one)})


def whole(tx: Tx, record: Json) -> Json:
    """A stored record with its transcript, also where the conversation is being held."""
    if record["status"] != "in-progress":
        return record
    turns = select(live_turn.c.document).where(tx.own(live_turn, id=record["conversation_id"]))
    said: list[Json] = [*tx.db.execute(turns.order_by(live_turn.c.place)).scalars()]
    return record | {"transcript": [*record["transcript"], *said]}


def forget(tx: Tx, conversation_id: str) -> None:
    """Nothing of it stays."""
    tx.db.execute(delete(conversation).where(tx.own(conversation, id=conversation_id)))
    _clear_turns(tx, conversation_id)


def _clear_turns(tx: Tx, conversation_id: str) -> None:
    tx.db.execute(delete(live_turn).where(tx.own(live_turn, id=conversation_id)))


def _turn(one: Json) -> dict[str, Any]:
    return {"search_key": search_key(one["message"] or ""), "document": one}


def _columns(record: Json) -> dict[str, Any]:
    """What is filtered, sorted or listed, and all of it."""
    analysis: Json = record.get("analysis") or {}
    start = record["metadata"]["start_time_unix_secs"]
    spoken: list[str] = [turn["message"] for turn in record["transcript"] if turn.get("message")]
    titles: list[str | None] = [analysis.get("call_summary_title"), analysis.get("transcript_summary")]
    return {
        "id": record["conversation_id"],
        "agent_id": record["agent_id"],
        "status": record["status"],
        "start_secs": start,
        "duration_secs": record["metadata"]["call_duration_secs"],
        "call_successful": analysis.get("call_successful", "unknown"),
        "user_id": record.get("user_id"),
        "title": titles[0],
        "summary": titles[1],
        "message_count": len(spoken),
        "search_key": search_key("\n".join([*filter(None, titles), *spoken])),
        "document": record,
    }


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
