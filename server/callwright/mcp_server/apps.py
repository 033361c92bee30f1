"""MCP Apps extension: an HTML view of a conversation or a test run. Hosts without it show the text of the results."""

from importlib.resources import files
from typing import Any

from mcp.server.extension import Extension
from mcp.server.mcpserver.tools import Tool

URI = "ui://callwright/view.html"
MIME_TYPE = "text/html;profile=mcp-app"
META: dict[str, Any] = {"ui": {"prefersBorder": True, "csp": {"connectDomains": [], "resourceDomains": []}}}
"""Metadata of the view; its content security policy lets it load nothing from the network."""
SHOWN = frozenset(
    {
        "get_conversation",
        "simulate_conversation",
        "run_agent_tests",
        "get_test_invocation",
        "resubmit_test_invocation",
    }
)
"""Tools whose results the view shows."""


class Apps(Extension):
    """Announces the extension; hosts read the view itself as a resource."""

    identifier = "io.modelcontextprotocol/ui"


def stamped(tool: Tool) -> Tool:
    """The tool with the `_meta` entry by which a host finds the view of its results."""
    if tool.name in SHOWN:
        tool.meta = (tool.meta or {}) | {"ui": {"resourceUri": URI}}
    return tool


def page() -> str:
    return files("callwright.mcp_server").joinpath("view.html").read_text(encoding="utf-8")
