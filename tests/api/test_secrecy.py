"""The key, and the secrets in a request, are in no repr, error, traceback (with its local variables) or log."""

import json
import logging
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import anyio
import pytest
from anyio.abc import SocketStream
from pydantic import SecretStr

from callwright.api.client import ApiClient
from callwright.contract import errors
from callwright.contract.operation import Operation
from callwright.net.asgi import ASGITransport, Message, Receive, Send

from ..peers import peer
from .operations import GET, CreateThing

pytestmark = pytest.mark.anyio

KEY, SECRET = "sk_canary_key", "sk_canary_secret"
CREATE = CreateThing(name="n", secret=SecretStr(SECRET))


def answering(data: bytes) -> Callable[[SocketStream], Any]:
    async def talk(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            if data:
                await stream.send(data)

    return talk


def shown(exc: BaseException) -> str:
    """All that a careless logger could print, along every link of the exception; without these tests' own frames."""
    tb = exc.__traceback__
    while tb and tb.tb_frame.f_code.co_filename == __file__:
        tb = tb.tb_next
    lines = traceback.TracebackException(type(exc), exc, tb, capture_locals=True).format()
    linked = [shown(e) for e in (exc.__cause__, exc.__context__) if e is not None]
    return "".join([*lines, repr(exc), str(exc), repr(exc.__dict__), *linked])


def body(text: str) -> bytes:
    return b"HTTP/1.1 400 No\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text.encode())


ANSWERS = {
    "none": b"",
    "not HTTP": b"garbage\r\n\r\n",
    "reset": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{",
    "misfit": b"HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n" + b'{"name":["sk_canary_key"',
    "wrong type": b"HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n" + b'{"name":["sk_canary_key"]}',
    "key in a text": body('{"detail":{"message":"Invalid key sk_canary_key"}}'),
    "key in a problem": b"HTTP/1.1 422 No\r\ncontent-length: 59\r\n\r\n" + b'{"detail":[{"loc":["header"],"msg":"sk_canary_key is bad"}]}'[:59],
    "key as text": body("sk_canary_key"),
}  # fmt: skip


@pytest.mark.parametrize("op", [GET, CREATE], ids=["read", "create"])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_error_shows_the_key_or_a_secret(
    answer: str, op: Operation[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        peer(answering(ANSWERS[answer])) as url,
        ApiClient(url, key=SecretStr(KEY), random=lambda: 0.0) as api,
    ):
        with pytest.raises(errors.ApiError) as caught:
            await api.send(op)
        assert "canary" not in repr(api) + str(api) + shown(caught.value)
    assert f"{op.method} {op.path}, attempt 1: " in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("quoted", [SECRET, json.dumps(SECRET), quote(SECRET)])
async def test_a_platform_that_quotes_a_secret_it_refuses_is_not_repeated(quoted: str) -> None:
    said = body(json.dumps({"detail": {"message": f"{quoted} is too short"}}))
    async with peer(answering(said)) as url, ApiClient(url, key=SecretStr(KEY)) as api:
        with pytest.raises(errors.BadRequest, match="is too short") as caught:
            await api.send(CREATE)
    assert "canary" not in shown(caught.value)


async def test_a_good_call_logs_no_secret_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    good = b'HTTP/1.1 200 OK\r\nset-cookie: id=canary\r\ncontent-length: 12\r\n\r\n{"name":"n"}'
    async with peer(answering(good)) as url, ApiClient(url, key=SecretStr(KEY)) as api:
        await api.send(CREATE)
    assert caplog.messages == ["POST /v1/things, attempt 1: 200"]


async def test_no_connection_and_no_time_show_nothing() -> None:
    async with peer(answering(b"")) as url:
        pass
    async with ApiClient(url, key=SecretStr(KEY), random=lambda: 0.0) as api:
        with pytest.raises(errors.Unreachable) as caught:
            await api.send(CREATE)
        assert "canary" not in shown(caught.value)

    async def hang(stream: SocketStream) -> None:
        await anyio.sleep_forever()

    async with peer(hang) as url, ApiClient(url, key=SecretStr(KEY)) as api:
        with pytest.raises(errors.Unreachable) as caught:
            await api.send(CREATE, deadline=0.05)
        assert "canary" not in shown(caught.value)


async def test_a_crash_of_the_embedded_platform_shows_nothing_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    async def crash(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError

    async with ApiClient("http://embedded", transport=ASGITransport(crash), key=SecretStr(KEY)) as api:
        with pytest.raises(errors.Unavailable) as caught:
            await api.send(CREATE)
    assert "canary" not in shown(caught.value) + caplog.text


async def test_a_defect_below_is_an_error_without_its_frames() -> None:
    from httpx2 import AsyncBaseTransport, Request, Response

    class Broken(AsyncBaseTransport):
        async def handle_async_request(self, request: Request) -> Response:
            headers = dict(request.headers)
            raise RuntimeError(f"cannot send {headers}")

    async with ApiClient("http://api", transport=Broken(), key=SecretStr(KEY)) as api:
        with pytest.raises(errors.Unreachable) as caught:
            await api.send(CREATE)
    assert str(caught.value).startswith("The exchange with the platform failed (RuntimeError).")
    assert "canary" not in shown(caught.value)


async def test_the_key_is_recognised_however_an_error_spells_it() -> None:
    key = 'sk"/+%canary\\'
    spelt = " ".join([key, quote(key, safe=""), json.dumps(key)])
    answer = body(json.dumps({"detail": {"message": spelt}}))
    async with peer(answering(answer)) as url, ApiClient(url, key=SecretStr(key)) as api:
        with pytest.raises(errors.BadRequest) as caught:
            await api.send(GET)
    assert str(caught.value) == '[key] [key] "[key]"'
