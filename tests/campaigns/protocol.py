"""Frames that no client should send, over stdio, HTTP and stateless HTTP: the server lives, and answers the next call."""

import json
import os
import random
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import Process

from callwright.app import App
from callwright.http_server.serving import mcp_app
from tests.commands.test_cli import environment
from tests.engine.test_fuzz import ODD, broken
from tests.http_server.tokens_fixture import call_of
from tests.peers import serving
from tests.transports import MODERN, Clock, listening, numbered, settings
from tests.warm import callwright

from .campaign import Finding, Json, Report, smallest

SHORT, LONG = 240, 20_000
BURST = 20
"""So many bad frames, then a good call."""
SECONDS = 60
LEGACY = "2025-11-25"
ERAS = (MODERN, LEGACY)
META: Json = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
HELLO: Json = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": LEGACY, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
INITIALIZED = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'
GOOD: list[Json] = [
    HELLO,
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": META}},
    {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "get_agent", "arguments": {"agent_id": "a"}, "_meta": META}},
    {"jsonrpc": "2.0", "id": "x", "method": "resources/read", "params": {"uri": "callwright://agents", "_meta": META}},
    {"jsonrpc": "2.0", "id": 4, "method": "completion/complete", "params": {"ref": {"type": "ref/resource", "uri": "x"}, "argument": {"name": "a", "value": ""}}},
    {"jsonrpc": "2.0", "id": 5, "method": "logging/setLevel", "params": {"level": "debug"}},
    {"jsonrpc": "2.0", "id": 6, "method": "server/discover", "params": {"_meta": META}},
    {"jsonrpc": "2.0", "id": 7, "method": "prompts/get", "params": {"name": "x", "arguments": {}}},
    {"jsonrpc": "2.0", "id": 8, "method": "tasks/get", "params": {"taskId": "x"}},
    {"jsonrpc": "2.0", "id": 9, "method": "subscriptions/listen", "params": {"notifications": {}}},
    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}},
    {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}},
    {"jsonrpc": "2.0", "id": 77, "result": {"action": "accept", "content": {"approve": True}}},
    {"jsonrpc": "2.0", "id": 78, "error": {"code": 1, "message": "no"}},
]  # fmt: skip


