"""An answer that comes value by value: what is read, what ends it, and what is never sent twice."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response, StreamingResponse

from callwright.api import client as client_module
from callwright.api.client import ApiClient
from callwright.bounds import Bounds
from callwright.contract import errors
from callwright.contract.operation import Operation, Stream
from callwright.net.asgi import ASGITransport

from .operations import Thing
from .test_client import Platform

pytestmark = pytest.mark.anyio
KEY = SecretStr("sk_canary_key")


class Follow(Operation[Stream[Thing]], method="POST", path="/v1/things/{thing_id}/follow"):
    thing_id: str


FOLLOW = Follow(thing_id="t1")


def streaming(*chunks: bytes, **kw: Any) -> Platform:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return Platform(StreamingResponse(body(), **kw))


async def no_sleep(_: float) -> None:
    """Waits for nothing."""


def client(app: Any, **kw: Any) -> ApiClient:
    return ApiClient("http://embedded", transport=ASGITransport(app), sleep=no_sleep, **kw)


async def read(api: ApiClient, **kw: Any) -> list[str]:
    async with aclosing(api.stream(FOLLOW, **kw)) as things:
        return [thing.name async for thing in things]


async def broken(app: Any, **kw: Any) -> tuple[list[str], errors.ApiError]:
    """What came before the error, and the error."""
    names: list[str] = []
    async with client(app, **kw) as api, aclosing(api.stream(FOLLOW)) as things:
        try:
            async for thing in things:
                names.append(thing.name)  # noqa: PERF401  (kept when it breaks off)
        except errors.ApiError as exc:
            return names, exc
    raise AssertionError(f"The stream came to its end: {names}")


@pytest.mark.parametrize(
    "chunks",
    [
        (b'{"name":"a"}\n{"name":"b"}\n',),
        (b'{"na', b'me":"a"}\n', b'{"name":"b"}'),
        (b'\n\n{"name":"a"}\r\n\r\n{"name":"b"}\n\n',),
        (b': hello\n\ndata: {"name":"a"}\n\nevent: thing\nid: 2\ndata:{"name":"b"}\n\ndata: [DONE]\n\n',),
    ],
    ids=["a line each", "split anywhere", "blank lines", "events"],
)
async def test_values_are_read_however_they_are_cut(chunks: tuple[bytes, ...]) -> None:
    async with client(streaming(*chunks)) as api:
        assert await read(api) == ["a", "b"]


async def test_a_request_for_a_stream_carries_the_key_and_goes_to_its_endpoint() -> None:
    platform = streaming(b'{"name":"a"}\n')
    async with client(platform, key=KEY) as api:
        await read(api)
    assert platform.seen == [("POST", "/v1/things/t1/follow", "")]
    assert platform.headers["xi-api-key"] == KEY.get_secret_value()


async def test_an_error_that_comes_later_has_its_own_status_and_no_key() -> None:
    last = b'{"detail":{"status":"gone","message":"No sk_canary_key."},"status_code":404}\n'
    names, error = await broken(streaming(b'{"name":"a"}\n', last), key=KEY)
    assert (names, type(error), str(error)) == (["a"], errors.NotFound, "No [key].")


async def test_a_value_that_mentions_a_status_is_a_value() -> None:
    async with client(streaming(b'{"name":"a","status_code":7}\n{"name":"b","detail":1}\n')) as api:
        assert await read(api) == ["a", "b"]


@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        (b'{"nam":"a"}\n', "The platform's answer lacks or garbles: name."),
        (b"<html>\n", "The platform's answer is not JSON (it is called '')."),
        (b'{"status_code":\n', "The platform's answer is not JSON (it is called '')."),
    ],
)
async def test_a_value_that_is_not_the_contracts_ends_it(chunk: bytes, said: str) -> None:
    names, error = await broken(streaming(b'{"name":"a"}\n', chunk))
    assert (names, type(error), str(error)) == (["a"], errors.Unreadable, said)


async def test_a_stream_that_breaks_off_says_that_it_may_have_been_carried_out() -> None:
    class Breaks(Platform):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.seen.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b'{"name":"a"}\n', "more_body": True})

    platform = Breaks()
    names, error = await broken(platform)
    assert (names, type(error), len(platform.seen)) == (["a"], errors.Unreachable, 1)
    assert str(error) == (
        "The exchange with the platform broke off (ReadError). Whether it was carried out is not known: look before"
        " you repeat it."
    )


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (JSONResponse({"detail": {"status": "not_found", "message": "No thing."}}, 404), errors.NotFound),
        (JSONResponse({"detail": []}, 422), errors.InvalidRequest),
        (Response(status_code=307, headers={"location": "http://elsewhere/"}), errors.Unreadable),
        (Response(status_code=500), errors.Unavailable),
    ],
)
async def test_a_refusal_before_the_first_value_is_told_and_not_repeated(
    answer: Response, kind: type[errors.ApiError]
) -> None:
    platform = Platform(answer)
    names, error = await broken(platform)
    assert (names, type(error), len(platform.seen)) == ([], kind, 1)


async def test_what_was_not_begun_is_asked_again() -> None:
    class Busy(Platform):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.answer = Response(status_code=429) if not self.seen else StreamingResponse(iter([b'{"name":"a"}']))
            await super().__call__(scope, receive, send)

    platform = Busy()
    async with client(platform) as api:
        assert await read(api) == ["a"]
    assert len(platform.seen) == 2


@pytest.mark.parametrize("first", [b"", b'{"name":"a"}\n'], ids=["at once", "after a value"])
async def test_silence_beyond_the_deadline_ends_it_and_stops_the_handler(first: bytes) -> None:
    stopped = anyio.Event()

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        try:
            if first:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": first, "more_body": True})
            await anyio.sleep_forever()
        finally:
            stopped.set()

    names, error = await broken(silent, deadline=0.05)
    with anyio.fail_after(60):
        await stopped.wait()
    assert (len(names), type(error)) == (1 if first else 0, errors.Unreachable)
    assert str(error).startswith("No answer within 0.05 s.")


async def test_a_reader_may_take_its_time_between_two_values() -> None:
    """The deadline bounds what is waited for; no scope of ours is open while the reader has a value."""
    async with client(streaming(b'{"name":"a"}\n', b'{"name":"b"}\n')) as api:
        things = api.stream(FOLLOW)
        with anyio.move_on_after(5):
            assert (await anext(things)).name == "a"
        with anyio.move_on_after(5):
            assert (await anext(things)).name == "b"
        await things.aclose()


async def test_bounds_hold_for_streams_too() -> None:
    platform = streaming(b'{"name":"a"}\n')
    names, error = await broken(platform, bounds=Bounds(read_only=True))
    assert (names, type(error), platform.seen) == ([], errors.Refused, [])


async def test_an_endless_stream_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 20)
    names, error = await broken(streaming(b'{"name":"a"}\n', b'{"name":"b"}\n'))
    assert (names, type(error)) == (["a"], errors.Unreadable)
    assert "larger than 20 bytes" in str(error)
