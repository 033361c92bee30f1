"""`callwright call`: one tool call from a shell, through an MCP server in the same process."""

import json
import math
import sys
from dataclasses import replace
from importlib import import_module
from typing import Any, Literal, get_type_hints

import anyio
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from ..app import App
from ..approval.refusal import asks, facts_of
from ..mcp_server.server import build_server
from ..secrecy import has_secret_argument
from ..surface import built

DONE, FAILED, NEEDS_APPROVAL = 0, 1, 3


def call_tool(
    app: App, tool: str, arguments: dict[str, Any], form: Literal["text", "json"], *, ask: bool
) -> tuple[int, str]:
    """Exit status and output. `ask`: a person at the terminal can answer questions."""
    result = anyio.run(_call, app, tool, arguments, ask)
    facts = facts_of(result) or result.structured_content
    code = DONE
    if result.is_error:
        code = NEEDS_APPROVAL if asks(result) else FAILED
    text = "\n".join(block.text for block in result.content if block.type == "text")
    if form == "json":
        return code, json.dumps(facts if facts is not None else {"error": text}, ensure_ascii=False, indent=2)
    return code, text


def secret_argument(tool: str, arguments: dict[str, Any]) -> str | None:
    """The first argument that holds a secret: by its type, or by a field name in it such as `password`."""
    entry = next((entry for entry in built() if entry["tool"]["name"] == tool), None)
    if entry is None:
        return None
    hints = get_type_hints(import_module(entry["module"]).TOOLS.specs[tool].fn)
    for name, value in arguments.items():
        if "SecretStr" in str(hints.get(name)) or (isinstance(value, dict) and has_secret_argument(json.dumps(value))):
            return name
    return None


async def _call(app: App, tool: str, arguments: dict[str, Any], ask: bool) -> CallToolResult:
    app = replace(app, patience=math.inf)  # this process ends with the answer, so a task could not be read later
    async with Client(build_server(app), elicitation_callback=_at_terminal if ask else None) as client:
        try:
            return await client.call_tool(tool, arguments)
        except MCPError as exc:  # an unknown tool is an error of the protocol, not of a tool
            return CallToolResult(content=[TextContent(text=exc.message)], is_error=True)


async def _at_terminal(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    del context  # the SDK passes it by name
    sys.stderr.write(f"{params.message}\nGo ahead? [y/N] ")
    sys.stderr.flush()
    answer = await anyio.to_thread.run_sync(sys.stdin.readline)
    if answer.strip().lower() in ("y", "yes"):
        return ElicitResult(action="accept", content={"approve": True})
    return ElicitResult(action="decline")
