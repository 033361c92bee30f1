"""What a client may do to an HTTP server before and beside a request: over real sockets, byte by byte."""

import logging
import os
import resource
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from anyio.abc import SocketStream
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from callwright.net.sockets import opened
from callwright.web_server.http_protocol import Patience
from callwright.web_server.server import most_connections
from tests.peers import serving

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SLOW = 60.0
"""Seconds that nothing here may take; what is waited for comes in a fraction of one."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        body = await Request(scope, receive).body()
    except ClientDisconnect:
        return
    await PlainTextResponse(f"{len(body)} bytes")(scope, receive, send)


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without having read the body."""
    await Response("No.", 413)(scope, receive, send)


@asynccontextmanager
async def dialled(url: str) -> AsyncGenerator[SocketStream]:
    port = urlsplit(url).port
    assert port
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        yield stream


async def to_the_end(stream: SocketStream) -> bytes:
    """What the server says until it closes. Raises BrokenResourceError if it resets the connection."""
    parts: list[bytes] = []
    with anyio.fail_after(SLOW):
        while True:
            try:
                parts.append(await stream.receive())
            except anyio.EndOfStream:
                return b"".join(parts)


async def sends(stream: SocketStream, piece: bytes) -> None:
    """Send this over and over, until the connection is closed by the other end, which raises."""
    with anyio.fail_after(SLOW):
        while True:
            await stream.send(piece)
            await anyio.lowlevel.checkpoint()


async def answer_to(url: str, head: bytes, body: bytes = b"") -> bytes:
    async with dialled(url) as stream:
        await stream.send(head + b"Connection: close\r\n\r\n" + body)
        return await to_the_end(stream)


async def test_six_hundred_unfinished_heads_hinder_nobody_and_are_closed_in_time() -> None:
    async with serving(echo, patience=Patience(head_seconds=1.5)) as url, AsyncExitStack() as stack:
        slow: list[SocketStream] = []
        for _ in range(600):
            slow.append(await stack.enter_async_context(dialled(url)))
            await slow[-1].send(GET)
        assert (await answer_to(url, GET)).endswith(b"0 bytes")
        said = [await to_the_end(stream) for stream in slow]
    assert {each.splitlines()[0] for each in said} == {b"HTTP/1.1 408 Request Timeout"}
    assert {each.splitlines()[-1] for each in said} == {b"The head of the request did not come in time."}


async def test_a_head_has_its_time_as_a_whole_however_its_bytes_come() -> None:
    async with serving(echo, patience=Patience(head_seconds=0.3)) as url, dialled(url) as stream:
        await stream.send(GET + b"X: ")
        with pytest.raises(anyio.BrokenResourceError):
            await sends(stream, b"y")


async def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async with serving(echo, patience=Patience(head_seconds=0.1)) as url, dialled(url) as stream:
        assert await to_the_end(stream) == b""


async def test_the_second_head_of_a_connection_has_its_time_too() -> None:
    async with serving(echo, patience=Patience(head_seconds=0.2)) as url, dialled(url) as stream:
        await stream.send(GET + b"\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 200")
        await stream.send(GET)
        assert b"408 Request Timeout" in await to_the_end(stream)


async def test_a_body_that_stops_coming_is_given_up_and_one_that_comes_is_waited_for() -> None:
    patience = Patience(body_seconds=0.3, rate=1000)
    async with serving(echo, patience=patience) as url, dialled(url) as stops, dialled(url) as comes:
        for stream in (stops, comes):
            await stream.send(b"POST" + GET[3:] + b"Content-Length: 2000\r\n\r\nx")
        await comes.send(b"x" * 1998)  # 2 seconds' worth
        assert b"408 Request Timeout" in (said := await to_the_end(stops))
        assert said.endswith(b"The body of the request did not come in time.\n")
        await comes.send(b"x")
        assert b"2000 bytes" in await comes.receive()


async def test_a_client_that_does_not_read_its_answer_is_let_go() -> None:
    ended = anyio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                await anyio.lowlevel.checkpoint()
        finally:
            ended.set()

    patience = Patience(answer_seconds=0.3)
    async with serving(StreamingResponse(endless()), patience=patience) as url, dialled(url) as stream:
        await stream.send(GET + b"\r\n")
        with anyio.fail_after(SLOW):
            await ended.wait()


