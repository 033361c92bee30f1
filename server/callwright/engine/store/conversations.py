"""Records of conversations: persisted whole, or turn by turn while a conversation is held."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from ...contract.merge import Json
from ..schema.live import live_turn
from ..schema.tables import agent, conversation
from .paging import search_key
from .transaction import Tx


def keep(tx: Tx, record: Json, *, simulated: bool) -> None:
    """Store a conversation, in the platform's shape, and note the call on its agent."""
    row = _columns(record) | {"simulated": simulated}
    tx.db.execute(insert(conversation).values(workspace=tx.workspace, **row))
    if not simulated:
        tx.db.execute(
            update(agent).where(tx.own(agent, id=record["agent_id"])).values(last_call_secs=row["start_secs"])
        )


def keep_on(tx: Tx, record: Json) -> None:
    """Update the record of a stored conversation. A deleted conversation is not restored."""
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
    """Persist new and changed turns of a held conversation; the cost does not depend on the conversation's length.

    `head`: the record without its transcript. `new` and `changed`: turns by their places in the transcript. `said`: the
    number of turns that have a message. A deleted conversation is not restored.
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
    """A stored record with its transcript, also while the conversation is held and its turns are separate rows."""
    if record["status"] != "in-progress":
        return record
    turns = select(live_turn.c.document).where(tx.own(live_turn, id=record["conversation_id"]))
    said: list[Json] = [*tx.db.execute(turns.order_by(live_turn.c.place)).scalars()]
    return record | {"transcript": [*record["transcript"], *said]}


def forget(tx: Tx, conversation_id: str) -> None:
    """Delete every row of a conversation."""
    tx.db.execute(delete(conversation).where(tx.own(conversation, id=conversation_id)))
    _clear_turns(tx, conversation_id)


def _clear_turns(tx: Tx, conversation_id: str) -> None:
    tx.db.execute(delete(live_turn).where(tx.own(live_turn, id=conversation_id)))


def _turn(one: Json) -> dict[str, Any]:
    return {"search_key": search_key(one["message"] or ""), "document": one}


def _columns(record: Json) -> dict[str, Any]:
    """The values of a record's row: columns to filter, sort and list by, and the whole record as `document`."""
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
