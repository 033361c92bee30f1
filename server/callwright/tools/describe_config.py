"""Any part of the large documents, on demand: their schema is never in the tool list."""

from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from ..contract.describe import Described, NoSuchPart, describe
from .text import short
from .views import View

_KINDS = "agent, tool, test, mcp_server or workspace"


class FieldLine(View):
    name: str
    type: str
    meaning: str | None = None
    allowed: list[str] | None = None
    others_allowed: bool | None = None
    """Whether values besides `allowed` are accepted."""
    range: str | None = None
    required: bool | None = None
    parts: list[str] | None = None


class ConfigPart(View):
    path: str
    type: str
    meaning: str | None = None
    fields: list[FieldLine]


async def describe_config(
    path: Annotated[
        str, Field(max_length=300, description="Dotted part, as conversation_config.tts; empty: all.")
    ] = "",
    kind: Annotated[
        str, Field(pattern="^(agent|tool|test|mcp_server|workspace)$", description=f"Whose: {_KINDS}.")
    ] = "agent",
) -> ConfigPart:
    """Tell which fields a part of a configuration has, with types, ranges and allowed values. Before writing config."""
    model, above = _document(kind)
    try:
        part = describe(model, ".".join(filter(None, (above, path))))
    except NoSuchPart as exc:
        at = exc.at.removeprefix(above).lstrip(".") or f"the {kind}"
        raise ToolError(f"{at} has no part {exc.name!r}; it has: {', '.join(exc.known) or 'none'}.") from None
    return ConfigPart(
        path=path, type=part.type, meaning=part.meaning or None, fields=[_line(field) for field in part.fields]
    )


def _document(kind: str) -> tuple[type[BaseModel], str]:
    """The request that carries such a document, and where in it the document stands. Imported only when asked for."""
    match kind:
        case "tool":
            from ..contract.agent_tools import CreateTool

            return CreateTool, "tool_config"
        case "test":
            from ..contract.agent_tests import CreateAgentTest

            return CreateAgentTest, ""
        case "mcp_server":
            from ..contract.mcp_servers import CreateMcpServer

            return CreateMcpServer, "config"
        case "workspace":
            from ..contract.workspace import UpdateWorkspaceSettings

            return UpdateWorkspaceSettings, ""
        case _:
            from ..contract.agents import CreateAgent

            return CreateAgent, ""


def _line(field: Described) -> FieldLine:
    return FieldLine(
        name=field.name,
        type=field.type,
        meaning=short(field.meaning, 200) or None,
        allowed=list(field.allowed) or None,
        others_allowed=not field.closed if field.allowed else None,
        range=field.range or None,
        required=field.required or None,
        parts=list(field.parts) or None,
    )