async def test_a_slow_reader_gets_its_whole_answer() -> None:
    size = 12_000_000
    answer = Response(b"x" * size, headers={"connection": "close"})
    async with serving(answer, patience=Patience(answer_seconds=0.05, rate=100)) as url, dialled(url) as stream:
        await stream.send(GET + b"\r\n")
        got = 0
        while got < size:
            got += len(await stream.receive(65536))
            await anyio.lowlevel.checkpoint()


async def test_a_conversation_outlives_the_time_of_its_head() -> None:
    async def talk(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept("convai")
        while True:
            await socket.send_text(await socket.receive_text())

    patience = Patience(head_seconds=0.2, body_seconds=0.1)
    async with (
        serving(talk, ws="wsproto", patience=patience) as url,
        httpx2.AsyncClient() as http,
        opened(http, None, httpx2.URL(url.replace("http", "ws")), {}, "convai") as talking,
        dialled(url) as silent,
    ):
        assert await to_the_end(silent) == b""  # a fifth of a second has passed
        await talking.send("still there?")
        assert await talking.receive() == "still there?"


# --- how many there are


async def test_a_new_client_takes_the_place_of_the_idlest_of_those_who_hold_most() -> None:
    async with serving(echo, patience=Patience(connections=3)) as url, AsyncExitStack() as stack:
        port = int(url.rpartition(":")[2])
        few, *many = [
            await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port, local_host=f"127.0.0.{host}"))
            for host in (2, 1, 1)
        ]
        for stream in (few, *many):
            await stream.send(GET)
        assert (await answer_to(url, GET)).endswith(b"0 bytes")
        with anyio.fail_after(SLOW), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await many[0].receive()
        for stream in (few, many[1]):
            await stream.send(b"\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")


async def test_where_all_have_a_request_in_hand_the_next_one_is_told_to_come_later() -> None:
    working, done = anyio.Event(), anyio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        working.set()
        await done.wait()
        await echo(scope, receive, send)

    async with serving(slow, patience=Patience(connections=1)) as url, dialled(url) as busy:
        await busy.send(GET + b"\r\n")
        await working.wait()
        said = await answer_to(url, GET)
        done.set()
        assert (await busy.receive()).startswith(b"HTTP/1.1 200")
    assert said.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert b"retry-after: 1" in said
    assert said.endswith(b"This server has as many connections as it holds. Try again later.\n")


def test_the_limit_of_open_files_bounds_the_connections() -> None:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most_connections(20) == 20
    assert most_connections(most + 1) == most - 128


