"""MCP servers whose tools agents may call, and who must approve a call."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .agent.tools import AuthConnectionLocator, ExecutionMode, ToolSound, ToolSoundBehavior
from .agent.variables import Assignment
from .agent_tests import ParameterCheck
from .common import (
    AccessInfo,
    Empty,
    EnvironmentLocator,
    HeaderValue,
    Known,
    Limits,
    Maybe,
    MaybeSecret,
    McpServerId,
    OneOf,
    Scalar,
    SecretLocator,
    Unknown,
    VariableLocator,
    Variant,
    Wire,
    Worded,
    WriteOnly,
)
from .dependents import AgentDependent
from .guards import inward, outward
from .operation import Operation, Query

ApprovalPolicy = Annotated[str, Known("auto_approve_all", "require_approval_all", "require_approval_per_tool")]
ToolApprovalPolicy = Annotated[str, Known("auto_approved", "requires_approval")]
PreToolSpeech = Annotated[str, Known("auto", "force", "off")]
InterruptionMode = Annotated[str, Known("allow", "disable_during_tool", "disable_during_tool_and_turn")]
SoundOrOff = Annotated[str, Known("typing", "elevator1", "elevator2", "elevator3", "elevator4", "off")]
CallTimeout = Annotated[int, Limits(ge=5, le=300, source="published with the later operations")]
"""Seconds."""
McpToolName = Annotated[str, StringConstraints(pattern=r"^[^/\\?#%\x00-\x20]{1,256}$")]
"""The name of a tool in a path; what its server calls it, as far as a path can carry that."""
SentValue = Annotated[
    MaybeSecret | SecretLocator | VariableLocator | EnvironmentLocator,
    Worded('Must be a text, {"secret_id": "..."}, {"variable_name": "..."} or {"env_var_label": "..."}'),
]
MetaValue = Annotated[
    MaybeSecret | float | int | bool | SecretLocator | VariableLocator | EnvironmentLocator,
    Worded('Must be plain, {"secret_id": "..."}, {"variable_name": "..."} or {"env_var_label": "..."}'),
]


class ToolApproval(Wire):
    """What was decided about one tool; the hash changes when the tool does, and the decision is void then."""

    tool_name: str
    tool_hash: str
    approval_policy: Maybe[ToolApprovalPolicy] = None


class UserSecret(Wire):
    """A secret of the user, encrypted by the platform."""

    id: str
    name: str
    encrypted_value: WriteOnly
    nonce: str


class McpServerConfig(Wire):
    """How a server is reached and what agents may do with it."""

    approval_policy: Maybe[ApprovalPolicy] = None
    tool_approval_hashes: list[ToolApproval] = []
    transport: Maybe[Annotated[str, Known("SSE", "STREAMABLE_HTTP")]] = None
    url: Annotated[str | SecretLocator, Worded('Must be a URL or {"secret_id": "..."}')]
    secret_token: Annotated[SecretLocator | UserSecret, Worded('Must be {"secret_id": "..."}')] | None = None
    """Sent as bearer token."""
    request_headers: dict[str, HeaderValue] = {}
    """A variable here is published for updates alone; a server that has one is answered with it."""
    name: str
    description: Maybe[str] = None
    force_pre_tool_speech: Maybe[bool] = None
    disable_interruptions: Maybe[bool] = None


class McpServerMetadata(Wire):
    """When the server was added (Unix seconds), and by whom."""

    created_at: int
    owner_user_id: str | None = None


class McpServer(Wire):
    """An MCP server. Settings and tool configurations that only newer platforms answer with are kept as they come."""

    id: str
    config: McpServerConfig
    access_info: AccessInfo | None = None
    dependent_agents: list[AgentDependent] = []
    metadata: McpServerMetadata


class McpServerList(Wire):
    """All MCP servers of the workspace."""

    mcp_servers: list[McpServer]


class CreateMcpServer(
    Operation[McpServer],
    method="POST",
    path="/v1/convai/mcp-servers",
    guarded=(
        *outward("config.url", "config.secret_token", "config.request_headers"),
        *inward("config.approval_policy", "config.tool_approval_hashes"),
    ),
):
    """Add a server."""

    config: McpServerConfig


class ListMcpServers(Operation[McpServerList], method="GET", path="/v1/convai/mcp-servers"):
    """List all servers."""


class GetMcpServer(Operation[McpServer], method="GET", path="/v1/convai/mcp-servers/{mcp_server_id}"):
    """Read a server."""

    mcp_server_id: McpServerId


class UpdateMcpServer(
    Operation[McpServer],
    method="PATCH",
    path="/v1/convai/mcp-servers/{mcp_server_id}",
    within="config",
    guarded=(
        *inward("approval_policy"),
        *outward("request_headers", "request_meta", "secret_token", "auth_connection"),
    ),
    replaces=("request_headers", "request_meta"),
):
    """Change how a server is called; its URL stays."""

    mcp_server_id: McpServerId
    approval_policy: ApprovalPolicy | None = None
    force_pre_tool_speech: bool | None = None
    pre_tool_speech: PreToolSpeech | None = None
    disable_interruptions: bool | None = None
    interruption_mode: InterruptionMode | None = None
    tool_call_sound: ToolSound | None = None
    tool_call_sound_behavior: ToolSoundBehavior | None = None
    execution_mode: ExecutionMode | None = None
    response_timeout_secs: CallTimeout | None = None
    request_headers: dict[str, SentValue] | None = None
    request_meta: dict[str, MetaValue] | None = None
    """Sent with every call, beside its arguments."""
    disable_compression: bool | None = None
    secret_token: SecretLocator | None = None
    auth_connection: (
        Annotated[
            AuthConnectionLocator | EnvironmentLocator,
            Worded('Must be {"auth_connection_id": "..."} or {"env_var_label": "..."}'),
        ]
        | None
    ) = None


class DeleteMcpServer(Operation[Empty], method="DELETE", path="/v1/convai/mcp-servers/{mcp_server_id}"):
    """Take a server out for good; refused while agents use it."""

    mcp_server_id: McpServerId


class UpdateMcpApprovalPolicy(
    Operation[McpServer],
    method="PATCH",
    path="/v1/convai/mcp-servers/{mcp_server_id}/approval-policy",
    within="config",
    guarded=inward("approval_policy"),
):
    """Choose who must approve calls of a server's tools."""

    mcp_server_id: McpServerId
    approval_policy: ApprovalPolicy


