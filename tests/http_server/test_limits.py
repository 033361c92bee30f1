"""How much one client may ask: the size of a request, how many a minute, how many at once."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.http_server.limits import TIDY_ABOVE, Allowance, Limits
from callwright.http_server.serving import http_token
from tests.transports import settings

from .tokens_fixture import call_of, served, token

pytestmark = pytest.mark.anyio

OTHER = Principal("other")


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limited(tmp_path: Path, **chosen: Any) -> App:
    return App(settings(tmp_path / "home", **chosen), "embedded")


async def post(url: str, bearer: str, text: str = "") -> httpx2.Response:
    body, headers = call_of("list_agents", {"search": text})
    del headers["mcp-protocol-version"]
    async with httpx2.AsyncClient() as http:
        return await http.post(f"{url}/mcp", json=body, headers={**headers, "authorization": f"Bearer {bearer}"})


async def test_a_request_that_is_too_large_is_refused_whether_it_says_so_or_not(tmp_path: Path) -> None:
    app = limited(tmp_path, http_body=2000)

    async def unannounced() -> AsyncGenerator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    async with served(app) as url, httpx2.AsyncClient() as http:
        small, large = await post(url, http_token(app)), await post(url, http_token(app), "x" * 2000)
        headers = {"authorization": f"Bearer {http_token(app)}"}
        streamed = await http.post(f"{url}/mcp", content=unannounced(), headers=headers)
    assert (small.status_code, large.status_code, streamed.status_code) == (400, 413, 413)
    assert (
        large.json()
        == streamed.json()
        == {
            "error": "too_large",
            "message": "The request has more than 2,000 bytes (CALLWRIGHT_HTTP_BODY). A tool can take a long text from a URL.",
        }
    )


async def test_a_client_that_asks_too_often_waits_and_another_does_not(tmp_path: Path) -> None:
    app = limited(tmp_path, http_rate=3)
    async with served(app, OTHER) as url:
        answers = [await post(url, http_token(app)) for _ in range(4)]
        other = await post(url, token("other"))
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert other.status_code == 400
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    assert answers[3].json()["message"].startswith("More than 3 requests a minute (CALLWRIGHT_HTTP_RATE). Wait ")


async def test_guesses_of_a_token_are_counted_and_do_not_lock_out_who_has_one(tmp_path: Path) -> None:
    app = limited(tmp_path, http_rate=2)
    async with served(app) as url:
        guesses = [(await post(url, f"guess-{n}")).status_code for n in range(4)]
        right = await post(url, http_token(app))
    assert (guesses, right.status_code) == ([401, 401, 429, 429], 400)


async def test_a_client_has_so_many_requests_open_and_no_more(tmp_path: Path) -> None:
    app = limited(tmp_path, http_at_once=1)
    async with served(app, OTHER) as url, anyio.create_task_group() as tasks:
        sending = anyio.Event()

        async def slow() -> AsyncGenerator[bytes]:
            yield b"{"
            sending.set()
            await anyio.sleep_forever()

        async def keep_open() -> None:
            async with httpx2.AsyncClient() as http:
                headers = {"authorization": f"Bearer {http_token(app)}"}
                await http.post(f"{url}/mcp", content=slow(), headers=headers)

        tasks.start_soon(keep_open)
        await sending.wait()
        with anyio.fail_after(60):
            while (refused := await post(url, http_token(app))).status_code != 429:
                pass  # until the server has heard of the first one
        assert (refused.headers["retry-after"], refused.json()["error"]) == ("1", "too_many_at_once")
        assert (await post(url, token("other"))).status_code == 400
        tasks.cancel_scope.cancel()


def test_what_was_used_up_comes_back_with_time() -> None:
    clock = Seconds()
    limits = Limits(Allowance(rate=60), clock)
    assert [limits.wait("ada") for _ in range(61)] == [0] * 60 + [1]
    clock.now += 1
    assert (limits.wait("ada"), limits.wait("ada")) == (0, 1)
    clock.now += 3600
    assert [limits.wait("ada") for _ in range(61)] == [0] * 60 + [1]


def test_a_room_is_free_again_when_its_request_has_ended() -> None:
    limits = Limits(Allowance(at_once=1), Seconds())
    with limits.running("ada") as first, limits.running("ada") as second, limits.running("bob") as other:
        assert (first, second, other) == (True, False, True)
    with limits.running("ada") as again:
        assert again


def test_no_bound_is_none() -> None:
    limits = Limits(Allowance(body=0, rate=0, at_once=0), Seconds())
    assert not any(limits.wait("ada") for _ in range(10_000))
    with limits.running("ada") as one, limits.running("ada") as two:
        assert one
        assert two


def test_clients_that_have_been_quiet_are_forgotten_and_those_at_work_are_not() -> None:
    clock = Seconds()
    limits = Limits(Allowance(rate=2, at_once=1), clock)
    with limits.running("busy"):
        for number in range(TIDY_ABOVE + 10):
            limits.wait(f"address {number}")
        clock.now += 61
        limits.wait("one more")
        assert len(limits._clients) == 2  # pyright: ignore[reportPrivateUsage]
        with limits.running("busy") as room:
            assert not room
