"""Who follows a resource is told when it changes, whichever revision its client speaks."""

from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp.types import ResourceUpdatedNotification

from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from callwright.mcp_server import subscriptions
from callwright.mcp_server.server import build_server

from ..peers import serving
from ..transports import MODERN, facts

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")]

AGENT, OTHER = "callwright://agents/a", "callwright://agents/b"


class Told:
    """What a client's handler of notifications heard about resources."""

    def __init__(self) -> None:
        self.uris: list[str] = []
        self.heard = anyio.Event()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.uris.append(message.params.uri)
            self.heard.set()


async def test_an_older_client_hears_of_what_it_follows_until_it_unsubscribes(app: App) -> None:
    told = Told()
    async with Client(build_server(app), mode="legacy", message_handler=told) as client:
        assert client.server_capabilities.resources
        assert client.server_capabilities.resources.subscribe
        await client.subscribe_resource(AGENT)  # pyright: ignore[reportDeprecated]
        await app.subscriptions.publish(ResourceUpdated(OTHER))
        await app.subscriptions.publish(ResourceUpdated(AGENT))
        with anyio.fail_after(60):
            await told.heard.wait()
        await client.unsubscribe_resource(AGENT)  # pyright: ignore[reportDeprecated]
        await app.subscriptions.publish(ResourceUpdated(AGENT))
        await client.subscribe_resource(OTHER)  # pyright: ignore[reportDeprecated]
        told.heard = anyio.Event()
        await app.subscriptions.publish(ResourceUpdated(OTHER))
        with anyio.fail_after(60):
            await told.heard.wait()
    assert told.uris == [AGENT, OTHER]


async def test_a_modern_client_hears_of_what_it_listens_to(app: App) -> None:
    async with (
        Client(build_server(app), mode=MODERN) as client,
        client.listen(resource_subscriptions=[AGENT]) as events,
    ):
        await app.subscriptions.publish(ResourceUpdated(OTHER))
        await app.subscriptions.publish(ResourceUpdated(AGENT))
        with anyio.fail_after(60):
            assert await anext(aiter(events)) == ResourceUpdated(AGENT)


async def test_who_has_gone_is_forgotten(app: App) -> None:
    async with Client(build_server(app), mode="legacy") as client:
        await client.subscribe_resource(AGENT)  # pyright: ignore[reportDeprecated]
        assert app.subscriptions.followed() == {AGENT}
    assert app.subscriptions.followed() == set()


async def test_a_session_cannot_follow_without_end(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "LIMIT", 1)
    async with Client(build_server(app), mode="legacy") as client:
        for _ in range(2):  # the same one again is nothing new
            await client.subscribe_resource(AGENT)  # pyright: ignore[reportDeprecated]
        with pytest.raises(MCPError, match="can follow 1 resources"):
            await client.subscribe_resource(OTHER)  # pyright: ignore[reportDeprecated]


async def test_a_server_without_sessions_promises_no_subscriptions(app: App) -> None:
    async with (
        serving(mcp_app(app, Listen(token=False, stateless=True)), lifespan="on") as url,
        Client(f"{url}/mcp", mode="legacy") as client,
    ):
        assert client.server_capabilities.resources
        assert client.server_capabilities.resources.subscribe is False
        with pytest.raises(MCPError, match="Method not found"):
            await client.subscribe_resource(AGENT)  # pyright: ignore[reportDeprecated]


@pytest.mark.parametrize("era", ["legacy", MODERN])
async def test_a_change_by_a_tool_is_told_to_who_follows_the_thing(app: App, era: str) -> None:
    told = Told()
    async with Client(build_server(app), mode=era, message_handler=told) as client:
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
        uri = f"callwright://agents/{made['agent_id']}/prompt"
        changes = "callwright://changes"
        better = {"agent_id": made["agent_id"], "prompt": "Help kindly."}
        if era == MODERN:
            async with client.listen(resource_subscriptions=[uri, changes]) as events:
                facts(await client.call_tool("update_agent", better))
                heard = aiter(events)
                with anyio.fail_after(60):
                    assert {await anext(heard), await anext(heard)} == {ResourceUpdated(uri), ResourceUpdated(changes)}
            return
        await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
        facts(await client.call_tool("update_agent", better))
        with anyio.fail_after(60):
            await told.heard.wait()
    assert told.uris == [uri]
