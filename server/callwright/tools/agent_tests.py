"""Tools for agent tests: the next reply of an agent is judged by a condition, or by the tool that it calls."""

from copy import deepcopy
from typing import Annotated, Any, Literal

import anyio
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..api.client import ApiClient
from ..approval.call import Api
from ..approval.question import changed_fields
from ..contract.agent.system_spelling import SYSTEM_TOOLS
from ..contract.agent_tests import (
    AgentTestSummary,
    CreateAgentTest,
    DeleteAgentTest,
    GetAgentTest,
    GetInvocation,
    Invocation,
    ListAgentTests,
    ListInvocations,
    ResubmitInvocation,
    RunAgentTests,
    SummariseAgentTests,
    UpdateAgentTest,
)
from ..contract.agent_tools import GetTool
from ..contract.agents import GetAgent
from ..contract.common import AgentId, AgentTestId, ConversationId, Cursor, InvocationId, PageSize
from ..contract.conversations import GetConversation
from ..contract.merge import Json, merged
from ..replies.agent_tests import InvocationLine, Invocations, RunsView, TestLine, TestView
from ..replies.text import short
from ..replies.views import Deleted, Page, View
from ..requests.agent_test_origins import cut_out
from ..requests.documents import put
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.undo import Past, undoes

TOOLS = Toolset("tests", "Test single replies of agents, and run such tests.")

FIRST_POLL, LONGEST_POLL = 0.05, 2.0
WAITED_SECONDS = 60

TestId = Annotated[AgentTestId, Field(description="From list_agent_tests.")]
Agent = Annotated[AgentId, Field(description="From list_agents.")]
InvocationRef = Annotated[InvocationId, Field(description="From list_test_invocations.")]
Name = Annotated[str, Field(min_length=1, max_length=200, description="What it shows.")]
History = Annotated[list[str], Field(max_length=100, description="Turns so far, as 'user: Hello' or 'agent: Hi'.")]
Condition = Annotated[str, Field(max_length=5_000, description="What a good reply does.")]
Good = Annotated[list[str], Field(max_length=20, description="Replies that would pass.")]
Bad = Annotated[list[str], Field(max_length=20, description="Replies that would fail.")]
ToolName = Annotated[str, Field(max_length=128, description="Tool to be called: id, or a built-in's name.")]
Arguments = Annotated[
    Json, Field(description="Argument path to {exact: v}, {regex: p}, {llm: description} or anything.")
]
MustNotCall = Annotated[bool, Field(description="Passes when it is not called.")]
Variables = Annotated[Json, Field(description="Dynamic variables by name.")]
Config = Annotated[Json, Field(description="Rest of the body: describe_config, kind test.")]
Changes = Annotated[Json, Field(description="Rest of the body: describe_config, kind test. Merged; null clears.")]
Override = Annotated[Json, Field(description="Unsaved changes, as config of update_agent.")]
Wait = Annotated[int, Field(ge=0, le=300, description="Seconds to wait for results, 0 to 300.")]

_SAID_AS = {
    "chat_history": "history",
    "success_condition": "condition",
    "success_examples": "good_replies",
    "failure_examples": "bad_replies",
    "tool_call_parameters": "tool",
    "dynamic_variables": "variables",
    "type": "condition or tool",
}
"""Field of the body -> argument that sets it."""
_CHECKS = {"exact": "expected_value", "regex": "pattern", "llm": "description"}


class Tests(Page):
    tests: list[TestLine]


class Summaries(View):
    tests: list[TestLine]
    unknown: list[str] = []


