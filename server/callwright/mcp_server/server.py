"""Build the MCP server of an App: its tools, guides, long calls and middleware."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from mcp.server.caching import CacheHint
from mcp.server.mcpserver.tools import Tool
from mcp.server.request_state import RequestStateSecurity
from mcp.types import Icon

from .. import __version__
from ..accounts.scopes import scopes_of
from ..approval.request_state import name_question
from ..keys import subkey
from ..surface import RUNNERS, Entry, built
from ..tasks.extension import TaskExtension
from ..toolkit.lazy_tool import lazy
from .apps import Apps, stamped
from .client_log import ClientLog
from .guided_server import GuidedServer
from .instructions import ICON, instructions
from .skills import Skills
from .tool_visibility import EVERYDAY, ToolVisibility, chosen, named_prompts, one_page

if TYPE_CHECKING:
    from ..app import App

LIST_SECONDS = 300
_LISTS: tuple[Any, ...] = (
    "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"
)  # fmt: skip
_SAME_FOR_ALL = CacheHint(LIST_SECONDS * 1000, "public")
"""Cache hints of these answers, which are the same for all clients; a filter by principal must set `private`."""


def build_server(
    app: "App", entries: list[Entry] | None = None, *, by_url: bool = False, sessions: bool = True
) -> MCPServer[Any]:
    """The MCP server of `app`. `entries`: replaces the shipped surface in tests. `by_url`: a URL may choose toolsets.

    `sessions`: clients of the older revisions keep a connection, on which they can get notifications.
    """
    surface = built() if entries is None else entries
    search = app.settings.surface == "search"
    tools, middleware = _found(app, surface) if search else _listed(app, surface, by_url=by_url)

    reachable = chosen(surface, _widest(app), app.bounds, app.policy)
    long_calls = _long_calls(app, reachable)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator["App"]:
        try:
            async with long_calls.running(), app.open_conversations.running():
                yield app
        finally:
            await app.close()

    server = GuidedServer(
        app,
        {entry["tool"]["name"] for entry in reachable},
        "callwright",
        title="Callwright",
        description="Builds, rehearses and watches voice agents.",
        version=__version__,
        instructions=instructions(app.settings, app.platform, app.policy.mode),
        icons=[Icon(src=ICON, mime_type="image/svg+xml", sizes=["any"])],
        lifespan=lifespan,
        tools=tools,
        middleware=[one_page, named_prompts, *middleware],
        extensions=[Skills(), Apps(), long_calls],
        cache_hints=dict.fromkeys(_LISTS, _SAME_FOR_ALL),
        request_state_security=RequestStateSecurity(keys=[subkey(app.state_key, "request state")]),
        subscriptions=app.subscriptions,
        log_level="WARNING",
    )
    server.middleware.insert(0, name_question)
    told = ClientLog(app.redactor)
    server.middleware[:0] = [told, app.subscriptions]
    if sessions:
        told.serve(server)
        app.subscriptions.serve(server)
    return server


def _long_calls(app: "App", reachable: list[Entry]) -> TaskExtension:
    long = scopes_of([entry for entry in reachable if entry["long"]])
    return TaskExtension(app, long, scopes_of(reachable).get("get_task"), RUNNERS.values())


def _listed(app: "App", surface: list[Entry], *, by_url: bool) -> tuple[list[Tool], list[ToolVisibility]]:
    """Every offered tool in full, and the middleware that limits a connection by its URL.

    The everyday list, which leaves most of them out, has the tools that find and run these.
    """
    finding: list[Tool] = []
    if app.settings.toolsets == EVERYDAY:
        everyday = [entry["tool"]["name"] for entry in chosen(surface, EVERYDAY, app.bounds, app.policy)]
        finding += _finding(app, surface, everyday)
    offer = ToolVisibility(
        surface, app.settings.toolsets, app.bounds, app.policy, by_url=by_url, beside=[tool.name for tool in finding]
    )
    return [*(stamped(lazy(entry, app.policy)) for entry in offer.tools), *finding], [offer]


def _found(app: "App", surface: list[Entry]) -> tuple[list[Tool], list[ToolVisibility]]:
    """The search surface: only the tools that find and run the others. Their size is constant."""
    return _finding(app, surface, ()), []


def _finding(app: "App", surface: list[Entry], listed: Collection[str]) -> list[Tool]:
    from .find_tools import find_tools

    return [*find_tools(chosen(surface, _widest(app), app.bounds, app.policy), app.policy, listed)]


def _widest(app: "App") -> tuple[str, ...]:
    """The toolsets that the operator chose, or all: the everyday list of the default setting is no limit."""
    return ("all",) if app.settings.toolsets == EVERYDAY else app.settings.toolsets
