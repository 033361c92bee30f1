"""Network faults on a real socket: each ends in a typed error within the deadline, and no write is carried out twice."""

import struct
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic import SecretStr

from callwright.api import client as client_module
from callwright.api.client import ApiClient
from callwright.contract import errors
from callwright.contract.operation import Operation

from ..peers import peer
from .operations import CREATE, DELETE, GET, RING, Thing

pytestmark = pytest.mark.anyio

DEADLINE = 0.3
"""Seconds; only the faults that hang use it up."""
OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"name":"n"}'
Play = Callable[[SocketStream], Awaitable[None]]


def says(data: bytes) -> Play:
    async def play(stream: SocketStream) -> None:
        await stream.send(data)

    return play


def says_and_hangs(data: bytes) -> Play:
    async def play(stream: SocketStream) -> None:
        await stream.send(data)
        await anyio.sleep_forever()

    return play


def says_and_resets(data: bytes) -> Play:
    async def play(stream: SocketStream) -> None:
        if data:
            await stream.send(data)
        socket = stream.extra(SocketAttribute.raw_socket)
        socket.setsockopt(
            SOL_SOCKET, SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
        )  # sends RST

    return play


def drips(data: bytes) -> Play:
    """One byte at a time, for ever: no single silence is long enough to notice."""

    async def play(stream: SocketStream) -> None:
        await stream.send(data)
        while True:
            await stream.send(b"x")
            await anyio.sleep(0.01)

    return play


def pours(data: bytes, block: bytes) -> Play:
    async def play(stream: SocketStream) -> None:
        await stream.send(data)
        while True:
            await stream.send(block)

    return play