def frame(chance: random.Random) -> bytes:
    """One frame that is wrong somewhere: in its bytes, its JSON, its envelope or its parameters."""
    message = broken(chance.choice(GOOD), chance)
    text = json.dumps(message)
    match chance.randrange(14):
        case 0:
            raw = bytearray(text.encode())
            for _ in range(chance.randrange(1, 6)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            return bytes(raw)
        case 1:
            return text.encode()[: chance.randrange(len(text))]
        case 2:
            return b"[" * chance.choice((10, 1_000, 60_000))
        case 3:
            return json.dumps([message] * chance.choice((0, 1, 2, 50))).encode()
        case 4:
            return text.replace('"id"', '"id": 1, "id"', 1).encode()
        case 5:
            return text.encode("utf-16")
        case 6:
            return b"\xef\xbb\xbf" + text.encode()
        case 7:
            return json.dumps({**GOOD[1], "id": chance.choice(ODD), "method": chance.choice(ODD)}).encode()
        case 8:
            return chance.randbytes(chance.randrange(1, 300))
        case 9:
            return text.replace("1", "1e999", 1).replace("2", "NaN", 1).encode()
        case 10:
            return json.dumps({**GOOD[2], "id": "i" * chance.choice((300, 200_000))}).encode()
        case 11:
            deep: Any = {}
            for _ in range(chance.choice((50, 600))):
                deep = {"a": deep, "b": [deep]} if chance.random() < 0.01 else {"a": deep}
            return json.dumps({**GOOD[2], "params": {"name": "get_agent", "arguments": deep}}).encode()
        case _:
            return text.encode()


Send = Callable[[bytes, random.Random], Awaitable[None]]
Ask = Callable[[], Awaitable[str | None]]
"""A good call; what was wrong with its answer."""


async def campaign(count: int, seed: int) -> Report:
    report = Report()
    for place, transport in enumerate(TRANSPORTS):
        chance = random.Random(f"{seed} {transport}")
        async with TRANSPORTS[transport]() as (send, ask):
            for _ in range(max(1, count // len(TRANSPORTS) // BURST)):
                numbers = [chance.randrange(2**32) for _ in range(BURST)]
                wrong = await _burst(send, ask, numbers)
                report.counts["frames"] += BURST
                report.counts["good calls answered"] += not wrong
                if wrong:
                    case = {"transport": transport, "numbers": await smallest(numbers, _fails_on(transport))}
                    report.findings.append(Finding(f"{transport}: {wrong}", case))
                    break
        report.counts["transports"] = place + 1
    return report


async def _burst(send: Send, ask: Ask, numbers: list[int]) -> str | None:
    """Each frame comes from a number of its own, so that a few of them can be sent again."""
    for number in numbers:
        chance = random.Random(number)
        try:
            with anyio.fail_after(SECONDS):
                await send(frame(chance), chance)
        except TimeoutError:
            return f"a frame was not answered within {SECONDS} s"
        except (AssertionError, OSError, anyio.BrokenResourceError, httpx2.TransportError) as exc:
            return f"a frame ended in {type(exc).__name__}: {str(exc)[:300]}"
    try:
        with anyio.fail_after(SECONDS):
            return await ask()
    except Exception as exc:  # whatever it is: the server does not answer any more
        return f"the next good call ended in {type(exc).__name__}: {str(exc)[:300]}"


def _fails_on(transport: str) -> Callable[[list[int]], Awaitable[bool]]:
    async def fails(numbers: list[int]) -> bool:
        async with TRANSPORTS[transport]() as (send, ask):
            return await _burst(send, ask, numbers) is not None

    return fails


async def replay(case: Json) -> list[str]:
    async with TRANSPORTS[case["transport"]]() as (send, ask):
        wrong = await _burst(send, ask, case["numbers"])
    return [wrong] if wrong else []


# --- transports


@asynccontextmanager
async def _over_http(transport: str) -> AsyncGenerator[tuple[Send, Ask]]:
    with tempfile.TemporaryDirectory(prefix="protocol-") as folder:
        app = App(settings(Path(folder) / "home", http_rate=0), "embedded", clock=Clock(), ids=numbered())
        limits = httpx2.Timeout(SECONDS)
        async with (
            serving(mcp_app(app, listening(transport)), lifespan="on") as url,
            httpx2.AsyncClient(timeout=limits) as http,
        ):
            await http.get(f"{url}/healthz")
            begun = await _post(
                http, url, json.dumps(HELLO).encode(), {"accept": "application/json, text/event-stream"}
            )
            session = begun.headers.get("mcp-session-id")

            async def send(data: bytes, chance: random.Random) -> None:
                answer = await _post(http, url, data, _headers(chance, session))
                assert answer.status_code != 500, answer.text[:300]
                assert "Traceback" not in answer.text, answer.text[:300]

            async def ask() -> str | None:
                for era in ERAS if transport == "stateless" else (MODERN,):
                    body, headers = call_of("list_agents", {}, era)
                    answer = await _post(http, url, json.dumps(body).encode(), headers)
                    if '"isError":false' not in answer.text.replace(" ", ""):
                        return f"{era}: {answer.status_code} {answer.text[:300]}"
                return None

            yield send, ask
        await app.close()


async def _post(http: httpx2.AsyncClient, url: str, data: bytes, headers: dict[str, str]) -> httpx2.Response:
    """Streams that stay open are left after a moment: who sent this does not wait for what comes there."""
    sent = {"content-type": "application/json", **headers}
    async with http.stream("POST", f"{url}/mcp", content=data, headers=sent) as answer:
        body = b""
        with anyio.move_on_after(2):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if b'"jsonrpc"' in body and body.endswith(b"\n\n"):
                    break
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)


def _headers(chance: random.Random, session: str | None) -> dict[str, str]:
    kinds = ("application/json, text/event-stream", "application/json", "text/event-stream", "*/*", "text/html")
    versions = (MODERN, LEGACY, "2025-06-18", "2024-11-05", "1999-01-01", "x" * 200)
    headers = {"accept": chance.choice(kinds), "mcp-protocol-version": chance.choice(versions)}
    if chance.random() < 0.3:
        headers |= {
            "mcp-method": chance.choice(("tools/call", "tools/list", "x")),
            "mcp-name": chance.choice(("get_agent", "x")),
        }
    if chance.random() < 0.4:
        headers["mcp-session-id"] = chance.choice((session or "none", "none", "z" * 500))
    if chance.random() < 0.1:
        headers["last-event-id"] = chance.choice(("1", "x" * 300))
    if chance.random() < 0.1:
        headers["content-type"] = chance.choice(
            ("text/plain", "application/json; charset=utf-16", "multipart/form-data")
        )
    return headers


@asynccontextmanager
async def _over_stdio(era: str) -> AsyncGenerator[tuple[Send, Ask]]:
    with tempfile.TemporaryDirectory(prefix="protocol-") as folder:
        home = settings(Path(folder) / "home").home
        command = [*callwright(), "serve", "--platform", "embedded"]
        async with await anyio.open_process(
            command, env=environment(home, CALLWRIGHT_LOG_LEVEL="error"), stderr=subprocess.DEVNULL
        ) as server:
            answers = _Lines(server)
            if era == LEGACY:
                await answers.write(json.dumps(HELLO).encode())
                await answers.write(INITIALIZED)
            asked = 0

            async def send(data: bytes, _: random.Random) -> None:
                await answers.write(data.replace(b"\n", b" "))

            async def ask() -> str | None:
                nonlocal asked
                found = ""
                # A frame of a burst may have begun the other era, which this connection then keeps.
                for each in (era, *ERAS):
                    asked += 1
                    id, (body, _) = f"good-{asked}", call_of("list_agents", {}, each)
                    if each == LEGACY:
                        await answers.write(INITIALIZED)
                    await answers.write(json.dumps({**body, "id": id}).encode())
                    found = await answers.until(id)
                    if "protocol era" not in found:
                        break
                return None if '"isError":false' in found.replace(" ", "") else found[:300]

            yield send, ask
            server.terminate()


class _Lines:
    """The lines of a program, each written at once and read until the one that is waited for."""

    def __init__(self, server: Process) -> None:
        assert server.stdin
        assert server.stdout
        self._stdin, self._stdout, self._held = server.stdin, server.stdout, b""

    async def write(self, data: bytes) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._drain)
            await self._stdin.send(data + b"\n")
            tasks.cancel_scope.cancel()

    async def _drain(self) -> None:
        """Reads meanwhile, so that neither side waits for the other with a full pipe."""
        while True:
            self._held += await self._stdout.receive()

    async def until(self, id: str) -> str:
        while True:
            *whole, rest = self._held.split(b"\n")
            for line in whole:
                if f'"id":"{id}"'.encode() in line:
                    self._held = rest
                    return line.decode()
            self._held = rest + await self._stdout.receive()


TRANSPORTS: dict[str, Any] = {
    "stdio, modern": lambda: _over_stdio(MODERN),
    "stdio, legacy": lambda: _over_stdio(LEGACY),
    "http": lambda: _over_http("http"),
    "stateless": lambda: _over_http("stateless"),
}
if not hasattr(os, "fork"):
    del TRANSPORTS["stdio, modern"], TRANSPORTS["stdio, legacy"]
