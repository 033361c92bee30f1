"""Tokens that an authorization server signed: which open the server, and for whom."""

import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from callwright.accounts.principals import Principal
from callwright.clock import now_ms
from callwright.http_server.issuer import AGAIN_SECONDS, KEPT_SECONDS, STALE_SECONDS, Issuer, Keys
from callwright.net.guard import AllowList
from tests.transports import Clock

from .identity import EC, Identity, identity, rsa_key

pytestmark = pytest.mark.anyio

HERE = "https://voice.example.com/mcp"
KNOWN = {"agents:read", "agents:write", "calls:dial"}


@pytest.fixture
async def issuer() -> AsyncGenerator[Identity]:
    async with identity() as issuer:
        yield issuer


def accepting(issuer: Identity, *, claim: str = "sub", clock: Any = now_ms) -> Issuer:
    keys = Keys(issuer.url, allow=AllowList(), proxy_url=None, clock=clock)
    return Issuer(keys, HERE, claim, KNOWN, clock)


async def test_a_token_for_this_server_is_its_subject_with_its_scopes_in_a_workspace_of_its_own(
    issuer: Identity,
) -> None:
    found = await accepting(issuer).principal(issuer.token(HERE, scope="agents:read calls:dial another:thing"))
    assert found == Principal(
        f"{issuer.url} alice", frozenset({"agents:read", "calls:dial"}), f"{issuer.url} sub alice"
    )


async def test_another_claim_can_say_which_workspace(issuer: Identity) -> None:
    people = accepting(issuer, claim="org_id")
    found = await people.principal(issuer.token([HERE, "https://else.example"], org_id="acme", scp=["agents:read"]))
    assert found == Principal(f"{issuer.url} alice", frozenset({"agents:read"}), f"{issuer.url} org_id acme")
    assert await people.principal(issuer.token(HERE)) is None


async def test_elliptic_keys_are_taken_too(issuer: Identity) -> None:
    issuer.keys["curve"] = ("ES256", EC)
    assert await accepting(issuer).principal(issuer.token(HERE, kid="curve"))


async def test_what_is_not_a_valid_token_for_this_server_opens_nothing(issuer: Identity) -> None:
    people, now = accepting(issuer), int(time.time())
    published = issuer._published("one")["n"]  # pyright: ignore[reportPrivateUsage]
    wrong = {
        "for another server": issuer.token("https://else.example/mcp"),
        "for nobody": issuer.token(None),
        "of another issuer": issuer.token(HERE, iss="https://evil.example"),
        "signed by another": issuer.token(HERE, key=rsa_key(1)),
        "with a key that is not published": issuer.token(HERE, kid="two", key=rsa_key(1)),
        "signed with the public key as a password": issuer.token(HERE, key=published * 2, alg="HS256"),
        "unsigned": issuer.token(HERE, alg="none"),
        "expired": issuer.token(HERE, exp=now - 61),
        "without an end": issuer.token(HERE, exp=None),
        "with an end that is no time": issuer.token(HERE, exp=[1]),
        "not valid yet": issuer.token(HERE, nbf=now + 120),
        "of nobody": issuer.token(HERE, sub=None),
        "of a nameless one": issuer.token(HERE, sub=""),
        "of one whose name breaks lines": issuer.token(HERE, sub="a\nb"),
        "cut": issuer.token(HERE)[:-4],
        "no token at all": "a.b.c",
        "too long": issuer.token(HERE, more="x" * 20_000),
    }
    assert {why for why, token in wrong.items() if await people.principal(token)} == set()
    assert await people.principal(issuer.token(HERE))


async def test_a_clock_that_is_a_little_off_is_forgiven(issuer: Identity) -> None:
    now = int(time.time())
    people = accepting(issuer)
    assert await people.principal(issuer.token(HERE, exp=now - 30))
    assert await people.principal(issuer.token(HERE, nbf=now + 30))


async def test_new_keys_are_found_and_withdrawn_ones_refused(issuer: Identity, clock: Clock) -> None:
    clock.ms = now_ms()
    people = accepting(issuer, clock=clock)
    old = issuer.token(HERE, exp=int(time.time()) + 10_000)
    assert await people.principal(old)
    issuer.keys = {"two": ("RS256", rsa_key(1))}
    new = issuer.token(HERE, kid="two", exp=int(time.time()) + 10_000)
    assert not await people.principal(new), "keys that nobody knows do not have them read each time"
    clock.forward(seconds=AGAIN_SECONDS)
    assert await people.principal(new)
    assert not await people.principal(old)
    issuer.keys = {}
    clock.forward(seconds=KEPT_SECONDS)
    assert not await people.principal(new)


async def test_tokens_with_made_up_keys_do_not_have_the_issuer_asked_each_time(issuer: Identity) -> None:
    people = accepting(issuer)
    await people.principal(issuer.token(HERE))
    asked = len(issuer.asked)
    for number in range(20):
        assert not await people.principal(issuer.token(HERE, kid=f"made-up-{number}", key=rsa_key(1)))
    assert len(issuer.asked) == asked


async def test_an_issuer_that_cannot_be_reached_leaves_its_last_keys_for_a_day(issuer: Identity, clock: Clock) -> None:
    clock.ms = now_ms()
    people, token = accepting(issuer, clock=clock), issuer.token(HERE, exp=int(time.time()) + 10 * STALE_SECONDS)
    assert await people.principal(token)
    issuer.down = True
    clock.forward(seconds=STALE_SECONDS - 1)
    assert await people.principal(token)
    clock.forward(seconds=2)
    assert not await people.principal(token)


async def test_metadata_may_stand_where_oauth_puts_it(issuer: Identity) -> None:
    issuer.well_known = "/.well-known/oauth-authorization-server"
    assert await accepting(issuer).principal(issuer.token(HERE))


async def test_metadata_of_another_issuer_is_not_believed(issuer: Identity) -> None:
    issuer.issuer = "https://evil.example"
    assert not await accepting(issuer).principal(issuer.token(HERE))


async def test_a_slash_at_the_end_of_the_issuers_name_is_the_issuers_affair(issuer: Identity) -> None:
    issuer.issuer = f"{issuer.url}/"
    assert await accepting(issuer).principal(issuer.token(HERE))
