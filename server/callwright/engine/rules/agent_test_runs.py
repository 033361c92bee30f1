"""The handlers of test runs on agents. A request is answered at once; a background job finishes the runs.

A process renews the lease of its runs while it works on them. A pending run with an expired lease belonged to a process
that has ended: every reader counts it as failed, and later writes of that process do not change it. So a restart, a
crash and a second process on the same database need no further care.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from sqlalchemy import ColumnElement, RowMapping, and_, case, func, insert, select, update

from ...contract.agent_tests import (
    GetInvocation,
    Invocation,
    InvocationPage,
    InvocationSummary,
    ListInvocations,
    ListMeta,
    ResubmitInvocation,
    RunAgentTests,
)
from ...contract.common import Empty
from ...contract.errors import BadRequest, InvalidRequest, Problem, body_problem
from ...contract.merge import Json
from ..dialogue.agent import Agent, read_agent
from ..dialogue.agent_tests import Case, Ran, run_case
from ..dialogue.judge import Judgement
from ..dialogue.passages import Document
from ..dialogue.roles import Role
from ..handlers import Handlers
from ..roles.custom_llm import llm_of
from ..roles.role_loader import at_node
from ..schema.agent_tests import test_invocation, test_run
from ..schema.agent_tools import tool
from ..schema.defaults import OWNER
from ..store.agent_documents import texts_of
from ..store.agent_tests import tests_by_id
from ..store.agent_tools import with_stored_tools
from ..store.paging import page
from ..store.transaction import Tx
from ..tool_calls.offers import Listings, listings_of, rehearsed, with_offers
from ..unit import Unit
from .agents import as_updated

agent_test_runs = Handlers()

MOST_TESTS = 100
"""Tests of one invocation at most: each sends one or more requests to a model."""
LEASE_MS = 30_000
RENEW_SECONDS = 10.0
BROKEN = "Not finished: an internal error, which the server's log explains."
GONE = "Not finished: the server that ran it was stopped."

_MISSING = "workflow nodes other than override_agent"


@dataclass(frozen=True)
class _Planned:
    """A run with a copy of its data, so that later changes of the agent or the test do not affect it."""

    id: str
    case: Case
    agent: Agent
    documents: Sequence[Document]
    platform_settings: Json
    metadata: Json
    tool_names: Mapping[str, str]


@agent_test_runs.implements(
    RunAgentTests, proof="test_a_run_is_pending_at_once_and_then_read_with_its_result", missing=_MISSING
)
async def run_tests(unit: Unit, op: RunAgentTests) -> Json:
    body = op.body() or {}

    def submit(tx: Tx) -> tuple[str, list[_Planned], Json]:
        chosen: list[Json] = body["tests"]
        invocation = tx.new_id("tinv")
        planned = _plan(tx, op.agent_id, chosen, body.get("agent_config_override"), [tx.new_id("trun") for _ in chosen])
        title = planned[0].metadata["test_name"] + (f" and {len(planned) - 1} more" if len(planned) > 1 else "")
        row = {"workspace": tx.workspace, "id": invocation, "agent_id": op.agent_id, "title": title}
        tx.db.execute(insert(test_invocation).values(**row, created_ms=tx.now_ms))
        for place, (run, asked) in enumerate(zip(planned, chosen, strict=True)):
            named = {"test_name": run.metadata["test_name"], "workflow_node_id": asked.get("workflow_node_id")}
            key = {"workspace": tx.workspace, "id": run.id, "invocation_id": invocation, "place": place}
            tx.db.execute(insert(test_run).values(**key, test_id=asked["test_id"], **_pending(tx, named, run)))
        return invocation, planned, _invocation(tx, invocation)

    invocation, planned, answer = await unit.write(submit)
    unit.jobs.start(_finish(unit, planned), f"tests {invocation}")
    return answer


@agent_test_runs.implements(
    ResubmitInvocation, proof="test_a_resubmitted_run_is_run_again_in_its_invocation", missing=_MISSING
)
async def resubmit(unit: Unit, op: ResubmitInvocation) -> Empty:
    body = op.body() or {}

    def submit(tx: Tx) -> list[_Planned]:
        rows = _rerun(tx, op.test_invocation_id, op.agent_id, list(dict.fromkeys(op.test_run_ids)))
        chosen = [{"test_id": row["test_id"], "workflow_node_id": row["document"]["workflow_node_id"]} for row in rows]
        planned = _plan(tx, op.agent_id, chosen, body.get("agent_config_override"), [row["id"] for row in rows])
        for row, run in zip(rows, planned, strict=True):
            named = {"test_name": run.metadata["test_name"], "workflow_node_id": row["document"]["workflow_node_id"]}
            tx.db.execute(update(test_run).where(_run(tx, run.id)).values(**_pending(tx, named, run)))
        return planned

    unit.jobs.start(_finish(unit, await unit.write(submit)), f"tests {op.test_invocation_id}")
    return Empty()


@agent_test_runs.implements(GetInvocation, proof="test_a_run_is_pending_at_once_and_then_read_with_its_result")
def get_invocation(tx: Tx, op: GetInvocation) -> Json:
    return _invocation(tx, op.test_invocation_id)


@agent_test_runs.implements(ListInvocations, proof="test_invocations_of_an_agent_are_listed_with_their_counts")
def list_invocations(tx: Tx, op: ListInvocations) -> InvocationPage:
    found = select(test_invocation).where(tx.own(test_invocation, agent_id=op.agent_id))
    rows, cursor = page(
        tx.db, found, by=test_invocation.c.created_ms, id=test_invocation.c.id, descending=True, size=op.page_size,
        cursor=op.cursor,
    )  # fmt: skip
    counts = _counts(tx, [row["id"] for row in rows])
    total = tx.db.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    return InvocationPage(
        meta=ListMeta(total=total, page_size=op.page_size),
        results=[_summary(row, counts.get(row["id"], {})) for row in rows],
        has_more=cursor is not None,
        next_cursor=cursor,
    )


async def _finish(unit: Unit, planned: Sequence[_Planned]) -> None:
    """Finish all planned runs, several at a time. On cancellation the remaining runs fail with the reason."""
    ids = [run.id for run in planned]
    listings = listings_of(unit)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_alive, unit, ids)
            async with anyio.create_task_group() as runs:
                for run in planned:
                    runs.start_soon(_run_one, unit, run, listings)
            tasks.cancel_scope.cancel()
    except BaseException as exc:
        why = BROKEN if isinstance(exc, Exception) else GONE
        with anyio.CancelScope(shield=True):
            await unit.write(lambda tx: _close(tx, ids, why))
        raise


async def _keep_alive(unit: Unit, ids: Sequence[str]) -> None:
    while True:
        await anyio.sleep(RENEW_SECONDS)
        await unit.write(lambda tx: _renew(tx, ids))


async def _run_one(unit: Unit, run: _Planned, listings: Listings) -> None:
    llm = llm_of(unit, run.agent, run.platform_settings)
    async with unit.jobs.slot:
        started = unit.clock() / 1000  # the clock of a test stands still: every turn is at second 0
        known = rehearsed(run.agent.id, run.id, run.case.variables, started)
        role = await with_offers(Role(run.agent, run.documents, llm), listings, known)
        ran = await run_case(
            run.case,
            role,
            tool_names=run.tool_names,
            conversation_id=run.id,
            clock=lambda: started,
            new_id=lambda: unit.new_id("call").removeprefix("call_").ljust(32, "0")[:32],
        )
    await unit.write(lambda tx: _record(tx, run.id, ran))


def _record(tx: Tx, id: str, ran: Ran) -> None:
    found = select(test_run.c.document).where(_mine(tx, [id]))
    document: Json | None = tx.db.execute(found).scalar_one_or_none()
    if document is None:
        return  # its lease has expired, and readers have seen it as failed
    told = document | {"agent_responses": ran.responses, "condition_result": _condition(ran.verdict, ran.messages)}
    status = "passed" if ran.verdict.result == "success" else "failed"
    values = {"status": status, "updated_ms": tx.now_ms, "document": told}
    tx.db.execute(update(test_run).where(_run(tx, id)).values(**values))


def _close(tx: Tx, ids: Sequence[str], why: str) -> None:
    for id in ids:
        _record(tx, id, Ran(Judgement("unknown", why)))


def _renew(tx: Tx, ids: Sequence[str]) -> None:
    tx.db.execute(update(test_run).where(_mine(tx, ids)).values(lease_ms=tx.now_ms + LEASE_MS))


def _plan(tx: Tx, agent_id: str, chosen: list[Json], override: Json | None, ids: Sequence[str]) -> list[_Planned]:
    """The planned runs. Raises InvalidRequest with all unknown tests and nodes, and the problems of the override."""
    if not 1 <= len(chosen) <= MOST_TESTS:
        raise InvalidRequest([body_problem(["tests"], f"1 to {MOST_TESTS} tests are run together, not {len(chosen)}.")])
    document = _tested(tx, agent_id, override)
    tests = tests_by_id(tx, [asked["test_id"] for asked in chosen])
    names = _tool_names(tx, tests)
    problems: list[Problem] = []
    planned: list[_Planned] = []
    for place, asked in enumerate(chosen):
        if (test := tests.get(asked["test_id"])) is None:
            said = f"There is no test {asked['test_id']!r}."
            problems.append(body_problem(["tests", place, "test_id"], said, resource="test"))
            continue
        try:
            config = at_node(document, asked.get("workflow_node_id"))
        except BadRequest as wrong:
            problems.append(body_problem(["tests", place, "workflow_node_id"], str(wrong)))
            continue
        agent = read_agent(agent_id, with_stored_tools(tx, agent_id, config), on_phone=True)
        settings: Json = document["platform_settings"]
        run = _Planned(ids[place], _case(test), agent, texts_of(tx, config), settings, _metadata(tx, test), names)
        planned.append(run)
    if problems:
        raise InvalidRequest(problems)
    return planned


def _tested(tx: Tx, agent_id: str, override: Json | None) -> Json:
    """The agent's document, with the override applied if there is one. Nothing is stored."""
    try:
        return as_updated(tx, agent_id, override or {})
    except InvalidRequest as exc:
        for problem in exc.problems:
            problem["loc"] = ["body", "agent_config_override", *problem["loc"][1:]]
        raise


