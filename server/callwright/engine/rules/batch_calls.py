"""The handlers of batch calls: one agent calls many recipients.

While no telephone provider is connected, a batch fails when it falls due, with the reason. It does not wait: a provider
that is connected later must not call people about last month's business. Failed recipients can be retried.

Whoever agreed to a batch agreed to the agent as it was then. If anything of it has changed by the time the batch falls
due, the batch fails, and a retry takes the agent as it is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update

from ...contract.calls import CancelBatchCall, GetBatchCall, ListBatchCalls, RetryBatchCall, SubmitBatchCall
from ...contract.errors import BadRequest, InvalidRequest, Problem, body_problem
from ...contract.merge import Json
from ..checks.calls import CallOverrideCheck, admission, calling_agent, calling_number
from ..handlers import Handlers
from ..schema.batch_calls import batch_call, batch_recipient
from ..store.effective import effective_digest
from ..store.paging import page
from ..store.transaction import Tx
from ..telephony.provider_requests import NOT_CONNECTED

batch_calls = Handlers()

MOST_RECIPIENTS = 10_000
FURTHEST_SECONDS = 366 * 24 * 3600
"""Seconds into the future that a batch may be scheduled. A later time is most likely in milliseconds."""
DEFAULTS: Json = {
    "telephony_call_config": {"ringing_timeout_secs": 60},
    "branch_id": None,
    "branch_name": None,
    "environment": None,
    "timezone": None,
    "target_concurrency_limit": None,
    "whatsapp_params": None,
}
"""Defaults of fields that only newer clients send and read."""

CHANGED = (
    "The agent, or something that it uses, has changed since the batch was submitted, so nobody was called. Look at it,"
    " then retry the batch: that takes the agent as it is."
)
_MISSING = "dialling: a batch fails when it falls due, with the reason"
_OVER = ("completed", "failed", "cancelled")
_DISPATCHED = ("initiated", "in_progress", "completed", "voicemail")
_FINISHED = ("completed", "voicemail")
_OPEN = ("pending", "initiated", "in_progress")
_UNREACHED = ("failed", "voicemail")
"""The states of recipients who were not reached, and whom a retry calls again."""


@batch_calls.implements(SubmitBatchCall, proof="test_a_batch_reads_back_with_all_its_recipients", missing=_MISSING)
def submit_batch_call(tx: Tx, op: SubmitBatchCall) -> Json:
    """Store a batch with all its recipients. A refusal names the problems of all rows, and then nothing is stored."""
    body = op.body() or {}
    agent = calling_agent(tx, op.agent_id)
    if op.agent_phone_number_id is None:
        raise BadRequest("Give agent_phone_number_id: this platform calls by telephone only, not by WhatsApp.")
    number = calling_number(tx, op.agent_phone_number_id)
    recipients: list[Json] = body["recipients"]
    due = tx.now if op.scheduled_time_unix is None else max(op.scheduled_time_unix, tx.now)
    problems = [*_time_problems(tx, due), *_row_problems(admission(tx, agent["document"]), recipients)]
    if problems:
        raise InvalidRequest(problems)
    new = tx.new_id("btcal")
    kept = {name: body[name] for name in DEFAULTS if body.get(name) is not None}
    tx.db.execute(
        insert(batch_call).values(
            workspace=tx.workspace, id=new, name=op.call_name, agent_id=op.agent_id, agent_name=agent["name"],
            phone_number_id=number["id"], phone_provider=number["provider"], status="pending", created_ms=tx.now_ms,
            scheduled_secs=due, updated_secs=tx.now, retry_count=0, document=DEFAULTS | kept,
            configuration=effective_digest(tx, op.agent_id, number["id"]),
        )
    )  # fmt: skip
    rows = [_recipient_row(tx, new, place, recipient) for place, recipient in enumerate(recipients)]
    tx.db.execute(insert(batch_recipient), rows)
    _fail_what_is_due(tx, new)
    return _answers(tx, [tx.one(batch_call, new)])[0]


@batch_calls.implements(ListBatchCalls, proof="test_batches_are_listed_newest_first_in_pages")
def list_batch_calls(tx: Tx, op: ListBatchCalls) -> Json:
    found = select(batch_call).where(tx.own(batch_call))
    rows, cursor = page(
        tx.db,
        found,
        by=batch_call.c.created_ms,
        id=batch_call.c.id,
        descending=True,
        size=op.limit,
        cursor=op.last_doc,
    )
    return {"batch_calls": _answers(tx, rows), "next_doc": cursor, "has_more": cursor is not None}


@batch_calls.implements(GetBatchCall, proof="test_a_batch_reads_back_with_all_its_recipients")
def get_batch_call(tx: Tx, op: GetBatchCall) -> Json:
    row = tx.one(batch_call, op.batch_id)
    found = (
        select(batch_recipient).where(tx.own(batch_recipient, batch_id=op.batch_id)).order_by(batch_recipient.c.place)
    )
    overdue = _is_overdue(tx, row)
    recipients = [_recipient(row, recipient, overdue) for recipient in tx.db.execute(found).mappings()]
    return _answers(tx, [row])[0] | {"recipients": recipients}


@batch_calls.implements(CancelBatchCall, proof="test_cancelling_keeps_what_is_finished_and_can_be_repeated")
def cancel_batch_call(tx: Tx, op: CancelBatchCall) -> Json:
    """Cancel a batch: pending recipients are not called, and calls in progress do not become conversations.

    Finished recipients keep their conversations. A batch that has ended stays as it is.
    """
    _fail_what_is_due(tx, op.batch_id)
    if tx.one(batch_call, op.batch_id)["status"] not in _OVER:
        _move(tx, op.batch_id, _OPEN, "cancelled")
        _set(tx, op.batch_id, status="cancelled")
    return _answers(tx, [tx.one(batch_call, op.batch_id)])[0]


@batch_calls.implements(RetryBatchCall, proof="test_a_retry_takes_up_only_who_was_not_reached", missing=_MISSING)
def retry_batch_call(tx: Tx, op: RetryBatchCall) -> Json:
    """Retry a batch. All checks run again: the agent may have been archived since, or the number deleted."""
    _fail_what_is_due(tx, op.batch_id)
    row = tx.one(batch_call, op.batch_id)
    counts = _counts(tx, [op.batch_id])[op.batch_id]
    if not any(counts[status] for status in _UNREACHED):
        raise BadRequest(f"Nobody to call again: everybody in batch {row['name']!r} was reached, or still will be.")
    agent = calling_agent(tx, row["agent_id"])
    calling_number(tx, row["phone_number_id"])
    _refuse_what_is_closed_now(tx, admission(tx, agent["document"]), op.batch_id)
    _move(tx, op.batch_id, _UNREACHED, "pending")
    again = {
        "status": "pending",
        "scheduled_secs": tx.now,
        "retry_count": row["retry_count"] + 1,
        "configuration": effective_digest(tx, row["agent_id"], row["phone_number_id"]),
        "failure_reason": None,
    }
    _set(tx, op.batch_id, **again)
    _fail_what_is_due(tx, op.batch_id)
    return _answers(tx, [tx.one(batch_call, op.batch_id)])[0]


def _time_problems(tx: Tx, due: int) -> list[Problem]:
    if due <= tx.now + FURTHEST_SECONDS:
        return []
    said = "More than a year ahead; the time is in seconds since 1970, not in milliseconds."
    return [body_problem(["scheduled_time_unix"], said, "too_late")]


def _row_problems(admission: CallOverrideCheck, recipients: Sequence[Json]) -> list[Problem]:
    """The problems of all recipients. Each names its row, counted from one as in a list of people."""
    if len(recipients) > MOST_RECIPIENTS:
        said = f"At most {MOST_RECIPIENTS:,} recipients a batch; these are {len(recipients):,}."
        return [body_problem(["recipients"], said, "too_long")]
    found: list[Problem] = []
    for place, recipient in enumerate(recipients):
        at = ("body", "recipients", place)
        brought: Json = recipient.get("conversation_initiation_client_data") or {}
        of_row = admission.problems(brought, (*at, "conversation_initiation_client_data"))
        if recipient.get("phone_number") is None:
            said = "This platform calls by telephone only: give a phone_number."
            of_row.append(Problem(loc=[*at, "phone_number"], msg=said, type="missing"))
        for problem in of_row:
            problem["msg"] = f"Row {place + 1}: {problem['msg']}"
        found += of_row
    return [*found, *_repeated(recipients)]


def _repeated(recipients: Sequence[Json]) -> Iterator[Problem]:
    """Problems for repeated recipient ids: a call names its recipient by this id, so it must be unique."""
    places: dict[str, int] = {}
    for place, recipient in enumerate(recipients):
        if (id := recipient.get("id")) and (first := places.setdefault(id, place)) != place:
            said = f"Row {place + 1}: Row {first + 1} has this id too; give each recipient its own, or none."
            yield body_problem(["recipients", place, "id"], said, "duplicate")


def _refuse_what_is_closed_now(tx: Tx, admission: CallOverrideCheck, batch_id: str) -> None:
    again = select(batch_recipient.c.phone_number, batch_recipient.c.brought).where(
        tx.own(batch_recipient, batch_id=batch_id),
        batch_recipient.c.status.in_(_UNREACHED),
    )
    rows = tx.db.execute(again.order_by(batch_recipient.c.place)).all()
    recipients: list[Json] = [
        {"phone_number": row.phone_number, "conversation_initiation_client_data": row.brought} for row in rows
    ]
    if problems := _row_problems(admission, recipients):
        raise BadRequest(f"The agent has changed, and {len(problems)} things no longer fit: {problems[0]['msg']}")


def _recipient_row(tx: Tx, batch_id: str, place: int, recipient: Json) -> Json:
    return {
        "workspace": tx.workspace,
        "batch_id": batch_id,
        "place": place,
        "id": recipient.get("id") or tx.new_id("rcpt"),
        "phone_number": recipient["phone_number"],
        "status": "pending",
        "updated_secs": tx.now,
        "conversation_id": None,
        "brought": recipient.get("conversation_initiation_client_data"),
    }


def _fail_what_is_due(tx: Tx, batch_id: str) -> None:
    """Persist the failure of an overdue batch, which answers already show."""
    row = tx.one(batch_call, batch_id)
    if _is_overdue(tx, row):
        _move(tx, batch_id, ("pending",), "failed")
        _set(tx, batch_id, status="failed", failure_reason=_failure(tx, row))


def _failure(tx: Tx, row: RowMapping) -> str:
    """Why a batch that is due calls nobody."""
    then: str | None = row["configuration"]
    if then is not None and then != effective_digest(tx, row["agent_id"], row["phone_number_id"]):
        return CHANGED
    return NOT_CONNECTED


def _is_overdue(tx: Tx, row: RowMapping) -> bool:
    return row["status"] == "pending" and row["scheduled_secs"] <= tx.now


def _move(tx: Tx, batch_id: str, come_from: Sequence[str], status: str) -> None:
    mine = tx.own(batch_recipient, batch_id=batch_id)
    moving = update(batch_recipient).where(mine, batch_recipient.c.status.in_(come_from))
    tx.db.execute(moving.values(status=status, updated_secs=tx.now))


def _set(tx: Tx, batch_id: str, **values: Any) -> None:
    mine = tx.own(batch_call, id=batch_id)
    tx.db.execute(update(batch_call).where(mine).values(updated_secs=tx.now, **values))


def _counts(tx: Tx, batch_ids: Sequence[str]) -> dict[str, Counter[str]]:
    """The number of recipients in each state, by batch."""
    counts: dict[str, Counter[str]] = {id: Counter() for id in batch_ids}
    found = (
        select(batch_recipient.c.batch_id, batch_recipient.c.status, func.count().label("many"))
        .where(tx.own(batch_recipient), batch_recipient.c.batch_id.in_(batch_ids))
        .group_by(batch_recipient.c.batch_id, batch_recipient.c.status)
    )
    for row in tx.db.execute(found):
        counts[row.batch_id][row.status] = row.many
    return counts


def _answers(tx: Tx, rows: Iterable[RowMapping]) -> list[Json]:
    """Batches as they are answered. The field `failure_reason` is an addition to the platform's."""
    batches = list(rows)
    counts = _counts(tx, [row["id"] for row in batches])
    return [_answer(tx, row, counts[row["id"]]) for row in batches]


