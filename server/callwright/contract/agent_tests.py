"""Tests of agents: one next reply, judged by a condition or by the tool that it calls; and their runs."""

from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import Field, model_validator

from .agent.config import ConversationConfig
from .agent.settings import PlatformSettings
from .agent.workflow import Workflow
from .agents import AgentWrite
from .common import (
    AccessInfo,
    AgentId,
    AgentTestId,
    Cursor,
    Empty,
    InvocationId,
    Known,
    Maybe,
    OneOf,
    PageSize,
    Scalar,
    Unknown,
    Variant,
    Wire,
)
from .conversation.analysis import Verdict
from .conversation.tool_calls import ToolKind
from .conversation.transcript import Turn
from .guards import ASSIGNMENTS, PROMPTS, WORKFLOWS, inward, outward
from .operation import Operation

R = TypeVar("R", covariant=True)

AgentTestKind = Annotated[str, Known("llm", "tool")]
"""`llm` judges the next reply by a condition, `tool` looks at the tool that it calls; newer: `simulation`."""
RunStatus = Annotated[str, Known("pending", "passed", "failed")]


class SuccessExample(Variant):
    """A reply that passes."""

    response: str
    type: Literal["success"]


class FailureExample(Variant):
    """A reply that fails."""

    response: str
    type: Literal["failure"]


class JudgedValue(Variant):
    """Passes when the model finds that the value is as described."""

    type: Literal["llm"]
    description: str


class MatchedValue(Variant):
    """Passes when the regular expression is found in the value."""

    type: Literal["regex"]
    pattern: str


class ExactValue(Variant):
    """Passes when the value is this."""

    type: Literal["exact"]
    expected_value: str


class AnyValue(Variant):
    """Passes when there is a value."""

    type: Literal["anything"]


Expectation = Annotated[JudgedValue | MatchedValue | ExactValue | AnyValue | Unknown, OneOf("type")]


class ParameterCheck(Wire):
    """What one parameter of the call must be."""

    eval: Expectation
    path: str
    """Into the arguments, as in `order.lines[0].id`."""


class ReferencedTool(Wire):
    """The tool that must be called."""

    id: str
    type: ToolKind


class ToolCallCheck(Wire):
    """Which tool must be called and how, or must not be."""

    parameters: list[ParameterCheck] = []
    referenced_tool: ReferencedTool | None = None
    verify_absence: Maybe[bool] = None
    """Passes when the tool is not called."""


class OriginalConversation(Wire):
    """The real conversation that the test was made from."""

    conversation_id: str
    agent_id: str
    workflow_node_id: str | None = None
    original_agent_reply: list[Turn] = []


def without_gaps(test: Any) -> Any:
    """Newer platforms and clients leave out what a test of its kind does not need; here every test has all of it.

    A test that is judged by its condition must have one.
    """
    if not isinstance(test, dict):
        return test
    given = cast(dict[str, Any], test)
    judged = given.get("type") in (None, "llm")
    empty: dict[str, Any] = {"chat_history": [], "success_examples": [], "failure_examples": []}
    return empty | ({} if judged else {"success_condition": ""}) | given


class AgentTest(Wire):
    """A test in full."""

    id: str
    name: str
    type: Maybe[AgentTestKind] = None
    """The newest clients do not read a test without it."""
    chat_history: list[Turn]
    success_condition: str
    success_examples: list[SuccessExample]
    failure_examples: list[FailureExample]
    tool_call_parameters: ToolCallCheck | None = None
    dynamic_variables: dict[str, Scalar | None] = {}
    from_conversation_metadata: OriginalConversation | None = None

    _fill = model_validator(mode="before")(without_gaps)


class AgentTestSummary(Wire):
    """A test in a list. Times in Unix seconds."""

    id: str
    name: str
    access_info: AccessInfo | None = None
    created_at_unix_secs: int
    last_updated_at_unix_secs: int
    type: AgentTestKind


class AgentTestPage(Wire):
    """One page of tests."""

    tests: list[AgentTestSummary]
    next_cursor: str | None = None
    has_more: bool


class AgentTestSummaries(Wire):
    """Tests by their ids."""

    tests: dict[str, AgentTestSummary]


class CreatedAgentTest(Wire):
    """The new test's id."""

    id: str


class AgentTestWrite(Operation[R]):
    """A request with a whole test."""

    name: str
    type: Maybe[AgentTestKind] = None
    """`llm` where it is absent."""
    chat_history: list[Turn]
    """What was said before the reply that is tested."""
    success_condition: str
    success_examples: list[SuccessExample]
    failure_examples: list[FailureExample]
    tool_call_parameters: ToolCallCheck | None = None
    dynamic_variables: dict[str, Scalar | None] = {}
    from_conversation_metadata: OriginalConversation | None = None

    _fill = model_validator(mode="before")(without_gaps)


