"""The cache of access tokens: one fetch for all who wait, whatever comes of it."""

from collections.abc import Awaitable, Callable

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.errors import Unavailable
from callwright.engine.tokens import MOST, Key, Token, Tokens
from tests.transports import Clock

pytestmark = pytest.mark.anyio

KEY: Key = ("default", "authconn_1", 1)


class Server:
    """Gives tokens by their numbers; where it is `slow`, when it is told to `go`."""

    def __init__(self, *, seconds: float = 3600, slow: bool = False, fails: bool = False) -> None:
        self.seconds, self.slow, self.fails = seconds, slow, fails
        self.fetches = 0
        self.go = anyio.Event()

    async def fetch(self) -> Token:
        self.fetches += 1
        number = self.fetches
        if self.slow:
            await self.go.wait()
        if self.fails:
            raise Unavailable(f"no token {number}")
        return Token(f"t{number}", self.seconds)


async def all_at_once(count: int, get: Callable[[], Awaitable[str]], then: Callable[[], None]) -> list[str]:
    """What each of them comes to; `then` is called when all of them wait."""
    found: list[str] = []

    async def one() -> None:
        try:
            found.append(await get())
        except Unavailable as why:
            found.append(str(why))

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
        await anyio.wait_all_tasks_blocked()
        then()
    return found


async def test_whoever_waits_shares_a_token_even_one_that_is_not_kept(clock: Clock) -> None:
    tokens, server = Tokens(), Server(seconds=30, slow=True)
    assert await all_at_once(5, lambda: tokens.get(KEY, clock, server.fetch), server.go.set) == ["t1"] * 5
    assert await tokens.get(KEY, clock, server.fetch) == "t2"


async def test_whoever_waits_shares_a_failure_and_the_next_tries_again(clock: Clock) -> None:
    tokens, server = Tokens(), Server(slow=True, fails=True)
    assert await all_at_once(5, lambda: tokens.get(KEY, clock, server.fetch), server.go.set) == ["no token 1"] * 5
    server.fails = False
    assert await tokens.get(KEY, clock, server.fetch) == "t2"


async def test_a_fetch_that_is_cut_off_is_made_by_the_next_in_line(clock: Clock) -> None:
    tokens, server = Tokens(), Server(slow=True)
    first = anyio.CancelScope()

    async def cut_off() -> None:
        with first:
            await tokens.get(KEY, clock, server.fetch)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cut_off)
        await anyio.wait_all_tasks_blocked()

        def then() -> None:
            first.cancel()
            server.go.set()

        assert await all_at_once(3, lambda: tokens.get(KEY, clock, server.fetch), then) == ["t2"] * 3
    assert server.fetches == 2


async def test_a_refused_token_is_fetched_once_more_by_whoever_was_refused_first(clock: Clock) -> None:
    tokens, server = Tokens(), Server()
    assert await tokens.get(KEY, clock, server.fetch) == "t1"
    server.slow = True
    again = await all_at_once(5, lambda: tokens.get(KEY, clock, server.fetch, refused="t1"), server.go.set)
    assert again == ["t2"] * 5
    assert await tokens.get(KEY, clock, server.fetch, refused="t1") == "t2"  # refused before, and replaced since
    assert server.fetches == 2


async def test_connections_and_versions_and_workspaces_have_tokens_of_their_own(clock: Clock) -> None:
    tokens, server = Tokens(), Server()
    keys: list[Key] = [KEY, ("other", *KEY[1:]), ("default", "authconn_2", 1), ("default", "authconn_1", 2)]
    assert [await tokens.get(key, clock, server.fetch) for key in keys * 2] == ["t1", "t2", "t3", "t4"] * 2


async def test_what_was_not_used_for_the_longest_time_is_forgotten_first(clock: Clock) -> None:
    tokens, server = Tokens(), Server()
    for number in range(MOST):
        await tokens.get(("default", str(number), 1), clock, server.fetch)
    assert await tokens.get(("default", "0", 1), clock, server.fetch) == "t1"
    await tokens.get(("default", "new", 1), clock, server.fetch)
    assert await tokens.get(("default", "0", 1), clock, server.fetch) == "t1"
    assert await tokens.get(("default", "1", 1), clock, server.fetch) == f"t{MOST + 2}"


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["none", "last", "older"]), st.booleans()), max_size=12),
    st.integers(0, 400),
)
def test_a_token_is_never_sent_in_its_last_minute_nor_after_its_refusal(
    steps: list[tuple[int, str, bool]], seconds: int
) -> None:
    """Against a model that keeps no more than the last token and when it was fetched."""

    async def run() -> None:
        clock, tokens, server = Clock(), Tokens(), Server(seconds=seconds)
        last, ends = "", float("-inf")
        for wait, refused, server.fails in steps:
            clock.forward(seconds=wait)
            told = {"none": None, "last": last, "older": "t0"}[refused]
            keeps = clock() / 1000 < ends and told != last
            before = server.fetches
            try:
                found = await tokens.get(KEY, clock, server.fetch, refused=told)
            except Unavailable:
                assert server.fails
                assert not keeps
                last, ends = "", float("-inf")
                continue
            assert found == (last if keeps else f"t{before + 1}")
            if not keeps:
                last, ends = found, clock() / 1000 + seconds - 60

    anyio.run(run)