def _case(test: RowMapping) -> Case:
    document: Json = test["document"]
    examples: list[Json] = [*document["success_examples"], *document["failure_examples"]]
    return Case(
        test["type"],
        document["chat_history"],
        document["success_condition"],
        [(example["type"], example["response"]) for example in examples],
        document["tool_call_parameters"] or {},
        document["dynamic_variables"],
    )


def _tool_names(tx: Tx, tests: Mapping[str, RowMapping]) -> dict[str, str]:
    """Names of stored tools by id: tests refer to a tool by its id, and the model calls it by its name."""
    checks: list[Json] = [test["document"]["tool_call_parameters"] or {} for test in tests.values()]
    ids = {check["referenced_tool"]["id"] for check in checks if check.get("referenced_tool")}
    found = select(tool.c.id, tool.c.name).where(tx.own(tool), tool.c.id.in_(ids))
    return {row.id: row.name for row in tx.db.execute(found)}


def _metadata(tx: Tx, test: RowMapping) -> Json:
    kind = {"tool": "tool_call"}.get(test["type"], test["type"])  # the platform's name of the type in runs
    named = {"workspace_id": tx.workspace, "test_name": test["name"], "ran_by_user_email": OWNER.creator_email}
    return named | {"test_type": kind}


def _rerun(tx: Tx, invocation_id: str, agent_id: str, run_ids: list[str]) -> list[RowMapping]:
    row = tx.one(test_invocation, invocation_id)
    if row["agent_id"] != agent_id:
        raise BadRequest(f"Invocation {invocation_id!r} is of the agent {row['agent_id']!r}, not of {agent_id!r}.")
    rows = {run["id"]: run for run in _runs(tx, invocation_id)}
    if unknown := [id for id in run_ids if id not in rows]:
        raise InvalidRequest([body_problem(["test_run_ids"], f"This invocation has no run {id!r}.") for id in unknown])
    if going := [id for id in run_ids if rows[id]["now"] == "pending"]:
        raise BadRequest(f"Still running: {', '.join(going[:10])}. Wait until they are done.")
    return [rows[id] for id in run_ids]


