"""The servers that are examined: the product's with and without sessions, and with the fixtures of the suites."""

import tempfile
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, get_args

from mcp.shared.exceptions import MCPDeprecationWarning

from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app, serve_http
from callwright.settings import Settings
from tests.peers import serving

from .fixtures import server_with_fixtures

warnings.simplefilter("ignore", MCPDeprecationWarning)  # a fixture sends log messages, as the suites want


Kind = Literal["plain", "stateless", "json", "fixtures"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@asynccontextmanager
async def served(kind: Kind) -> AsyncGenerator[str]:
    """URL of an MCP server as `callwright serve --transport http --no-token` serves it, on an empty platform."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)), "embedded")
        listen = Listen(token=False, stateless=kind == "stateless", json_answers=kind == "json")
        asgi = mcp_app(app, listen, server_with_fixtures(app) if kind == "fixtures" else None)
        async with serving(asgi, lifespan="on") as url:
            yield f"{url}/mcp"


def serve_for_ever(port: int) -> int:
    """With the fixtures, for whoever wants to point a suite at it."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)), "embedded", near=True)
        return serve_http(app, Listen(port=port, token=False), print, server_with_fixtures(app))
