"""What the conformance suites want to find in a server, added to the product's.

The suites ask for tools, resources and prompts by name (`test_simple_text`, `test://static-text`, ...). They are not
ours, so they stand here; all around them is: factory, middleware, session handling, security, error codes.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import MCPServer

from callwright.app import App
from callwright.mcp_server.server import build_server
from callwright.surface import Entry, built

from . import asking, content, listing, tasks

Tools = dict[str, Callable[..., Awaitable[Any]]]


def server_with_fixtures(app: App) -> MCPServer[Any]:
    """The product's server of `app`, whose surface holds the fixtures too."""
    tools: Tools = {**content.TOOLS, **asking.TOOLS, **listing.TOOLS, **tasks.TOOLS}
    server = build_server(app, [*built(), *(_entry(name) for name in tools), listing.RAW], by_url=True)
    for name, fn in tools.items():
        # Offered by the product like any tool of its own; run by the SDK as a plain function.
        server.remove_tool(name)
        server.add_tool(
            fn, name=name, description=f"Fixture of the conformance suites: {name}.", structured_output=False
        )
    content.add(server)
    asking.add(server)
    listing.add(server)
    return server


def _entry(name: str) -> Entry:
    return Entry(
        module=__name__,
        toolset="conformance",
        effect="read",
        default=True,
        long=name in tasks.LONG,
        words="",
        operations=[],
        tool={"name": name, "inputSchema": {"type": "object"}},
    )
