"""Tools that an agent called, and what came of it."""

from typing import Annotated, Literal

from ..common import Known, Maybe, OneOf, Unknown, Variant, Wire
from .system_results import SystemResult


class WebhookCall(Variant):
    """The request that was made."""

    type: Literal["webhook"] = "webhook"
    method: str
    url: str
    headers: dict[str, str] = {}
    path_params: dict[str, str] = {}
    query_params: dict[str, str] = {}
    body: str | None = None


class ClientCall(Variant):
    """What the client was asked."""

    type: Literal["client"] = "client"
    parameters: str


class McpCall(Variant):
    """What an MCP server was asked."""

    type: Literal["mcp"] = "mcp"
    mcp_server_id: str
    mcp_server_name: str
    integration_type: str
    parameters: dict[str, str] = {}
    approval_policy: str
    requires_approval: Maybe[bool] = None
    mcp_tool_name: Maybe[str] = None
    mcp_tool_description: Maybe[str] = None


CallDetails = Annotated[WebhookCall | ClientCall | McpCall | Unknown, OneOf("type")]


ToolKind = Annotated[
    str, Known("system", "webhook", "client", "mcp", "workflow", "api_integration_webhook", "api_integration_mcp")
]


class ToolCall(Wire):
    """A tool that the model wants called."""

    type: ToolKind | None = None
    request_id: str
    tool_name: str
    params_as_json: str
    """The arguments, as the model wrote them."""
    tool_has_been_called: bool
    """False while it waits for approval or for its client."""
    tool_details: CallDetails | None = None


class VariableUpdate(Wire):
    """A variable that a tool changed."""

    variable_name: str
    old_value: str | None
    new_value: str
    updated_at: float
    tool_name: str
    tool_request_id: str


class ToolResult(Wire):
    """What a webhook, client or MCP tool answered."""

    request_id: str
    tool_name: str
    result_value: str
    is_error: bool
    tool_has_been_called: bool
    tool_latency_secs: Maybe[float] = None
    dynamic_variable_updates: list[VariableUpdate] = []
    type: Annotated[str, Known("client", "webhook", "mcp", "api_integration_webhook")] | None = None


class SystemToolResult(Variant):
    """What a system tool did."""

    request_id: str
    tool_name: str
    result_value: str
    is_error: bool
    tool_has_been_called: bool
    tool_latency_secs: Maybe[float] = None
    dynamic_variable_updates: list[VariableUpdate] = []
    type: Literal["system"]
    result: SystemResult | None = None


class WorkflowResult(Variant):
    """How the conversation moved through the workflow."""

    request_id: str
    tool_name: str
    result_value: str
    is_error: bool
    tool_has_been_called: bool
    tool_latency_secs: Maybe[float] = None
    dynamic_variable_updates: list[VariableUpdate] = []
    type: Literal["workflow"]
    result: "WorkflowMoves | None" = None


AnyToolResult = Annotated[ToolResult | SystemToolResult | WorkflowResult | Unknown, OneOf("type")]


class WorkflowMoves(Wire):
    """Moves in their order."""

    steps: list["Move"] = []


class EdgeStep(Variant):
    """An edge was taken."""

    step_latency_secs: float
    type: Literal["edge"] = "edge"
    edge_id: str
    target_node_id: str


class ToolsStep(Variant):
    """A tool node ran its tools."""

    step_latency_secs: float
    type: Literal["nested_tools"] = "nested_tools"
    node_id: str
    requests: list[ToolCall]
    results: list[AnyToolResult]
    is_successful: bool


class TooManySteps(Variant):
    """The workflow went on for too long and was stopped."""

    step_latency_secs: float
    type: Literal["max_iterations_exceeded"] = "max_iterations_exceeded"
    max_iterations: int


Move = Annotated[EdgeStep | ToolsStep | TooManySteps | Unknown, OneOf("type")]
