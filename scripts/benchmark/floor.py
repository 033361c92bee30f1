"""The floor: a bare low-level server of the `mcp` package with 76 tools that do nothing."""

import asyncio
from typing import Any

from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
TOOLS = [
    Tool(name=f"tool_{i}", description="A tool that does one thing to one resource.", input_schema=SCHEMA)
    for i in range(76)
]


async def list_tools(_: object, __: object) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


async def call_tool(_: object, __: object) -> CallToolResult:
    return CallToolResult(content=[TextContent(text="ok")])


async def main() -> None:
    server: Server[Any] = Server("floor", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


asyncio.run(main())
