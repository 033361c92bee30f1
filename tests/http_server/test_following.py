"""Where several tokens open the server, each hears of what changes in its own place, and of nothing else."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server.subscriptions import ResourceUpdated
from mcp.types import ResourceUpdatedNotification

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from tests.peers import serving
from tests.transports import ERAS, MODERN, Clock, facts, numbered, settings

from .identity import Identity, identity
from .tokens_fixture import entering, held, token

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")]

AGENTS = "callwright://agents"


class Follower:
    """Follows the list of agents, in whichever way its revision has."""

    def __init__(self) -> None:
        self.client: Client
        self.uris: list[str] = []
        self._more = anyio.Event()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self._hear(message.params.uri)

    def _hear(self, uri: str) -> None:
        self.uris.append(uri)
        self._more.set()
        self._more = anyio.Event()

    async def listen(self, *, task_status: Any) -> None:
        async with self.client.listen(resource_subscriptions=[AGENTS]) as events:
            task_status.started()
            async for event in events:
                assert isinstance(event, ResourceUpdated)
                self._hear(event.uri)

    async def heard(self, times: int) -> None:
        with anyio.fail_after(60):
            while len(self.uris) < times:
                await self._more.wait()


@asynccontextmanager
async def following(url: str, era: str, *bearers: str) -> AsyncGenerator[list[Follower]]:
    followers = [Follower() for _ in bearers]
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(anyio.create_task_group())
        for follower, bearer in zip(followers, bearers, strict=True):
            follower.client = await stack.enter_async_context(
                entering(url, bearer, era, on_message=None if era == MODERN else follower)
            )
            if era == MODERN:
                await tasks.start(follower.listen)
            else:
                await follower.client.subscribe_resource(AGENTS)  # pyright: ignore[reportDeprecated]
        yield followers
        tasks.cancel_scope.cancel()


async def create(follower: Follower) -> None:
    facts(await follower.client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))


async def each_hears_its_own(url: str, era: str, mine: str, ours: str, theirs: str) -> None:
    """`mine` and `ours` work in one place, `theirs` in another. What comes last shows that nothing else is under way."""
    async with following(url, era, mine, ours, theirs) as (me, colleague, stranger):
        await create(me)
        await me.heard(1)
        await colleague.heard(1)
        await create(stranger)
        await stranger.heard(1)
        await create(colleague)
        await me.heard(2)
        await colleague.heard(2)
        await create(stranger)
        await stranger.heard(2)
        assert [len(each.uris) for each in (me, colleague, stranger)] == [2, 2, 2]


@pytest.mark.parametrize("era", ERAS)
async def test_tenants_of_the_tokens_file(app: App, era: str) -> None:
    people = Principal("mine", workspace="a"), Principal("ours", workspace="a"), Principal("theirs", workspace="b")
    async with serving(mcp_app(app, Listen(tokens=held(*people))), lifespan="on") as url:
        await each_hears_its_own(url, era, token("mine"), token("ours"), token("theirs"))


@pytest.mark.parametrize("era", ERAS)
async def test_people_of_an_issuer(tmp_path: Path, clock: Clock, era: str) -> None:
    async with identity() as issuer:
        chosen = settings(tmp_path, oauth_issuer=issuer.url, oauth_workspace_claim="org", allow_private=("127.0.0.1",))
        app = App(chosen, "embedded", ids=numbered())
        audience = "http://callwright.test"
        async with serving(mcp_app(app, Listen(public_url=audience)), lifespan="on") as url:
            tokens = [signed(issuer, audience, sub, org) for sub, org in (("al", "a"), ("bo", "a"), ("al", "b"))]
            await each_hears_its_own(url, era, *tokens)


def signed(issuer: Identity, audience: str, sub: str, org: str) -> str:
    return issuer.token(f"{audience}/mcp", sub=sub, org=org, scope="agents:read agents:write")
