"""The handlers of agent tests. Their runs are in `agent_test_runs.py`."""

from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from ...contract.agent_tests import (
    AgentTestPage,
    AgentTestSummaries,
    AgentTestSummary,
    CreateAgentTest,
    CreatedAgentTest,
    DeleteAgentTest,
    GetAgentTest,
    ListAgentTests,
    SummariseAgentTests,
    UpdateAgentTest,
)
from ...contract.common import Empty
from ...contract.errors import InUse, InvalidRequest, Problem, body_problem
from ...contract.merge import Json, with_defaults
from ...contract.references import Reference
from ..checks.parameters import parameter_problems
from ..handlers import Handlers
from ..schema.agent_tests import agent_test
from ..schema.defaults import OWNER
from ..store.agent_tests import tests_by_id
from ..store.paging import name_key, page, search_key
from ..store.transaction import Tx
from ..store.uses import agents_using, forget_uses, replace_uses

agent_tests = Handlers()

KINDS = ("llm", "tool")
_MISSING = "tests of the newer type simulation"
_DEFAULTS: Json = {
    "type": "llm",
    "tool_call_parameters": None,
    "dynamic_variables": {},
    "from_conversation_metadata": None,
}
_CHECK_DEFAULTS: Json = {"parameters": [], "referenced_tool": None, "verify_absence": False}


@agent_tests.implements(CreateAgentTest, proof="test_a_test_reads_back_as_it_was_created", missing=_MISSING)
def create_test(tx: Tx, op: CreateAgentTest) -> CreatedAgentTest:
    new, columns = tx.new_id("test"), _columns(tx, op.body() or {})
    tx.db.execute(insert(agent_test).values(workspace=tx.workspace, id=new, created_ms=tx.now_ms, **columns))
    replace_uses(tx, "agent_test", new, _tools_in(columns["document"]))
    return CreatedAgentTest(id=new)


@agent_tests.implements(ListAgentTests, proof="test_tests_are_listed_page_by_page_and_found_by_name")
def list_tests(tx: Tx, op: ListAgentTests) -> AgentTestPage:
    columns = [c for c in agent_test.c if c.name != "document"]
    found = select(*columns).where(tx.own(agent_test))
    if op.search:
        found = found.where(agent_test.c.name_key.contains(search_key(op.search), autoescape=True))
    rows, cursor = page(
        tx.db, found, by=agent_test.c.created_ms, id=agent_test.c.id, descending=True, size=op.page_size,
        cursor=op.cursor,
    )  # fmt: skip
    return AgentTestPage(tests=[_summary(row) for row in rows], has_more=cursor is not None, next_cursor=cursor)


@agent_tests.implements(GetAgentTest, proof="test_a_test_reads_back_as_it_was_created")
def get_test(tx: Tx, op: GetAgentTest) -> Json:
    return _answer(tx.one(agent_test, op.test_id))


@agent_tests.implements(UpdateAgentTest, proof="test_an_update_replaces_the_whole_test", missing=_MISSING)
def update_test(tx: Tx, op: UpdateAgentTest) -> Json:
    tx.one(agent_test, op.test_id)
    mine = tx.own(agent_test, id=op.test_id)
    columns = _columns(tx, op.body() or {})
    tx.db.execute(update(agent_test).where(mine).values(**columns))
    replace_uses(tx, "agent_test", op.test_id, _tools_in(columns["document"]))
    return _answer(tx.one(agent_test, op.test_id))


@agent_tests.implements(DeleteAgentTest, proof="test_deleting_an_attached_test_names_the_agents")
def delete_test(tx: Tx, op: DeleteAgentTest) -> Empty:
    """Delete a test, unless it is attached to agents. Its runs stay."""
    name = tx.one(agent_test, op.test_id)["name"]
    if users := agents_using(tx, "test", op.test_id):
        named = ", ".join(f"{shown!r} ({id})" for id, shown, _ in users[:10])
        raise InUse("test_in_use", f"Test {name!r} is attached to {named}. Detach it there first.")
    tx.db.execute(delete(agent_test).where(tx.own(agent_test, id=op.test_id)))
    forget_uses(tx, "agent_test", op.test_id)
    return Empty()


@agent_tests.implements(SummariseAgentTests, proof="test_tests_are_summed_up_by_their_ids")
def summarise_tests(tx: Tx, op: SummariseAgentTests) -> AgentTestSummaries:
    """Summaries of the tests with these ids. Unknown ids are left out."""
    return AgentTestSummaries(tests={id: _summary(row) for id, row in tests_by_id(tx, op.test_ids).items()})


def _columns(tx: Tx, body: Json) -> dict[str, Any]:
    document = {key: value for key, value in (_DEFAULTS | body).items() if key != "id"}
    if document["tool_call_parameters"] is not None:
        document["tool_call_parameters"] = with_defaults(document["tool_call_parameters"], _CHECK_DEFAULTS)
    if problems := _problems(document):
        raise InvalidRequest(problems)
    name = str(document["name"])
    return {
        "name": name,
        "name_key": name_key(name),
        "type": document["type"],
        "updated_ms": tx.now_ms,
        "document": document,
    }


def _tools_in(document: Json) -> list[Reference]:
    """References to the stored tool that a test expects.

    Names of built-in and inline tools are no references, and neither is the test's source conversation: it may have
    been deleted.
    """
    check: Json = document["tool_call_parameters"] or {}
    tool: Json = check.get("referenced_tool") or {}
    at = ("tool_call_parameters", "referenced_tool", "id")
    return [Reference("tool", tool["id"], at)] if tool.get("type") in ("webhook", "client") else []


def _problems(document: Json) -> list[Problem]:
    """Problems that would keep every run of the test from a result. They are refused when the test is saved."""
    kind: str = document["type"]
    check: Json | None = document["tool_call_parameters"]
    if kind not in KINDS:
        return [body_problem(["type"], f"This platform runs tests of the types {' and '.join(KINDS)}.")]
    if kind == "llm" and not document["success_condition"].strip():
        return [body_problem(["success_condition"], "A test of the type llm needs a condition to be judged by.")]
    if kind == "tool" and check is None:
        return [body_problem(["tool_call_parameters"], "A test of the type tool says which tool must be called.")]
    return parameter_problems(check["parameters"], ["tool_call_parameters", "parameters"]) if check else []


def _summary(row: RowMapping) -> AgentTestSummary:
    return AgentTestSummary(
        id=row["id"],
        name=row["name"],
        access_info=OWNER,
        created_at_unix_secs=row["created_ms"] // 1000,
        last_updated_at_unix_secs=row["updated_ms"] // 1000,
        type=row["type"],
    )


def _answer(row: RowMapping) -> Json:
    return row["document"] | {"id": row["id"]}