class CreateMcpToolApproval(
    Operation[McpServer],
    method="POST",
    path="/v1/convai/mcp-servers/{mcp_server_id}/tool-approvals",
    guarded=outward("tool_name"),
):
    """Decide about one tool, as it is now: name, description and schema are hashed into the decision."""

    mcp_server_id: McpServerId
    tool_name: str
    tool_description: str
    input_schema: dict[str, object] = {}
    approval_policy: Maybe[ToolApprovalPolicy] = None


class DeleteMcpToolApproval(
    Operation[McpServer],
    method="DELETE",
    path="/v1/convai/mcp-servers/{mcp_server_id}/tool-approvals/{tool_name}",
):
    """Take back what was decided about one tool."""

    mcp_server_id: McpServerId
    tool_name: McpToolName


class McpToolHints(Wire):
    """What a server says about a tool, for what its word is worth."""

    title: str | None = None
    readOnlyHint: bool | None = None
    destructiveHint: bool | None = None
    idempotentHint: bool | None = None
    openWorldHint: bool | None = None


class McpTool(Wire):
    """A tool as its server lists it, spelt as MCP spells it."""

    name: str
    title: str | None = None
    description: str | None = None
    inputSchema: dict[str, object]
    outputSchema: dict[str, object] | None = None
    annotations: McpToolHints | None = None
    meta: dict[str, object] | None = Field(default=None, alias="_meta")


class McpToolList(Wire):
    """The tools of a server, or why it could not be asked."""

    success: bool
    tools: list[McpTool]
    error_message: str | None = None


