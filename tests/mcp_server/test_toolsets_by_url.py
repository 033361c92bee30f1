"""`/mcp?toolsets=...` bounds a connection, whatever the server offers beyond it; and never widens a bound."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from callwright.surface import built

from ..peers import serving
from ..transports import ERAS, facts, settings

pytestmark = pytest.mark.anyio

SETS = {entry["tool"]["name"]: entry["toolset"] for entry in built()}
EVERYDAY = {entry["tool"]["name"] for entry in built() if entry["default"]}
FINDING = {"find", "run_reading", "run_changing"}
SERVER = {name for name, toolset in SETS.items() if toolset == "server"}


def of(*toolsets: str) -> set[str]:
    return {name for name, toolset in SETS.items() if toolset in toolsets} | SERVER


@asynccontextmanager
async def at(base: str, query: str, era: str) -> AsyncGenerator[Client]:
    async with httpx2.AsyncClient() as http:
        transport: Any = streamable_http_client(f"{base}/mcp{query}", http_client=http)
        async with Client(transport, mode=era) as client:
            yield client


def everyday(app: App) -> App:
    """As people have it: nothing is chosen."""
    return App(settings(app.settings.home, toolsets=("default",)), "embedded")


async def listed(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


@pytest.mark.parametrize("stateless", [False, True])
@pytest.mark.parametrize("era", ERAS)
async def test_each_connection_sees_the_toolsets_of_its_url(app: App, era: str, stateless: bool) -> None:
    asgi = mcp_app(everyday(app), Listen(token=False, stateless=stateless))
    async with serving(asgi, lifespan="on") as base:
        seen: dict[str, set[str]] = {}
        for query in (
            "",
            "?toolsets=agents",
            "?toolsets=secrets,phone",
            "?toolsets=secrets&toolsets=phone",
            "?toolsets=all",
        ):
            async with at(base, query, era) as client:
                seen[query] = await listed(client)
    assert seen == {
        "": EVERYDAY | FINDING,
        "?toolsets=agents": of("agents"),
        "?toolsets=secrets,phone": of("secrets", "phone"),
        "?toolsets=secrets&toolsets=phone": of("secrets", "phone"),
        "?toolsets=all": set(SETS),
    }


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_listed_cannot_be_called(app: App, era: str) -> None:
    async with serving(mcp_app(everyday(app), Listen(token=False)), lifespan="on") as base:
        async with at(base, "?toolsets=agents", era) as client:
            facts(await client.call_tool("list_agents", {}))
            with pytest.raises(MCPError, match="Unknown tool: list_secrets"):
                await client.call_tool("list_secrets", {})
        async with at(base, "", era) as client:
            facts(await client.call_tool("run_reading", {"tool": "list_secrets"}))


@pytest.mark.parametrize("era", ERAS)
async def test_a_url_loosens_no_bound(app: App, era: str) -> None:
    bounded = App(settings(app.settings.home, toolsets=("agents", "phone"), read_only=True), "embedded")
    readable = {entry["tool"]["name"] for entry in built() if entry["tool"]["annotations"]["readOnlyHint"]}
    async with serving(mcp_app(bounded, Listen(token=False)), lifespan="on") as base:
        async with at(base, "?toolsets=all", era) as client:
            assert await listed(client) == of("agents", "phone") & readable
            with pytest.raises(MCPError, match="Unknown tool: delete_agent"):
                await client.call_tool("delete_agent", {"agent_id": "agent_1"})
        async with at(base, "?toolsets=secrets,phone", era) as client:
            assert await listed(client) == of("phone") & readable


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_toolset_in_a_url_is_refused_with_the_known_ones(app: App, era: str) -> None:
    async with serving(mcp_app(app, Listen(token=False)), lifespan="on") as base:
        with pytest.raises((MCPError, ExceptionGroup)) as refused:
            async with at(base, "?toolsets=agnets", era) as client:
                await client.list_tools()
    assert refused.group_contains(MCPError, match="Unknown toolset 'agnets'. Known: agents") or (
        "Unknown toolset 'agnets'. Known: agents" in str(refused.value)
    )