class CreateAgentTest(AgentTestWrite[CreatedAgentTest], method="POST", path="/v1/convai/agent-testing/create"):
    """Make a test."""


class ListAgentTests(Operation[AgentTestPage], method="GET", path="/v1/convai/agent-testing"):
    """Find tests, newest first."""

    cursor: Cursor | None = None
    page_size: PageSize = 30
    search: str | None = None


class GetAgentTest(Operation[AgentTest], method="GET", path="/v1/convai/agent-testing/{test_id}"):
    """Read a test in full."""

    test_id: AgentTestId


class UpdateAgentTest(AgentTestWrite[AgentTest], method="PUT", path="/v1/convai/agent-testing/{test_id}"):
    """Replace a test: what is left out falls back to its default."""

    test_id: AgentTestId


class DeleteAgentTest(Operation[Empty], method="DELETE", path="/v1/convai/agent-testing/{test_id}"):
    """Delete a test for good; its past runs stay."""

    test_id: AgentTestId


class SummariseAgentTests(
    Operation[AgentTestSummaries], method="POST", path="/v1/convai/agent-testing/summaries", effect="read"
):
    """Look tests up by their ids. Changes nothing."""

    test_ids: list[AgentTestId]


class Rationale(Wire):
    """Why a run ended as it did."""

    messages: list[str] = []
    summary: Maybe[str] = None


class ConditionResult(Wire):
    """How the condition was met."""

    result: Verdict
    rationale: Rationale | None = None


class RunMetadata(Wire):
    """Whose run it was."""

    workspace_id: str
    test_name: str
    ran_by_user_email: str
    test_type: Maybe[Annotated[str, Known("llm", "tool_call")]] = None
    """`tool_call` is what a test itself calls `tool`."""


class AgentTestRun(Wire):
    """One test, run once. Time in Unix seconds."""

    test_run_id: str
    test_invocation_id: str
    agent_id: str
    workflow_node_id: str | None = None
    status: RunStatus
    agent_responses: list[Turn] | None = None
    test_id: str
    test_name: Maybe[str] = None
    condition_result: ConditionResult | None = None
    last_updated_at_unix: Maybe[int] = None
    metadata: RunMetadata | None = None


class Invocation(Wire):
    """Tests that were run together. Time in Unix seconds."""

    id: str
    agent_id: str | None = None
    created_at: Maybe[int] = None
    test_runs: list[AgentTestRun]


class InvocationSummary(Wire):
    """An invocation in a list. Time in Unix seconds."""

    id: str
    created_at_unix_secs: int
    test_run_count: int
    passed_count: int
    failed_count: int
    pending_count: int
    cancelled_count: Maybe[int] = None
    """The newest clients do not read an invocation without it."""
    title: str
    access_info: AccessInfo | None = None


class ListMeta(Wire):
    """How long the whole list is."""

    total: int | None = None
    page: int | None = None
    page_size: int | None = None


class InvocationPage(Wire):
    """One page of invocations."""

    meta: ListMeta = Field(default_factory=ListMeta)
    results: list[InvocationSummary]
    next_cursor: str | None = None
    has_more: bool


class ChosenTest(Wire):
    """A test to run, at one node of the agent's workflow where it says so."""

    test_id: str
    workflow_node_id: str | None = None


class AgentConfigOverride(Wire):
    """An agent that is tested without being stored."""

    conversation_config: ConversationConfig
    platform_settings: PlatformSettings
    workflow: Workflow | None = None


OVERRIDE_GUARDED = (
    *outward(*PROMPTS, *WORKFLOWS, "agent_config_override.platform_settings.workspace_overrides"),
    *inward(ASSIGNMENTS),
)


class RunAgentTests(
    AgentWrite[Invocation],
    method="POST",
    path="/v1/convai/agents/{agent_id}/run-tests",
    guarded=OVERRIDE_GUARDED,
):
    """Run tests on an agent, as it is or as it might be; the answer's runs may still be pending."""

    agent_id: AgentId
    tests: list[ChosenTest]
    agent_config_override: AgentConfigOverride | None = None


class ListInvocations(Operation[InvocationPage], method="GET", path="/v1/convai/test-invocations"):
    """List what was run on an agent, newest first."""

    agent_id: AgentId
    page_size: PageSize = 30
    cursor: Cursor | None = None


class GetInvocation(Operation[Invocation], method="GET", path="/v1/convai/test-invocations/{test_invocation_id}"):
    """Read an invocation with all its runs."""

    test_invocation_id: InvocationId


class ResubmitInvocation(
    AgentWrite[Empty],
    method="POST",
    path="/v1/convai/test-invocations/{test_invocation_id}/resubmit",
    guarded=OVERRIDE_GUARDED,
):
    """Run some of an invocation's tests again, in the same invocation."""

    test_invocation_id: InvocationId
    test_run_ids: list[str]
    agent_config_override: AgentConfigOverride | None = None
    agent_id: AgentId
