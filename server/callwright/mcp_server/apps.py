"""The view of a conversation or a test run, for hosts that show MCP Apps. The tools' texts stand alone without it."""

from importlib.resources import files
from typing import Any

from mcp.server.extension import Extension
from mcp.server.mcpserver.tools import Tool

URI = "ui://callwright/view.html"
MIME_TYPE = "text/html;profile=mcp-app"
META: dict[str, Any] = {"ui": {"prefersBorder": True, "csp": {"connectDomains": [], "resourceDomains": []}}}
"""It fetches nothing from anywhere."""
SHOWN = frozenset(
    {
        "get_conversation",
        "simulate_conversation",
        "run_agent_tests",
        "get_test_invocation",
        "resubmit_test_invocation",
    }
)
"""Tools whose results it shows."""


class Apps(Extension):
    """Announces the extension; the view itself is read as every resource is, when a host first asks."""

    identifier = "io.modelcontextprotocol/ui"


def stamped(tool: Tool) -> Tool:
    """With the mark by which a host finds the view of this tool's results."""
    if tool.name in SHOWN:
        tool.meta = (tool.meta or {}) | {"ui": {"resourceUri": URI}}
    return tool


def page() -> str:
    return files("callwright.mcp_server").joinpath("view.html").read_text(encoding="utf-8")