def _pending(tx: Tx, named: Json, run: _Planned) -> dict[str, Any]:
    document = {**named, "agent_responses": None, "condition_result": None, "metadata": run.metadata}
    lease = tx.now_ms + LEASE_MS
    return {"status": "pending", "lease_ms": lease, "updated_ms": tx.now_ms, "document": document}


def _run(tx: Tx, id: str) -> ColumnElement[bool]:
    return and_(tx.own(test_run, id=id))


def _mine(tx: Tx, ids: Sequence[str]) -> ColumnElement[bool]:
    """The condition for those of these runs that are pending and have a valid lease."""
    alive = and_(test_run.c.status == "pending", test_run.c.lease_ms > tx.now_ms)
    return and_(tx.own(test_run), test_run.c.id.in_(ids), alive)


def _status(tx: Tx) -> ColumnElement[str]:
    """The status of a run as of now: a pending run without a valid lease has failed."""
    gone = and_(test_run.c.status == "pending", test_run.c.lease_ms <= tx.now_ms)
    return case((gone, "failed"), else_=test_run.c.status).label("now")


def _runs(tx: Tx, invocation_id: str) -> Sequence[RowMapping]:
    found = select(test_run, _status(tx)).where(tx.own(test_run, invocation_id=invocation_id))
    return tx.db.execute(found.order_by(test_run.c.place)).mappings().all()


