"""What the protocol asks of every server, seen by a client of either era."""

from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CacheableResult

from callwright.app import App
from callwright.mcp_server.server import build_server

from ..transports import ERAS, MODERN, reach

pytestmark = pytest.mark.anyio


def hint(result: CacheableResult) -> tuple[int | None, str | None]:
    return result.ttl_ms, result.cache_scope


async def test_what_is_the_same_for_everybody_may_be_cached_by_everybody(app: App) -> None:
    async with reach(app) as (client, _):
        tools = await client.list_tools()
        discovered = await client.session.send_discover(MODERN)
        lists = [await client.list_prompts(), await client.list_resources(), await client.list_resource_templates()]
        read = await client.read_resource("callwright://agents")
    assert [hint(each) for each in (tools, *lists)] == [(300_000, "public")] * 4
    assert (discovered["ttlMs"], discovered["cacheScope"]) == (300_000, "public")
    assert hint(read) == (0, "private")


@pytest.mark.parametrize("era", ERAS)
async def test_tools_are_listed_in_the_same_order_whatever_was_called_before(app: App, era: str) -> None:
    async def names(client: Client) -> list[str]:
        return [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]

    async with reach(app, era) as (client, _):
        first = await names(client)
        await client.call_tool("undo_change", {"change_id": "none"})
        await client.call_tool("get_status", {})
        assert await names(client) == first
    async with reach(app, era) as (client, _):
        assert await names(client) == first
    assert first[:2] == ["list_agents", "get_agent"]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("what", ["tools", "prompts", "resources", "resource_templates"])
async def test_a_cursor_that_nobody_gave_out_is_refused(app: App, era: str, what: str) -> None:
    async with reach(app, era) as (client, _):
        listing: Any = getattr(client, f"list_{what}")
        assert (await listing()).next_cursor is None
        with pytest.raises(MCPError, match="Unknown cursor") as caught:
            await listing(cursor="2")
    assert caught.value.code == -32602


@pytest.mark.parametrize("era", ERAS)
async def test_what_does_not_exist_is_an_error_of_the_protocol(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        with pytest.raises(MCPError, match="Unknown tool: nothing") as tool:
            await client.call_tool("nothing", {})
        with pytest.raises(MCPError) as resource:
            await client.read_resource("callwright://nothing")
        with pytest.raises(MCPError) as prompt:
            await client.get_prompt("nothing")
        wrong = await client.call_tool("get_agent", {"agent": "Ada"})
    assert (tool.value.code, resource.value.code, prompt.value.code) == (-32602, -32602, -32602)
    assert wrong.is_error  # the model can read it, and mend its arguments


async def test_a_prompt_without_its_arguments_is_the_clients_mistake_and_a_broken_one_the_servers(app: App) -> None:
    server = build_server(app)

    def greet(name: str) -> str:
        return f"Greet {name} by {1 // 0}."

    server.prompt("greet")(greet)
    async with Client(server) as client:
        with pytest.raises(MCPError, match="Missing required arguments") as missing:
            await client.get_prompt("greet")
        with pytest.raises(MCPError) as broken:
            await client.get_prompt("greet", {"name": "Ada"})
    assert (missing.value.code, broken.value.code) == (-32602, -32603)
