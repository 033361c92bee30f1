"""Tool that describes any part of the large documents, because their schema is too big for the tool list."""

from importlib import import_module
from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from ..contract.describe import Described, NoSuchPart, describe
from ..contract.operation import Operation
from ..replies.text import short
from ..replies.views import View

_KINDS = {
    "agent": ("agents", "CreateAgent", ""),
    "tool": ("agent_tools", "CreateTool", "tool_config"),
    "test": ("agent_tests", "CreateAgentTest", ""),
    "simulation": ("agents", "SimulateConversation", ""),
    "call": ("conversation.initiation", "InitiationData", ""),
    "talk": ("talking", "StartConversation", ""),
    "phone_number": ("phone_numbers", "CreatePhoneNumber", ""),
    "mcp_server": ("mcp_servers", "UpdateMcpServer", ""),
    "mcp_tool": ("mcp_servers", "UpdateMcpToolConfig", ""),
    "workspace": ("workspace", "UpdateWorkspaceSettings", ""),
}
"""Name of a kind -> module of the contract, model, and part of the model."""


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
    kind: Annotated[str, Field(pattern=f"^({'|'.join(_KINDS)})$", description=f"{', '.join(_KINDS)}.")] = "agent",
) -> ConfigPart:
    """Tell which fields a part of a configuration has: types, ranges, allowed values. Before writing config."""
    model, above = _document(kind)
    try:
        part = describe(model, ".".join(filter(None, (above, path))))
    except NoSuchPart as exc:
        at = exc.at.removeprefix(above).lstrip(".") or f"the {kind}"
        raise ToolError(f"{at} has no part {exc.name!r}; it has: {', '.join(exc.known) or 'none'}.") from None
    fields, meaning = part.fields, part.meaning
    if not part.path and issubclass(model, Operation):
        # The description of a request is about the call, and ids in its path are arguments of the tool.
        meaning, fields = "", [field for field in fields if model.places()[field.name] != "path"]
    return ConfigPart(path=path, type=part.type, meaning=meaning or None, fields=[_line(field) for field in fields])


def _document(kind: str) -> tuple[type[BaseModel], str]:
    """The model with the fields that a tool's `config` takes, and the path of these in it. Its module is imported here.

    If `config` is a part of a request's body, the whole body is described, so that the paths equal those of errors.
    """
    module, name, above = _KINDS[kind]
    return getattr(import_module(f"callwright.contract.{module}"), name), above


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
