"""Views of agent tests and of their runs."""

from ..contract.agent_tests import AgentTest, AgentTestRun, Invocation, InvocationSummary, ParameterCheck
from .rehearsal import UNTRUSTED, Said, said
from .text import short
from .views import Page, View

RUNS, REPLIES = 60, 20
"""Runs of an invocation that one result shows, and how many of them with the agent's reply; failed runs first."""


class TestLine(View):
    test_id: str
    name: str
    type: str
    updated_at_unix_secs: int


class TestView(View):
    test_id: str
    name: str
    type: str
    history: list[Said]
    condition: str = ""
    good_replies: list[str] = []
    bad_replies: list[str] = []
    tool: str | None = None
    must_not_call: bool | None = None
    arguments: list[str] = []
    variables: list[str] = []
    from_conversation_id: str | None = None
    note: str = UNTRUSTED

    @classmethod
    def of(cls, test: AgentTest) -> "TestView":
        check, source = test.tool_call_parameters, test.from_conversation_metadata
        return cls(
            test_id=test.id,
            name=short(test.name, 200),
            type=test.type or "llm",
            history=said(test.chat_history[-60:], 10_000),
            condition=test.success_condition[:3_000],
            good_replies=[short(one.response, 300) for one in test.success_examples[:10]],
            bad_replies=[short(one.response, 300) for one in test.failure_examples[:10]],
            tool=check.referenced_tool.id if check and check.referenced_tool else None,
            must_not_call=check.verify_absence if check else None,
            arguments=[_expected(one) for one in check.parameters[:30]] if check else [],
            variables=[f"{name} = {short(str(value))}" for name, value in list(test.dynamic_variables.items())[:30]],
            from_conversation_id=source.conversation_id if source else None,
        )


class RunLine(View):
    run_id: str
    test_id: str
    test: str
    status: str
    result: str | None = None
    reason: str | None = None
    checks: list[str] = []
    reply: list[Said] = []


class RunsView(View):
    invocation_id: str
    agent_id: str | None = None
    passed: int
    failed: int
    pending: int
    runs: list[RunLine]
    note: str

    @classmethod
    def of(cls, invocation: Invocation) -> "RunsView":
        runs = invocation.test_runs
        pending = sum(one.status == "pending" for one in runs)
        failed_first = sorted(runs, key=lambda one: one.status == "passed")
        shown = runs if len(runs) <= RUNS else failed_first[:RUNS]
        replies = {one.test_run_id for one in failed_first[:REPLIES]}
        waits = f" {pending} still run: call get_test_invocation." if pending else ""
        return cls(
            invocation_id=invocation.id,
            agent_id=invocation.agent_id,
            passed=sum(one.status == "passed" for one in runs),
            failed=sum(one.status == "failed" for one in runs),
            pending=pending,
            runs=[_run(one, 10_000 // max(1, len(runs)), one.test_run_id in replies) for one in shown],
            note=f"{UNTRUSTED}{waits}{_left_out(len(runs))}",
        )


class InvocationLine(View):
    invocation_id: str
    title: str
    created_at_unix_secs: int
    passed: int
    failed: int
    pending: int

    @classmethod
    def of(cls, row: InvocationSummary) -> "InvocationLine":
        return cls(
            invocation_id=row.id,
            title=short(row.title),
            created_at_unix_secs=row.created_at_unix_secs,
            passed=row.passed_count,
            failed=row.failed_count,
            pending=row.pending_count,
        )


class Invocations(Page):
    invocations: list[InvocationLine]


def _left_out(runs: int) -> str:
    """Text about the runs that are not shown, and the parts of get_test_invocation that show them."""
    said = ""
    if runs > REPLIES:
        said += f" {min(runs, RUNS) - REPLIES} without replies; parts shows them, as test_runs[0].agent_responses."
    if runs > RUNS:
        said += f" {runs - RUNS} more runs: parts test_runs[*].test_id and test_runs[*].status."
    return said


def _run(run: AgentTestRun, budget: int, with_reply: bool) -> RunLine:
    found = run.condition_result
    rationale = found.rationale if found else None
    each = max(60, min(400, budget // 4))
    return RunLine(
        run_id=run.test_run_id,
        test_id=run.test_id,
        test=short(run.test_name or "", 80),
        status=run.status,
        result=found.result if found else None,
        reason=short(rationale.summary or "", each) if rationale else None,
        checks=[short(one, each) for one in rationale.messages[:10] if one != rationale.summary] if rationale else [],
        reply=said((run.agent_responses or [])[:3], budget // 2) if with_reply else [],
    )


def _expected(check: ParameterCheck) -> str:
    kind = str(getattr(check.eval, "type", "?"))
    wanted = [getattr(check.eval, name, None) for name in ("expected_value", "pattern", "description")]
    told = next((str(one) for one in wanted if one is not None), "")
    return short(f"{check.path}: {kind} {told}", 200)
