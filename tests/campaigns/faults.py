"""A proxy that breaks what goes between the program and its platform: each call ends typed, in time, and acts once.

The platform is the real engine behind real HTTP, and notes what arrives. A fault comes before a request is handed on,
instead of its answer, or within its answer.
"""

import random
import struct
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from anyio.abc import SocketAttribute, SocketStream
from pydantic import SecretStr, ValidationError
from starlette.requests import Request

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.errors import ApiError
from callwright.contract.operation import Operation
from tests.engine.helpers import http
from tests.laws.test_answers import IMPLEMENTED, REQUESTS, filled, furnished
from tests.peers import peer, serving
from tests.transports import Clock, numbered, settings

from .campaign import Finding, Json, Report

SHORT, LONG = 300, 10_000
DEADLINE = 0.4
GRACE = 30
"""Seconds beyond the deadline, on a machine that does other things too."""
KEY = "a-key-of-the-platform"
MOMENTS = ("before", "instead", "within")
Fault = Callable[[SocketStream, bytes], Awaitable[None]]
"""Plays on the client's connection; given what is left of the true answer."""


def says(line: str, *headers: str, body: bytes = b"{}") -> Fault:
    head = "\r\n".join([f"HTTP/1.1 {line}", f"content-length: {len(body)}", "connection: close", *headers, "", ""])

    async def play(stream: SocketStream, _: bytes) -> None:
        await stream.send(head.encode() + body)

    return play


def raw(data: bytes) -> Fault:
    async def play(stream: SocketStream, _: bytes) -> None:
        await stream.send(data)

    return play


async def closes(stream: SocketStream, _: bytes) -> None:
    """The connection ends in order, in the middle of things."""


async def resets(stream: SocketStream, _: bytes) -> None:
    socket = stream.extra(SocketAttribute.raw_socket)
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0))


async def stalls(stream: SocketStream, _: bytes) -> None:
    await anyio.sleep(DEADLINE * 3)


async def drips(stream: SocketStream, rest: bytes) -> None:
    for byte in (rest or b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1000)[:1000]:
        await stream.send(bytes([byte]))
        await anyio.sleep(0.02)