async def test_where_files_run_out_the_log_says_it_once_and_clients_are_served_when_there_are_some(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(echo) as url:
        port = int(url.rpartition(":")[2])
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]  # the server has not accepted them
        for each in waiting:
            each.sendall(GET + b"Connection: close\r\n\r\n")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        os.close(free := os.dup(0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        try:
            with anyio.fail_after(SLOW):
                while not caplog.records:
                    await anyio.lowlevel.checkpoint()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        async with dialled(url) as after:
            await after.send(GET + b"\r\n")
            with anyio.fail_after(SLOW):
                assert (await after.receive()).startswith(b"HTTP/1.1 200")
        for each in waiting:
            assert each.recv(100).startswith(b"HTTP/1.1 200")
            each.close()
    (said,) = caplog.records
    assert said.getMessage().startswith("No connection can be accepted ([Errno 24] Too many open files).")
    assert said.exc_info is None


# --- answers to what was not read


@pytest.mark.parametrize("length", ["declared", "chunked"])
async def test_a_refusal_arrives_though_the_client_reads_only_when_it_has_sent_all(length: str) -> None:
    body = b"x" * 8_000_000
    framed = body if length == "declared" else b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    header = b"Content-Length: %d" % len(body) if length == "declared" else b"Transfer-Encoding: chunked"
    async with serving(refusing) as url:
        said = await answer_to(url, b"POST" + GET[3:] + header + b"\r\n", framed)
    assert said.startswith(b"HTTP/1.1 413")
    assert said.endswith(b"No.")


async def test_a_client_that_sends_without_end_after_its_refusal_is_cut_off() -> None:
    async with serving(refusing, patience=Patience(linger_bytes=1_000_000)) as url, dialled(url) as stream:
        await stream.send(b"POST" + GET[3:] + b"Content-Length: 1000000000\r\n\r\n")
        with pytest.raises(anyio.BrokenResourceError):
            await sends(stream, b"x" * 65536)


async def test_a_client_that_leaves_its_refused_request_open_is_closed_in_time() -> None:
    async with serving(refusing, patience=Patience(linger_seconds=0.2)) as url, dialled(url) as stream:
        await stream.send(b"POST" + GET[3:] + b"Content-Length: 1000\r\n\r\n")
        assert b"connection: close" in await to_the_end(stream)
        with pytest.raises(anyio.BrokenResourceError):
            await sends(stream, b"x")


@pytest.mark.parametrize("server", ["mcp", "engine"])
async def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_no_trace_in_the_log(
    app: App, caplog: pytest.LogCaptureFixture, server: str
) -> None:
    asgi: Any = mcp_app(app, Listen(token=False)) if server == "mcp" else await app.engine()
    async with serving(asgi, lifespan="on" if server == "mcp" else "off") as url:
        path = b"/mcp" if server == "mcp" else b"/v1/convai/agents/create"
        head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n" % path
        async with dialled(url) as stream:
            await stream.send(head + b"Content-Length: 1000\r\n\r\n{")
        await answer_to(url, GET)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


# --- heads with two meanings


HEADS = {
    "two tokens": b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
    "two keys": b"xi-api-key: a\r\nXI-API-KEY: a\r\n",
    "two origins": b"Origin: https://a.example\r\nOrigin: https://a.example\r\n",
    "two hosts": b"Host: 127.0.0.1\r\n",
    "a length beside chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "two lengths in one": b"Content-Length: 5, 6\r\n",
    "a coding that is unknown": b"Transfer-Encoding: gzip, chunked\r\n",
    "an origin with a user": b"Origin: http://127.0.0.1:80@evil.example\r\n",
}


@pytest.mark.parametrize("extra", HEADS.values(), ids=HEADS)
async def test_a_head_that_two_readers_could_understand_in_two_ways_is_refused(extra: bytes) -> None:
    async with serving(echo) as url:
        said = await answer_to(url, GET + extra, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80@evil.example", "127.0.0.1:port", "127.0.0.1:80/x", "a b", "127.0.0.1:80, evil", "[::1", ""]
)
async def test_a_host_is_a_name_or_an_address_with_a_port_and_nothing_else(app: App, host: str) -> None:
    head = f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n".encode()
    async with serving(mcp_app(app, Listen(token=False)), lifespan="on") as url:
        said = await answer_to(url, head)
    assert said.startswith(b"HTTP/1.1 400")
    assert said.endswith(b"The header Host is no name or address with an optional port, such as 127.0.0.1:8000.\n")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "box_1.internal:1"])
async def test_hosts_as_they_are_usual_are_let_through(host: str) -> None:
    async with serving(echo) as url:
        said = await answer_to(url, f"GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: null\r\n".encode())
    assert said.startswith(b"HTTP/1.1 200")


async def test_an_old_client_without_a_host_is_answered_and_has_no_chunks() -> None:
    async with serving(echo) as url:
        plain = await answer_to(url, b"GET / HTTP/1.0\r\n")
        chunked = await answer_to(url, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")
    assert plain.startswith(b"HTTP/1.1 200")
    assert chunked.endswith(b"HTTP/1.0 has no Transfer-Encoding. Send Content-Length, or HTTP/1.1.\n")


async def test_a_websocket_with_two_origins_is_refused_as_well(app: App) -> None:
    upgrade = (
        b"GET /v1/convai/conversation?agent_id=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Origin: https://a.example\r\nOrigin: https://b.example\r\n\r\n"
    )
    async with serving(await app.engine(), ws="wsproto") as url, dialled(url) as stream:
        await stream.send(upgrade)
        assert (await to_the_end(stream)).startswith(b"HTTP/1.1 400")