def _answer(tx: Tx, row: RowMapping, counts: Counter[str]) -> Json:
    overdue = _is_overdue(tx, row)
    status = "failed" if overdue else row["status"]
    reason = _failure(tx, row) if overdue else row["failure_reason"] or NOT_CONNECTED
    return {
        "id": row["id"],
        "phone_number_id": row["phone_number_id"],
        "phone_provider": row["phone_provider"],
        "name": row["name"],
        "agent_id": row["agent_id"],
        "agent_name": row["agent_name"],
        "created_at_unix": row["created_ms"] // 1000,
        "scheduled_time_unix": row["scheduled_secs"],
        "last_updated_at_unix": row["scheduled_secs"] if overdue else row["updated_secs"],
        "status": status,
        "total_calls_scheduled": counts.total(),
        "total_calls_dispatched": sum(counts[name] for name in _DISPATCHED),
        "total_calls_finished": sum(counts[name] for name in _FINISHED),
        "retry_count": row["retry_count"],
        **row["document"],
        **({"failure_reason": reason} if status == "failed" else {}),
    }


def _recipient(batch: RowMapping, row: RowMapping, overdue: bool) -> Json:
    fails = overdue and row["status"] == "pending"
    return {
        "id": row["id"],
        "phone_number": row["phone_number"],
        "status": "failed" if fails else row["status"],
        "created_at_unix": batch["created_ms"] // 1000,
        "updated_at_unix": batch["scheduled_secs"] if fails else row["updated_secs"],
        "conversation_id": row["conversation_id"],
        "conversation_initiation_client_data": row["brought"],
    }
