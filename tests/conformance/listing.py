"""Fixtures about lists and their schemas: headers, JSON Schema 2020-12, changes, completions."""

from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import Completion
from pydantic import Field

from callwright.surface import Entry

RAW = Entry(
    module="tests.conformance.listing",
    toolset="conformance",
    effect="read",
    default=True,
    long=False,
    words="",
    operations=[],
    tool={
        "name": "json_schema_2020_12_tool",
        "description": "Is listed with a schema as rich as JSON Schema 2020-12 allows; nobody calls it.",
        "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
                }
            },
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": False,
        },
    },
)
"""A tool of the published surface, so that the product's own way from file to list is what the suite sees."""


async def x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    return f"Region: {region}"


async def trigger_tool_change(ctx: Context[Any]) -> str:
    await ctx.notify_tools_changed()
    return "Said that the tools changed"


async def trigger_prompt_change(ctx: Context[Any]) -> str:
    await ctx.notify_prompts_changed()
    return "Said that the prompts changed"


async def _no_suggestions(ref: Any, argument: Any, context: Any) -> Completion:
    del ref, argument, context
    return Completion(values=[], total=0, has_more=False)


TOOLS: dict[str, Any] = {
    "test_x_mcp_header": x_mcp_header,
    "test_trigger_tool_change": trigger_tool_change,
    "test_trigger_prompt_change": trigger_prompt_change,
}


def add(server: MCPServer[Any]) -> None:
    server.completion()(_no_suggestions)