async def half(stream: SocketStream, rest: bytes) -> None:
    await stream.send(rest[: len(rest) // 2])


async def twice(stream: SocketStream, rest: bytes) -> None:
    await stream.send(rest + rest)


async def late(stream: SocketStream, rest: bytes) -> None:
    await anyio.sleep(DEADLINE / 2)
    await stream.send(rest)


async def longer(stream: SocketStream, rest: bytes) -> None:
    await stream.send(rest.replace(b"content-length: ", b"content-length: 9"))


async def shorter(stream: SocketStream, rest: bytes) -> None:
    await stream.send(rest.replace(b"content-length: ", b"content-length: 0"))


FAULTS: dict[str, Fault] = {
    "closes": closes, "resets": resets, "stalls": stalls, "drips": drips, "half of the answer": half,
    "the answer twice": twice, "the answer late": late, "too long a length": longer, "too short a length": shorter,
    "500": says("500 No", body=b"Traceback"), "502": says("502 No", "content-type: text/html", body=b"<html>"),
    "503 at once": says("503 No", "retry-after: 0"), "503 for a while": says("503 No", "retry-after: -1"),
    "503 for ever": says("503 No", "retry-after: 99999999999999999999"), "408": says("408 Slow"),
    "429 at once": says("429 No", "retry-after: 0"), "429 with words": says("429 No", "retry-after: soon"),
    "429 with a date": says("429 No", "retry-after: Fri, 31 Dec 1999 23:59:59 GMT"),
    "429 with two": says("429 No", "retry-after: 0", "retry-after: 5"), "409": says("409 No"), "425": says("425 Early"),
    "garbage": raw(b"\x00\xff\x16\x03\x01" * 40), "another protocol": raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "HTML": says("200 OK", "content-type: text/html", body=b"<html>Log in</html>"),
    "bad JSON": says("200 OK", body=b"{'id': 1"), "deep JSON": says("200 OK", body=b"[" * 50_000),
    "nothing": says("200 OK", body=b""), "broken gzip": says("200 OK", "content-encoding: gzip", body=b"no"),
    "a redirect": says("307 Moved", "location: /v1/convai/agents/create"),
    "hints without end": raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 200),
    "a status that is none": raw(b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
}  # fmt: skip


def is_a_lie(op: type[Operation[Any]], fault: str, moment: str) -> bool:
    """Whether an answer says that nothing was done, and something was. The program takes a platform's word for it:
    429 comes before the handler, and 503 with `Retry-After` for all but calls to people (`api/retry.py`).
    """
    denies = fault.startswith("429") or (fault.startswith("503") and op.effect != "dial")
    return denies and moment == "instead"


@dataclass
class Proxy:
    """Hands requests on, and plays one fault on the next `left` of them."""

    upstream: str
    fault: str = ""
    moment: str = ""
    left: int = 0

    async def talk(self, stream: SocketStream) -> None:
        try:
            while (request := await _request(stream)) is not None:
                broken = self.left > 0
                self.left -= broken
                if not broken:
                    await stream.send(await self._handed_on(request))
                    continue
                answer = b"" if self.moment == "before" else await self._handed_on(request)
                if self.moment == "within":
                    cut = max(1, len(answer) * 2 // 3)
                    await stream.send(answer[:cut])
                    answer = answer[cut:]
                await FAULTS[self.fault](stream, answer)
                return
        except (anyio.EndOfStream, anyio.BrokenResourceError, ConnectionError):
            pass

    async def _handed_on(self, request: bytes) -> bytes:
        at = urlsplit(self.upstream)
        async with await anyio.connect_tcp(at.hostname or "", at.port or 0) as upstream:
            head, _, body = request.partition(b"\r\n\r\n")
            await upstream.send(head + b"\r\nconnection: close\r\n\r\n" + body)
            answer = b""
            while True:
                try:
                    answer += await upstream.receive()
                except anyio.EndOfStream:
                    return answer


async def _request(stream: SocketStream) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            data += await stream.receive()
        except anyio.EndOfStream:
            return None
    head = data.partition(b"\r\n\r\n")[0].lower()
    lengths = [int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    while len(data) < len(head) + 4 + sum(lengths):
        data += await stream.receive()
    return data.replace(b"\r\nConnection: keep-alive", b"", 1)


@dataclass
class Platform:
    """The engine, and what arrived there."""

    proxy: Proxy
    api: ApiClient
    ids: dict[str, str]
    seen: list[tuple[str, str, bytes]] = field(default_factory=list[tuple[str, str, bytes]])


@asynccontextmanager
async def _platform() -> AsyncGenerator[Platform]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        chosen = settings(Path(folder) / "home", allow_private=("127.0.0.1",))
        app = App(chosen, "embedded", clock=Clock(), ids=numbered())
        engine = await app.engine(KEY)
        async with http(engine, **{"xi-api-key": KEY}) as wire:
            ids = await furnished(wire)
        seen: list[tuple[str, str, bytes]] = []

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            request = Request(scope, receive)
            body = await request.body()
            seen.append((scope["method"], f"{scope['path']}?{scope['query_string'].decode()}", body))
            sent = [{"type": "http.request", "body": body, "more_body": False}]
            await engine(scope, _giving(sent, receive), send)

        async with serving(noting) as upstream:
            proxy = Proxy(upstream)
            async with (
                peer(proxy.talk) as url,
                ApiClient(url, key=SecretStr(KEY), deadline=DEADLINE, random=lambda: 0.0) as api,
            ):
                yield Platform(proxy, api, ids, seen)
        await app.close()


def _giving(sent: list[Any], receive: Any) -> Callable[[], Awaitable[Any]]:
    async def give() -> Any:
        return sent.pop() if sent else await receive()

    return give


OPERATIONS: dict[str, type[Operation[Any]]] = {
    op.__name__: op for op in IMPLEMENTED if op.method != "WS" and not op.streams() and not op.multipart()
}


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    ways = [(op, fault, moment) for op in OPERATIONS for fault in FAULTS for moment in MOMENTS]
    chance.shuffle(ways)
    async with _platform() as platform:
        for number in range(count):
            op, fault, moment = ways[number % len(ways)]
            case = {"operation": op, "fault": fault, "moment": moment, "times": chance.choice((1, 1, 1, 2, 9))}
            wrong, ended = await _tried(platform, case)
            report.counts["faults"] += 1
            report.counts[ended] += 1
            report.findings += [Finding(f"{op}, {fault} {moment}: {each}", case) for each in wrong]
    report.counts["operations"], report.counts["kinds"], report.counts["moments"] = (
        len(OPERATIONS),
        len(FAULTS),
        len(MOMENTS),
    )
    return report


async def replay(case: Json) -> list[str]:
    async with _platform() as platform:
        return (await _tried(platform, case))[0]


async def _tried(platform: Platform, case: Json) -> tuple[list[str], str]:
    """What was wrong, and how the call ended."""
    op = OPERATIONS[case["operation"]]
    path = {name: platform.ids.get(name, "x") for name, place in op.places().items() if place == "path"}
    try:
        request = op.parse(path, {}, filled(REQUESTS.get(op.__name__) or {}, platform.ids))
    except ValidationError:  # it wants a query, which no sample of the wire has
        return [], "without a sample"
    platform.proxy.fault, platform.proxy.moment, platform.proxy.left = case["fault"], case["moment"], case["times"]
    platform.seen.clear()
    wrong, ended = list[str](), "answered"
    try:
        with anyio.fail_after(DEADLINE + GRACE):
            await platform.api.send(request)
    except ApiError:
        ended = "ended typed"
    except TimeoutError:
        wrong.append(f"it had no end within {DEADLINE + GRACE:.0f} s")
    except (httpx2.HTTPError, ValueError, TypeError, KeyError, RuntimeError) as exc:
        wrong.append(f"it ended in {type(exc).__name__}")
    platform.proxy.left = 0
    if op.effect != "read" and len(platform.seen) > 1 and not is_a_lie(op, case["fault"], case["moment"]):
        wrong.append(f"it arrived {len(platform.seen)} times")
    return wrong, ended