def status(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", f"content-length: {len(body)}", *headers, "", ""]).encode() + body


class Faulty:
    """Counts whole requests, which stand for side effects, and answers each by its play."""

    def __init__(self, play: Play) -> None:
        self.play, self.requests, self.left = play, 0, anyio.Event()

    async def talk(self, stream: SocketStream) -> None:
        async with stream:
            try:
                while await self._request(stream):
                    self.requests += 1
                    await self.play(stream)
                    if self.play is not KEEPS_OPEN:
                        return
            except (anyio.EndOfStream, anyio.BrokenResourceError, ConnectionError):
                pass
            finally:
                self.left.set()

    async def _request(self, stream: SocketStream) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            data += await stream.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += await stream.receive()
        return True


KEEPS_OPEN = says(OK)

FAULTS: dict[str, tuple[Play, str]] = {
    "closed without an answer": (says(b""), "Unreachable"),
    "reset before the head": (says_and_resets(b""), "Unreachable"),
    "reset within the head": (says_and_resets(b"HTTP/1.1 200 OK\r\ncont"), "Unreachable"),
    "reset within the body": (says_and_resets(OK[:-4]), "Unreachable"),
    "closed within the body": (says(OK[:-4]), "Unreachable"),
    "no answer": (says_and_hangs(b""), "Unreachable"),
    "head that never ends": (drips(b"HTTP/1.1 200 OK\r\nx: "), "Unreachable"),
    "body that never comes": (says_and_hangs(OK[:-12]), "Unreachable"),
    "body that drips": (drips(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"), "Unreachable"),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "Unreachable"),
    "another protocol's version": (says(b"HTTP/3.7 200 OK\r\n\r\n"), "Unreadable"),
    "huge head": (pours(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 65536 + b"\r\n"), "Unreachable"),
    "garbled chunks": (says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nbad\r\n"), "Unreachable"),
    "chunks cut off": (says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}"), "Unreachable"),
    "two lengths": (says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"), "Unreachable"),
    "too short a length": (says(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n" + OK[-12:]), "Unreadable"),
    "HTML": (says(status("200 OK", "content-type: text/html", body=b"<html>Log in</html>")), "Unreadable"),
    "bad JSON": (says(status("200 OK", body=b"{'name'")), "Unreadable"),
    "empty": (says(status("200 OK")), "Unreadable"),
    "invalid UTF-8": (says(status("200 OK", body=b'{"name":"\xff\xfe"}')), "Unreadable"),
    "endless body": (pours(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 20)), "Unreadable"),
    "broken gzip": (says(status("200 OK", "content-encoding: gzip", body=b"no")), "Unreadable"),
    "redirect": (says(status("307 Moved", "location: /v1/elsewhere")), "Unreadable"),
    "400": (says(status("400 Bad", body=b"\x00\xff")), "BadRequest"),
    "401": (says(status("401 No", body=b"[]")), "Unauthorized"),
    "403 as HTML": (says(status("403 No", "content-type: text/html", body=b"<b>WAF</b>")), "Forbidden"),
    "404": (says(status("404 No", body=b'{"detail":null}')), "NotFound"),
    "409": (says(status("409 No", body=b'{"detail":{"message":["x"]}}')), "Conflict"),
    "422 with a strange place": (says(status("422 No", body=b'{"detail":[{"loc":7}]}')), "InvalidRequest"),
    "422 in depth": (says(status("422 No", body=b"[" * 100_000)), "InvalidRequest"),
    "422 of strings": (says(status("422 No", body=b'{"detail":["x"]}')), "InvalidRequest"),
    "429 for long": (says(status("429 No", "retry-after: 99")), "RateLimited"),
    "500": (says(status("500 No", body=b"Traceback")), "Unavailable"),
    "502": (says(status("502 No", body=b"<html>")), "Unavailable"),
    "503 for long": (says(status("503 No", "retry-after: Fri, 15 Jan 2100 08:00:00 GMT")), "Unavailable"),
    "status that is none": (says(b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"), "Unavailable"),
}  # fmt: skip


@asynccontextmanager
async def against(play: Play, deadline: float = DEADLINE) -> AsyncGenerator[tuple[Faulty, ApiClient]]:
    faulty, key = Faulty(play), SecretStr("sk_canary_key")
    async with peer(faulty.talk) as url, ApiClient(url, key=key, deadline=deadline, random=lambda: 0.0) as api:
        yield faulty, api


@pytest.fixture(autouse=True)
def a_smaller_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 4 << 20)


@pytest.mark.parametrize("op", [GET, CREATE, RING], ids=["read", "create", "dial"])
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_typed_and_in_time_and_repeats_no_write(name: str, op: Operation[Thing]) -> None:
    play, kind = FAULTS[name]
    async with against(play) as (faulty, api):
        with anyio.fail_after(DEADLINE + 1):
            with pytest.raises(errors.ApiError) as caught:
                await api.send(op)
        assert type(caught.value).__name__ == kind
        assert op is GET or faulty.requests == 1
    assert len(str(caught.value)) <= 500


async def test_a_refused_connection_is_unreachable() -> None:
    async with peer(Faulty(KEEPS_OPEN).talk) as url:
        pass
    async with ApiClient(url, random=lambda: 0.0) as api:
        with pytest.raises(errors.Unreachable, match="cannot be reached"):
            await api.send(CREATE)


async def test_a_redirect_to_another_host_takes_no_key_there() -> None:
    other = Faulty(KEEPS_OPEN)
    async with (
        peer(other.talk) as elsewhere,
        against(says(status("302 Found", f"location: {elsewhere}/v1/things/t1"))) as (_, api),
    ):
        with pytest.raises(errors.Unreadable, match="redirects are not followed"):
            await api.send(GET)
    assert other.requests == 0


async def test_a_connection_that_the_peer_closed_between_calls_is_replaced() -> None:
    async with against(says(OK)) as (faulty, api):
        for _ in range(5):
            assert await api.send(CREATE) == Thing(name="n")
            await anyio.wait_all_tasks_blocked()
        assert faulty.requests == 5


async def test_a_connection_is_used_again() -> None:
    async with against(KEEPS_OPEN) as (faulty, api):
        for _ in range(5):
            await api.send(DELETE)
        assert (faulty.requests, faulty.left.is_set()) == (5, False)


async def test_a_peer_notices_that_a_call_was_cancelled() -> None:
    gone = anyio.Event()

    async def notices(stream: SocketStream) -> None:
        try:
            await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            gone.set()

    async with against(notices) as (_, api):
        with anyio.move_on_after(0.05):
            await api.send(GET, deadline=5)
        with anyio.fail_after(2):
            await gone.wait()


async def test_after_many_cancelled_calls_the_next_ones_are_served() -> None:
    turn = 0

    async def hangs_at_first(stream: SocketStream) -> None:
        nonlocal turn
        turn += 1
        await (says(OK) if turn > 140 else says_and_hangs(b""))(stream)

    async with against(hangs_at_first) as (_, api):

        async def call(seconds: float) -> None:
            with anyio.move_on_after(seconds):
                await api.send(GET, deadline=10)

        async with anyio.create_task_group() as tasks:
            for _ in range(140):
                tasks.start_soon(call, 0.3)
        turn = 140
        with anyio.fail_after(60):
            for _ in range(20):
                assert await api.send(GET, deadline=2) == Thing(name="n")


async def test_more_than_64_calls_are_in_flight_at_once() -> None:
    waiting, all_there = 0, anyio.Event()

    async def gate(stream: SocketStream) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 100:
            all_there.set()
        await all_there.wait()
        await stream.send(OK)

    async with against(gate, deadline=10) as (_, api), anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(api.send, GET)