def _counts(tx: Tx, invocation_ids: list[str]) -> dict[str, dict[str, int]]:
    """The number of runs in each status, by invocation."""
    runs = (
        select(test_run.c.invocation_id, _status(tx))
        .where(tx.own(test_run), test_run.c.invocation_id.in_(invocation_ids))
        .subquery()
    )
    found = select(runs, func.count().label("runs")).group_by(runs.c.invocation_id, runs.c.now)
    counts: dict[str, dict[str, int]] = {}
    for row in tx.db.execute(found).mappings():
        counts.setdefault(row["invocation_id"], {})[row["now"]] = row["runs"]
    return counts


def _invocation(tx: Tx, invocation_id: str) -> Json:
    row = tx.one(test_invocation, invocation_id)
    shown = Invocation.model_validate({"id": row["id"], "agent_id": row["agent_id"], "test_runs": []}).model_dump()
    runs = [_answer(run, row["agent_id"]) for run in _runs(tx, invocation_id)]
    return shown | {"created_at": row["created_ms"] // 1000, "test_runs": runs}


def _answer(run: RowMapping, agent_id: str) -> Json:
    document: Json = run["document"]
    if run["now"] == "failed" and run["status"] == "pending":
        document = document | {"condition_result": _condition(Judgement("unknown", GONE), [])}
    return {
        "test_run_id": run["id"],
        "test_invocation_id": run["invocation_id"],
        "agent_id": agent_id,
        "status": run["now"],
        "test_id": run["test_id"],
        "last_updated_at_unix": run["updated_ms"] // 1000,
        **document,
    }


def _condition(verdict: Judgement, messages: Sequence[str]) -> Json:
    rationale = {"messages": list(messages) or [verdict.rationale], "summary": verdict.rationale}
    return {"result": verdict.result, "rationale": rationale}


def _summary(row: RowMapping, counts: Mapping[str, int]) -> InvocationSummary:
    return InvocationSummary(
        id=row["id"],
        created_at_unix_secs=row["created_ms"] // 1000,
        test_run_count=sum(counts.values()),
        passed_count=counts.get("passed", 0),
        failed_count=counts.get("failed", 0),
        pending_count=counts.get("pending", 0),
        cancelled_count=0,
        title=row["title"],
        access_info=OWNER,
    )