@TOOLS.tool(ListAgentTests, title="List agent tests", default=False, words="which tests")
async def list_agent_tests(
    api: PlatformApi,
    search: Annotated[str | None, Field(max_length=200, description="Part of the name.")] = None,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Tests:
    """List tests, newest first. For what was run, list_test_invocations."""
    page = await api.send(ListAgentTests(page_size=page_size, search=search, cursor=cursor))
    return Tests(tests=[_line(one) for one in page.tests], has_more=page.has_more, next_cursor=page.next_cursor)


@TOOLS.tool(SummariseAgentTests, title="Look up agent tests", default=False)
async def get_agent_test_summaries(
    api: PlatformApi,
    test_ids: Annotated[list[str], Field(min_length=1, max_length=100, description="Ids of tests.")],
) -> Summaries:
    """Look several tests up by their ids, as an agent's attached ones. For one in full, get_agent_test."""
    found = (await api.send(SummariseAgentTests(test_ids=test_ids))).tests
    return Summaries(tests=[_line(one) for one in found.values()], unknown=[id for id in test_ids if id not in found])


@TOOLS.tool(GetAgentTest, title="Get agent test", default=False, parts=True)
async def get_agent_test(api: PlatformApi, test_id: TestId) -> TestView:
    """Show a test in full: history, condition, examples, expected tool call."""
    return TestView.of(await api.send(GetAgentTest(test_id=test_id)))


@TOOLS.tool(
    CreateAgentTest,
    GetAgentTest,
    GetTool,
    title="Create agent test",
    words="never must always check discounts rule expectation write schreibe",
)
async def create_agent_test(
    api: PlatformApi,
    name: Name,
    history: History | None = None,
    condition: Condition | None = None,
    good_replies: Good | None = None,
    bad_replies: Bad | None = None,
    tool: ToolName | None = None,
    arguments: Arguments | None = None,
    must_not_call: MustNotCall | None = None,
    variables: Variables | None = None,
    config: Config | None = None,
) -> TestView:
    """Make a test of one reply: give a condition, or a tool to be called. Whole dialogues: simulate_conversation."""
    called = await _referenced(api, tool)
    flat = _changes(name, history, condition, good_replies, bad_replies, called, arguments, must_not_call, variables)
    body = _beside(config, flat)
    if not body.get("chat_history"):
        raise ToolError("history is required: the turns before the reply that is tested.")
    if bool(body.get("success_condition")) == bool(body.get("tool_call_parameters")):
        raise ToolError("Give either condition, or tool.")
    empty: Json = {"chat_history": [], "success_condition": "", "success_examples": [], "failure_examples": []}
    made = await api.send(CreateAgentTest.model_validate(empty | merged({}, body)))
    return TestView.of(await api.send(GetAgentTest(test_id=made.id)))


@TOOLS.tool(
    CreateAgentTest,
    GetConversation,
    GetAgentTest,
    title="Create test from conversation",
    words="turn failed call regression",
)
async def create_test_from_conversation(
    api: PlatformApi,
    conversation_id: Annotated[ConversationId, Field(description="From list_conversations.")],
    turn: Annotated[int | None, Field(ge=0, description="Agent's turn, counted from 0; default: its last.")] = None,
    name: Name | None = None,
    condition: Condition | None = None,
    original: Annotated[
        Literal["good", "bad"] | None, Field(description="Makes what it said an example of either.")
    ] = None,
) -> TestView:
    """Make a test of what an agent replied in a real call, with all that was said before."""
    found = await api.send(GetConversation(conversation_id=conversation_id))
    made = await api.send(CreateAgentTest.model_validate(cut_out(found, turn, name, condition, original)))
    return TestView.of(await api.send(GetAgentTest(test_id=made.id)))


@TOOLS.tool(UpdateAgentTest, GetAgentTest, GetTool, title="Update agent test", default=False)
async def update_agent_test(
    api: PlatformApi,
    test_id: TestId,
    name: Name | None = None,
    history: History | None = None,
    condition: Condition | None = None,
    good_replies: Good | None = None,
    bad_replies: Bad | None = None,
    tool: ToolName | None = None,
    arguments: Arguments | None = None,
    must_not_call: MustNotCall | None = None,
    variables: Variables | None = None,
    config: Changes | None = None,
) -> TestView:
    """Change a test; what is left out stays. Lists and arguments are replaced whole."""
    now = (await api.send(GetAgentTest(test_id=test_id))).model_dump(mode="json", exclude_unset=True, exclude={"id"})
    old: Json | None = now.get("tool_call_parameters")
    called = await _referenced(api, tool)
    flat = _changes(
        name, history, condition, good_replies, bad_replies, called, arguments, must_not_call, variables, old=old
    )
    if not flat and not config:
        raise ToolError("Nothing to change: give at least one argument besides test_id.")
    changed = merged(now, config or {}) | _beside(config, flat, only_flat=True)
    return TestView.of(await api.send(UpdateAgentTest.model_validate(changed | {"test_id": test_id})))


@TOOLS.tool(DeleteAgentTest, GetAgentTest, title="Delete agent test", default=False)
async def delete_agent_test(api: PlatformApi, test_id: TestId) -> Deleted:
    """Delete a test for good; what it found before stays. Refused while agents have it attached."""
    name = (await api.send(GetAgentTest(test_id=test_id))).name
    await api.send(DeleteAgentTest(test_id=test_id))
    return Deleted(deleted=test_id, name=short(name))


@TOOLS.tool(
    RunAgentTests,
    GetInvocation,
    GetAgent,
    title="Run agent tests",
    long=True,
    words="execute start fuhre lance ejecuta esegui",
)
async def run_agent_tests(
    api: PlatformApi,
    agent_id: Agent,
    test_ids: Annotated[list[str] | None, Field(max_length=100, description="Left out: the attached ones.")] = None,
    override: Override | None = None,
    wait_seconds: Wait = WAITED_SECONDS,
) -> RunsView:
    """Run tests on an agent, as it is or as it might be. Runs no tools, rings nobody, costs LLM use."""
    if test_ids is None:
        attached = (await api.send(GetAgent(agent_id=agent_id))).platform_settings.testing.attached_tests
        tests: list[Json] = [one.model_dump(mode="json", exclude_unset=True) for one in attached]
    else:
        tests = [{"test_id": id} for id in test_ids]
    if not tests:
        raise ToolError("No test to run: give test_ids, or attach tests with test_ids of update_agent.")
    body: Json = {"agent_id": agent_id, "tests": tests}
    if override is not None:
        body["agent_config_override"] = {"conversation_config": {}, "platform_settings": {}} | override
    asked = await api.send(RunAgentTests.model_validate(body))
    return RunsView.of(await _finished(api, asked, wait_seconds))


@TOOLS.tool(ListInvocations, title="List test invocations", default=False)
async def list_test_invocations(
    api: PlatformApi,
    agent_id: Agent,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Invocations:
    """List what was run on an agent, newest first, with how many tests passed and failed."""
    page = await api.send(ListInvocations(agent_id=agent_id, page_size=page_size, cursor=cursor))
    return Invocations(
        invocations=[InvocationLine.of(row) for row in page.results],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@TOOLS.tool(GetInvocation, title="Get test invocation", parts=True, words="pass passed result results ergebnis")
async def get_test_invocation(api: PlatformApi, invocation_id: InvocationRef) -> RunsView:
    """Show the results of a test run: reply, result and reason of each test. Call it again while some are pending."""
    return RunsView.of(await api.send(GetInvocation(test_invocation_id=invocation_id)))


@TOOLS.tool(
    ResubmitInvocation,
    GetInvocation,
    title="Run tests again",
    long=True,
    default=False,
    words="again rerun failed repeat",
)
async def resubmit_test_invocation(
    api: PlatformApi,
    invocation_id: InvocationRef,
    run_ids: Annotated[list[str] | None, Field(max_length=100, description="Left out: those that failed.")] = None,
    override: Override | None = None,
) -> RunsView:
    """Run tests of an invocation again, in its place. Their former results are lost; costs LLM use."""
    found = await api.send(GetInvocation(test_invocation_id=invocation_id))
    chosen = run_ids or [one.test_run_id for one in found.test_runs if one.status == "failed"]
    if not chosen or not found.test_runs:
        raise ToolError("No run of this invocation failed. Give run_ids to repeat others.")
    agent_id = found.agent_id or found.test_runs[0].agent_id
    body: Json = {"test_invocation_id": invocation_id, "agent_id": agent_id, "test_run_ids": chosen}
    if override is not None:
        body["agent_config_override"] = {"conversation_config": {}, "platform_settings": {}} | override
    await api.send(ResubmitInvocation.model_validate(body))
    again = await api.send(GetInvocation(test_invocation_id=invocation_id))
    return RunsView.of(await _finished(api, again, WAITED_SECONDS))


@TOOLS.preview(DeleteAgentTest)
async def _what_would_go(api: ApiClient, op: DeleteAgentTest) -> str:
    found = await api.send(GetAgentTest(test_id=op.test_id))
    return f"Delete test {short(found.name)!r} ({op.test_id}) for good."


@TOOLS.preview(UpdateAgentTest)
async def _what_would_change(api: ApiClient, op: UpdateAgentTest) -> str:
    found = await api.send(GetAgentTest(test_id=op.test_id))
    return f"Change test {short(found.name)!r} ({op.test_id})."


@TOOLS.preview(RunAgentTests)
async def _what_would_be_run(api: ApiClient, op: RunAgentTests) -> str:
    return f"Run {_tests(len(op.tests))} on {await _agent(api, op.agent_id)}{_as_it_might_be(op)}."


@TOOLS.preview(ResubmitInvocation)
async def _what_would_be_run_again(api: ApiClient, op: ResubmitInvocation) -> str:
    said = f"Run {_tests(len(op.test_run_ids))} of {op.test_invocation_id} again"
    return f"{said} on {await _agent(api, op.agent_id)}{_as_it_might_be(op)}."


def _tests(number: int) -> str:
    return "1 test" if number == 1 else f"{number} tests"


async def _agent(api: ApiClient, agent_id: str) -> str:
    agent = await api.send(GetAgent(agent_id=agent_id))
    return f"agent {short(agent.name)!r} ({agent_id})"


def _as_it_might_be(op: RunAgentTests | ResubmitInvocation) -> str:
    return f", with an unsaved configuration: {changed_fields(op)}" if op.agent_config_override else ""


async def _finished(api: Api, asked: Invocation, seconds: int) -> Invocation:
    """The invocation, when no test is pending or the time is over; get_test_invocation then reads it again."""
    found, pause = asked, FIRST_POLL
    with anyio.move_on_after(seconds):
        while any(one.status == "pending" for one in found.test_runs):
            await anyio.sleep(pause)
            pause = min(pause * 2, LONGEST_POLL)
            found = await api.send(GetInvocation(test_invocation_id=asked.id))
    return found


def _line(test: AgentTestSummary) -> TestLine:
    return TestLine(
        test_id=test.id, name=short(test.name), type=test.type, updated_at_unix_secs=test.last_updated_at_unix_secs
    )


def _changes(
    name: str | None,
    history: list[str] | None,
    condition: str | None,
    good: list[str] | None,
    bad: list[str] | None,
    tool: Json | None,
    arguments: Json | None,
    must_not_call: bool | None,
    variables: Json | None,
    old: Json | None = None,
) -> Json:
    """The fields of the REST body that the arguments set. `old`: the tool check as it stands."""
    body: Json = {"name": name, "success_condition": condition, "dynamic_variables": variables}
    body["chat_history"] = None if history is None else [_turn(line, at) for at, line in enumerate(history)]
    for field, label, replies in (("success_examples", "success", good), ("failure_examples", "failure", bad)):
        body[field] = None if replies is None else [{"response": said, "type": label} for said in replies]
    if condition is not None:
        body["type"] = "llm"
    if tool is not None or arguments is not None or must_not_call is not None:
        check = dict(old or {})
        if tool is not None:
            check["referenced_tool"] = tool
        if arguments is not None:
            check["parameters"] = [_expected(path, value) for path, value in arguments.items()]
        if must_not_call is not None:
            check["verify_absence"] = must_not_call
        body |= {"type": "tool", "tool_call_parameters": check}
    return {key: value for key, value in body.items() if value is not None}


async def _referenced(api: Api, tool: str | None) -> Json | None:
    """The tool that a test names, with its type: stored tools have one, and other names are client or system tools."""
    if tool is None:
        return None
    if tool.startswith("tool_"):
        stored = await api.send(GetTool(tool_id=tool))
        return {"id": tool, "type": str(getattr(stored.tool_config, "type", "webhook"))}
    return {"id": tool, "type": "system" if tool in SYSTEM_TOOLS else "client"}


def _beside(config: Json | None, flat: Json, *, only_flat: bool = False) -> Json:
    """`flat` with the other fields of `config`. Raises ToolError if both set the same field."""
    body = deepcopy(config or {})
    for name, value in flat.items():
        put(body, (name,), value, _SAID_AS.get(name, name))
    return flat if only_flat else body


def _turn(line: str, at: int) -> Json:
    role, colon, said = line.partition(":")
    if not colon or role.strip() not in ("user", "agent") or not said.strip():
        raise ToolError(f"history[{at}] must begin with 'user:' or 'agent:' and say something.")
    return {"role": role.strip(), "message": said.strip(), "time_in_call_secs": at}


def _expected(path: str, check: Any) -> Json:
    """The check of a parameter: `{exact: v}`, `{regex: p}`, `{llm: d}`, or `anything` for any value."""
    if check == "anything":
        return {"path": path, "eval": {"type": "anything"}}
    match check:
        case {**one} if len(one) == 1 and (kind := next(iter(one))) in _CHECKS:
            return {"path": path, "eval": {"type": kind, _CHECKS[kind]: str(one[kind])}}
        case _:
            raise ToolError(f"arguments.{path} must be {{exact: …}}, {{regex: …}}, {{llm: …}} or 'anything'.")


@undoes(UpdateAgentTest, reads=GetAgentTest, sends=UpdateAgentTest)
def _tested_as_before(past: Past) -> UpdateAgentTest:
    past.inverse()  # refuses values that were changed again since; a test is written whole
    return UpdateAgentTest.model_validate(
        {k: v for k, v in past.before.items() if k != "id"} | {"test_id": past.target}
    )


@undoes(DeleteAgentTest, reads=GetAgentTest, sends=CreateAgentTest)
def _made_again(past: Past) -> CreateAgentTest:
    return CreateAgentTest.model_validate({k: v for k, v in past.before.items() if k != "id"})
