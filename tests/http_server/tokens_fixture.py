"""Clients with tokens of their own, at one server over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from callwright.http_server.tokens import digest
from tests.peers import serving
from tests.transports import MODERN

Json = dict[str, Any]


def token(name: str) -> str:
    return f"token-of-{name}-0123456789"


def held(*principals: Principal) -> dict[str, Principal]:
    return {digest(token(principal.name)): principal for principal in principals}


@asynccontextmanager
async def served(app: App, *principals: Principal, **listen: Any) -> AsyncGenerator[str]:
    async with serving(mcp_app(app, Listen(tokens=held(*principals), **listen)), lifespan="on") as url:
        yield url


@asynccontextmanager
async def entering(
    url: str,
    bearer: str,
    era: str = MODERN,
    *,
    asks: bool = True,
    elicitation_callback: Any = None,
    on_log: Any = None,
    log_level: Any = None,
    on_message: Any = None,
) -> AsyncGenerator[Client]:
    """An MCP client whose person says yes, or that cannot ask; or that asks as `elicitation_callback` has it."""

    async def on_ask(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": True})

    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {bearer}"}) as http:
        transport: Any = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(
            transport,
            mode=era,
            elicitation_callback=elicitation_callback or (on_ask if asks else None),
            logging_callback=on_log,
            log_level=log_level,
            message_handler=on_message,
        ) as client:
            yield client


def call_of(tool: str, arguments: Json, era: str = "2025-11-25") -> tuple[Json, dict[str, str]]:
    """A request that calls a tool, as a client writes it: its body and its headers."""
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": era}
    params: Json = {"name": tool, "arguments": arguments}
    if era == MODERN:
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
        prefix = "io.modelcontextprotocol/"
        params["_meta"] = {f"{prefix}protocolVersion": era, f"{prefix}clientCapabilities": {}}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers
