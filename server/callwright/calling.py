"""`callwright call`: one tool call from a shell, through the same server as over MCP."""

import json
import sys
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult

from .app import App, build_server

DONE, FAILED, NEEDS_APPROVAL = 0, 1, 3


def call_tool(
    app: App, tool: str, arguments: dict[str, Any], form: Literal["text", "json"], *, ask: bool
) -> tuple[int, str]:
    """Exit status and output. `ask`: a person is at the terminal and can be asked there."""
    result = anyio.run(_call, app, tool, arguments, ask)
    facts = result.structured_content
    code = DONE
    if result.is_error:
        code = NEEDS_APPROVAL if isinstance(facts, dict) and "needs_approval" in facts else FAILED
    text = "\n".join(block.text for block in result.content if block.type == "text")
    if form == "json":
        return code, json.dumps(facts if facts is not None else {"error": text}, ensure_ascii=False, indent=2)
    return code, text


async def _call(app: App, tool: str, arguments: dict[str, Any], ask: bool) -> CallToolResult:
    async with Client(build_server(app), elicitation_callback=_at_terminal if ask else None) as client:
        return await client.call_tool(tool, arguments)


async def _at_terminal(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    del context  # the SDK passes it by name
    sys.stderr.write(f"{params.message}\nGo ahead? [y/N] ")
    sys.stderr.flush()
    answer = await anyio.to_thread.run_sync(sys.stdin.readline)
    if answer.strip().lower() in ("y", "yes"):
        return ElicitResult(action="accept", content={"approve": True})
    return ElicitResult(action="decline")
