"""Tools that are stored on their own, so that several agents can use them."""

from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import ModelWrapValidatorHandler, PrivateAttr, model_validator

from .agent.prompt import InlineTool
from .agent.system_tools import SystemTool
from .agent.tools import ClientTool, ExecutionMode, ToolSound, ToolSoundBehavior, WebhookRequest, WebhookTool
from .agent.variables import Assignment, DynamicVariables
from .common import (
    AccessInfo,
    Cursor,
    Empty,
    Maybe,
    MaybeSecret,
    OneOf,
    PageSize,
    Scalar,
    ToolId,
    Unknown,
    VariableLocator,
    Variant,
    Wire,
)
from .dependents import DependentAgentPage
from .guards import ASSIGNMENTS, WEBHOOKS, inward, outward
from .operation import Operation
from .tool_dialect import normalise_tool

R = TypeVar("R", covariant=True)

GUARDED = (
    *outward(*WEBHOOKS, "tool_config.dynamic_variables.dynamic_variable_placeholders.*", "**.transfers"),
    *inward(ASSIGNMENTS),
)


class LiteralOverride(Wire):
    """What is different about one plain value."""

    description: str | None = None
    dynamic_variable: str | None = None
    constant_value: Scalar | None = None


class QueryOverride(Wire):
    """What is different about the query string."""

    properties: dict[str, LiteralOverride] | None = None
    required: list[str] | None = None


class ObjectOverride(Wire):
    """What is different about an object."""

    description: str | None = None
    properties: "dict[str, LiteralOverride | ObjectOverride] | None" = None
    required: list[str] | None = None


class IntegrationOverrides(Wire):
    """What a tool of an integration sends differently from the integration's own request."""

    path_params_schema: dict[str, LiteralOverride] | None = None
    query_params_schema: QueryOverride | None = None
    request_body_schema: ObjectOverride | None = None
    request_headers: dict[str, MaybeSecret | VariableLocator] | None = None


class IntegrationTool(Variant):
    """A tool that calls a service which the platform itself integrates; read, never written, here."""

    type: Literal["api_integration_webhook"]
    name: str
    description: str
    response_timeout_secs: int
    disable_interruptions: bool
    force_pre_tool_speech: bool
    assignments: list[Assignment]
    tool_call_sound: ToolSound | None
    tool_call_sound_behavior: ToolSoundBehavior
    dynamic_variables: DynamicVariables
    execution_mode: ExecutionMode
    tool_version: str
    api_integration_id: str
    api_integration_connection_id: str
    api_schema_overrides: IntegrationOverrides | None
    base_api_schema: WebhookRequest


StoredToolConfig = Annotated[WebhookTool | ClientTool | SystemTool | IntegrationTool | Unknown, OneOf("type")]


class ToolUsage(Wire):
    """How often the tool was called, and how long it took. Seconds."""

    total_calls: Maybe[int] = None
    avg_latency_secs: float


class StoredTool(Wire):
    """A tool in full."""

    id: str
    tool_config: StoredToolConfig
    access_info: AccessInfo
    usage_stats: ToolUsage


class StoredToolPage(Wire):
    """Tools; all of them where there is no cursor."""

    tools: list[StoredTool]
    # the newest clients do not read a list without these two
    has_more: Maybe[bool] = None
    next_cursor: str | None = None


class ToolWrite(Operation[R]):
    """A request with a tool, which is brought to its one spelling first (see `tool_dialect`)."""

    _warnings: list[str] = PrivateAttr(default_factory=list)

    tool_config: InlineTool

    @property
    def warnings(self) -> list[str]:
        """What was written differently or cannot work, in words for the person who wrote it."""
        return self._warnings

    @model_validator(mode="wrap")
    @classmethod
    def _normalise(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        warnings: list[str] = []
        if isinstance(data, dict) and "tool_config" in data:
            given = cast(dict[str, Any], data)
            config, warnings = normalise_tool(given["tool_config"])
            data = given | {"tool_config": config}
        request = handler(data)
        request._warnings = warnings
        return request


class CreateTool(ToolWrite[StoredTool], method="POST", path="/v1/convai/tools", guarded=GUARDED):
    """Store a tool."""


class ListTools(Operation[StoredToolPage], method="GET", path="/v1/convai/tools"):
    """List the tools of the workspace."""


class GetTool(Operation[StoredTool], method="GET", path="/v1/convai/tools/{tool_id}"):
    """Read a tool."""

    tool_id: ToolId


class UpdateTool(
    ToolWrite[StoredTool], method="PATCH", path="/v1/convai/tools/{tool_id}", guarded=GUARDED, replaces=("tool_config",)
):
    """Replace a tool, for every agent that uses it."""

    tool_id: ToolId


class DeleteTool(Operation[Empty], method="DELETE", path="/v1/convai/tools/{tool_id}"):
    """Delete a tool for good; refused while agents or tests use it."""

    tool_id: ToolId


class ListToolDependents(
    Operation[DependentAgentPage], method="GET", path="/v1/convai/tools/{tool_id}/dependent-agents"
):
    """List the agents that use a tool."""

    tool_id: ToolId
    cursor: Cursor | None = None
    page_size: PageSize = 30
