"""Tools that call a URL or run in the caller's client."""

from typing import Annotated, Literal

from pydantic import Field

from ..common import HeaderValue, Known, Maybe, Variant, Wire
from .tool_schemas import LiteralProperty, ObjectProperty, QueryProperties
from .variables import Assignment, DynamicVariables

ToolSound = Annotated[str, Known("typing", "elevator1", "elevator2", "elevator3", "elevator4")]
ToolSoundBehavior = Annotated[str, Known("auto", "always")]
ExecutionMode = Annotated[str, Known("immediate", "post_tool_speech", "async")]


class AuthConnectionLocator(Wire):
    """A stored login of the workspace."""

    auth_connection_id: str


class WebhookRequest(Wire):
    """The request that a webhook tool makes."""

    url: str
    method: Maybe[Annotated[str, Known("GET", "POST", "PUT", "PATCH", "DELETE")]] = None
    path_params_schema: dict[str, LiteralProperty] = {}
    """By the names in braces in `url`."""
    query_params_schema: QueryProperties | None = None
    request_body_schema: ObjectProperty | None = None
    request_headers: dict[str, HeaderValue] = {}
    auth_connection: AuthConnectionLocator | None = None


class Tool(Variant):
    """What every tool has."""

    name: str
    response_timeout_secs: Maybe[int] = None
    disable_interruptions: Maybe[bool] = None
    force_pre_tool_speech: Maybe[bool] = None
    assignments: list[Assignment] = []
    tool_call_sound: ToolSound | None = None
    tool_call_sound_behavior: Maybe[ToolSoundBehavior] = None


class OuterTool(Tool):
    """What every tool has that the platform does not carry out itself."""

    description: str
    dynamic_variables: DynamicVariables = Field(default_factory=DynamicVariables)
    execution_mode: Maybe[ExecutionMode] = None


class WebhookTool(OuterTool):
    """A tool that calls a URL."""

    type: Literal["webhook"] = "webhook"
    api_schema: WebhookRequest


class ClientTool(OuterTool):
    """A tool that runs in the caller's client."""

    type: Literal["client"] = "client"
    parameters: ObjectProperty | None = None
    expects_response: Maybe[bool] = None
    """Whether the agent waits for what the client answers."""