class ListMcpTools(Operation[McpToolList], method="GET", path="/v1/convai/mcp-servers/{mcp_server_id}/tools"):
    """Ask a server for its tools."""

    mcp_server_id: McpServerId


class FixedInput(Variant):
    """Always this value."""

    source: Literal["constant"] = "constant"
    constant_value: Scalar | list[object] | dict[str, object] | None


class VariableInput(Variant):
    """The value of a dynamic variable."""

    source: Literal["dynamic_variable"] = "dynamic_variable"
    dynamic_variable: Annotated[str, Field(min_length=1)]


class ModelInput(Variant):
    """Filled by the model, told so by this prompt instead of the server's description."""

    source: Literal["llm"] = "llm"
    prompt: str | None = None


class OmittedInput(Variant):
    """Left out of every call."""

    source: Literal["omit"] = "omit"


InputOverride = Annotated[FixedInput | VariableInput | ModelInput | OmittedInput | Unknown, OneOf("source")]


class ToolMockRule(Wire):
    """What the tool answers in a rehearsal when its arguments are like this."""

    parameter_conditions: list[ParameterCheck] = []
    mock_result: str
    is_error: bool = False


class McpToolConfig(Wire):
    """How one tool of a server is called; null leaves it as the server's settings have it."""

    tool_name: str
    force_pre_tool_speech: bool | None = None
    pre_tool_speech: PreToolSpeech | None = None
    disable_interruptions: bool | None = None
    interruption_mode: InterruptionMode | None = None
    tool_call_sound: SoundOrOff | None = None
    tool_call_sound_behavior: ToolSoundBehavior | None = None
    execution_mode: ExecutionMode | None = None
    response_timeout_secs: CallTimeout | None = None
    assignments: list[Assignment] = []
    input_overrides: dict[str, InputOverride] | None = None
    """By the name of the argument."""
    response_mocks: list[ToolMockRule] | None = None


class McpToolConfigWrite(Operation[McpServer]):
    """What can be set about one tool of a server."""

    mcp_server_id: McpServerId
    environment: Annotated[str, Query()] = "production"
    force_pre_tool_speech: bool | None = None
    pre_tool_speech: PreToolSpeech | None = None
    disable_interruptions: bool | None = None
    interruption_mode: InterruptionMode | None = None
    tool_call_sound: SoundOrOff | None = None
    tool_call_sound_behavior: ToolSoundBehavior | None = None
    execution_mode: ExecutionMode | None = None
    response_timeout_secs: CallTimeout | None = None
    assignments: list[Assignment] | None = None
    input_overrides: dict[str, InputOverride] | None = None
    """By the name of the argument."""
    response_mocks: list[ToolMockRule] | None = None


TOOL_CONFIG_GUARDED = (*outward("input_overrides"), *inward("assignments"))
"""What is sent with each call of an approved tool whatever the model says, and what becomes of its answer."""


class CreateMcpToolConfig(
    McpToolConfigWrite,
    method="POST",
    path="/v1/convai/mcp-servers/{mcp_server_id}/tool-configs",
    guarded=TOOL_CONFIG_GUARDED,
):
    """Set how one tool of a server is called."""

    tool_name: str


class GetMcpToolConfig(
    Operation[McpToolConfig], method="GET", path="/v1/convai/mcp-servers/{mcp_server_id}/tool-configs/{tool_name}"
):
    """Read how one tool of a server is called."""

    mcp_server_id: McpServerId
    tool_name: McpToolName


class UpdateMcpToolConfig(
    McpToolConfigWrite,
    method="PATCH",
    path="/v1/convai/mcp-servers/{mcp_server_id}/tool-configs/{tool_name}",
    guarded=TOOL_CONFIG_GUARDED,
):
    """Change how one tool of a server is called; what is left out stays."""

    tool_name: McpToolName


class DeleteMcpToolConfig(
    Operation[McpServer], method="DELETE", path="/v1/convai/mcp-servers/{mcp_server_id}/tool-configs/{tool_name}"
):
    """Let one tool be called as the server's settings have it."""

    mcp_server_id: McpServerId
    tool_name: McpToolName
