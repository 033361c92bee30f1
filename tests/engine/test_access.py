"""Who may talk to an agent besides the holder of the key."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import select

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import DeleteAgent, GetAgentLink
from callwright.contract.conversations import GetSessionToken, GetSignedUrl
from callwright.contract.errors import Forbidden, NotFound
from callwright.engine.checks.access import Granted, redeem
from callwright.engine.schema.access import access_token
from callwright.engine.store.transaction import Tx
from callwright.engine.store.vault import Vault
from callwright.net.guard import NOTHING_PRIVATE
from tests.transports import Clock

from .helpers import agent, dump, refused

pytestmark = pytest.mark.anyio

CLOSED = {"auth": {"enable_auth": True}}


async def started(app: App, clock: Clock, token: str, agent_id: str) -> Granted | str:
    """What the start of a conversation makes of a token: what it opens, or why it does not."""
    database = await app.database()
    vault = Vault(b"k" * 32)

    def start(db: Any) -> Granted | str:
        try:
            return redeem(Tx(db, "default", vault, clock(), lambda prefix: prefix, NOTHING_PRIVATE), token, agent_id)
        except Forbidden as exc:
            return str(exc)

    return await database.write(start)


def asked_of(url: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


async def signed(api: ApiClient, agent_id: str, **rest: Any) -> dict[str, str]:
    found = await api.send(GetSignedUrl.model_validate({"agent_id": agent_id, **rest}))
    return asked_of(found.signed_url)


EXPIRED = "This token has expired. Ask for a new signed URL, token or link."
STRANGE = "This token does not open this agent. Ask for a new signed URL, token or link."
USED = "This token was good for one conversation, which has been started. Ask for a new one."
OPEN = Granted("signed_url", None, None)


async def test_a_signed_url_starts_conversations_for_15_minutes(app: App, api: ApiClient, clock: Clock) -> None:
    ada = await agent(api)
    token = (await signed(api, ada))["conversation_signature"]
    assert await started(app, clock, token, ada) == OPEN
    clock.forward(seconds=14 * 60 + 59)
    assert await started(app, clock, token, ada) == OPEN
    clock.forward(seconds=1)
    assert await started(app, clock, token, ada) == EXPIRED
    clock.forward(seconds=1)
    assert await started(app, clock, token, ada) == EXPIRED


@pytest.mark.parametrize(
    ("base", "socket"), [("http://engine", "ws://engine"), ("https://v.example:8", "wss://v.example:8")]
)
async def test_a_signed_url_leads_to_the_host_that_was_asked(wire: AsyncClient, base: str, socket: str) -> None:
    ada = (await wire.post("/v1/convai/agents/create", json={"conversation_config": {}})).json()["agent_id"]
    answer = await wire.get(f"{base}/v1/convai/conversation/get-signed-url", params={"agent_id": ada})
    url = answer.json()["signed_url"]
    assert url.startswith(f"{socket}/v1/convai/conversation?agent_id={ada}&conversation_signature=")
    assert asked_of(url).keys() == {"agent_id", "conversation_signature"}


@pytest.mark.parametrize("path", ["get-signed-url", "token"])
async def test_a_page_gets_access_only_where_the_agent_names_it(api: ApiClient, wire: AsyncClient, path: str) -> None:
    ada = await agent(api, platform_settings={"auth": {"allowlist": [{"hostname": "shop.example"}]}})
    for origin, status in ((None, 200), ("https://shop.example", 200), ("https://evil.example", 403), ("null", 403)):
        headers = {"origin": origin} if origin else {}
        answer = await wire.get(f"/v1/convai/conversation/{path}", params={"agent_id": ada}, headers=headers)
        assert answer.status_code == status, origin


async def test_a_url_for_one_conversation_is_spent_by_it(app: App, api: ApiClient, clock: Clock) -> None:
    ada = await agent(api)
    given = await signed(api, ada, include_conversation_id=True)
    token = given["conversation_signature"]
    assert await started(app, clock, token, ada) == Granted("signed_url", given["conversation_id"], None)
    assert await started(app, clock, token, ada) == USED


async def test_a_token_opens_only_the_agent_that_it_was_made_for(app: App, api: ApiClient, clock: Clock) -> None:
    ada, bob = await agent(api), await agent(api)
    token = (await signed(api, ada, include_conversation_id=True))["conversation_signature"]
    assert await started(app, clock, token, bob) == STRANGE
    assert await started(app, clock, "made-up", ada) == STRANGE
    assert isinstance(await started(app, clock, token, ada), Granted)


async def test_a_session_token_starts_its_one_conversation(app: App, api: ApiClient, clock: Clock) -> None:
    ada = await agent(api)
    given = await api.send(GetSessionToken(agent_id=ada, participant_name="Bo"))
    assert given.conversation_id
    assert await started(app, clock, given.token, ada) == Granted("session", given.conversation_id, "Bo")
    assert await started(app, clock, given.token, ada) == USED


async def test_a_session_token_is_good_for_10_minutes(app: App, api: ApiClient, clock: Clock) -> None:
    ada = await agent(api)
    early, late = [(await api.send(GetSessionToken(agent_id=ada))).token for _ in range(2)]
    clock.forward(seconds=10 * 60 - 1)
    assert isinstance(await started(app, clock, early, ada), Granted)
    clock.forward(seconds=1)
    assert await started(app, clock, late, ada) == EXPIRED


async def test_the_link_of_an_agent_that_demands_authentication_carries_a_token(
    app: App, api: ApiClient, clock: Clock
) -> None:
    ada = await agent(api, platform_settings=CLOSED)
    answer = dump(await api.send(GetAgentLink(agent_id=ada)))
    token = answer["token"].pop("conversation_token")
    assert answer == snapshot(
        {
            "agent_id": "agent_1",
            "token": {
                "agent_id": "agent_1",
                "expiration_time_unix_secs": 1802592000,
                "conversation_id": None,
                "purpose": "shareable_link",
            },
        }
    )
    assert await started(app, clock, token, ada) == Granted("shareable_link", None, None)
    clock.forward(seconds=30 * 24 * 3600)
    assert await started(app, clock, token, ada) == EXPIRED


async def test_the_link_of_an_agent_that_is_open_to_anybody_needs_no_token(api: ApiClient) -> None:
    ada = await agent(api)
    assert dump(await api.send(GetAgentLink(agent_id=ada))) == {"agent_id": ada, "token": None}


async def test_the_database_holds_no_token_that_could_be_used(app: App, api: ApiClient) -> None:
    ada = await agent(api)
    token = (await signed(api, ada))["conversation_signature"]
    database = await app.database()
    rows = await database.read(lambda db: db.execute(select(access_token)).all())
    assert len(rows) == 1
    assert token not in str(rows)


async def test_tokens_go_with_their_agent_and_long_after_they_expired(app: App, api: ApiClient, clock: Clock) -> None:
    async def kept() -> int:
        database = await app.database()
        return len(await database.read(lambda db: db.execute(select(access_token)).all()))

    ada, bob = await agent(api), await agent(api)
    await signed(api, ada)
    await signed(api, bob)
    await api.send(DeleteAgent(agent_id=ada))
    assert await kept() == 1
    clock.forward(seconds=25 * 3600)
    await signed(api, bob)
    assert await kept() == 1


@pytest.mark.parametrize(
    "op", [GetSignedUrl(agent_id="none"), GetSessionToken(agent_id="none"), GetAgentLink(agent_id="none")]
)
async def test_nothing_opens_an_agent_that_does_not_exist(api: ApiClient, op: Any) -> None:
    assert isinstance(await refused(api, op), NotFound)
