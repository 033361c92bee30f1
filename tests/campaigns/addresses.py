"""Spellings of addresses, redirects, names that change, and ids that are paths: nothing reaches what was not opened.

The traps listen on this machine; the operator has opened one other address of it. Names are looked up at a real little
DNS server on loopback, whose answers change from one question to the next.
"""

import random
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import quote

import anyio
import httpx2
from anyio.abc import SocketStream, UDPSocket
from pydantic import ValidationError

from callwright.contract.agents import GetAgent
from callwright.contract.errors import ApiError
from callwright.net.guard import AllowList
from callwright.net.pages import read_page
from callwright.net.pinned import guarded_client
from tests.engine.tool_calls.test_webhooks import call

from .campaign import Finding, Json, Report

SHORT, LONG = 1_500, 60_000
OPENED = "127.0.0.9"
"""The address that the operator has opened, where a friend listens on the port of the traps."""
HERE = ("127.0.0.1", "127.0.0.2", "127.1.1.1", "0.0.0.0")
TIMES = httpx2.Timeout(5, connect=2)


@dataclass
class Lures:
    """The traps, the friend that sends to them, and the DNS server that names them."""

    port: int
    resolver: tuple[str, int]
    hits: list[str] = field(default_factory=list[str])
    location: str = ""
    zone: dict[str, list[list[str]]] = field(default_factory=dict[str, list[list[str]]])
    """By name: the answers of the first question, of the second, ...; the last one for ever."""
    asked: int = 0

    async def trap(self, stream: SocketStream) -> None:
        async with stream:
            self.hits.append("a trap was connected to")

    async def friend(self, stream: SocketStream) -> None:
        async with stream:
            try:
                await stream.receive()
                where = self.location.encode("utf-8", "replace")
                await stream.send(
                    b"HTTP/1.1 302 Found\r\nlocation: " + where + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    async def name_server(self, udp: UDPSocket) -> None:
        async for packet, (host, port) in udp:
            name, kind, end = _question(packet)
            answers = self.zone.get(name.lower(), [[]])
            chosen = answers.pop(0) if len(answers) > 1 else answers[0]
            self.asked += 1
            await udp.sendto(_answer(packet, end, kind, chosen), host, port)

    async def look_up(self, host: str, port: int) -> list[str]:
        """Asks the DNS server, as a resolver does. Raises OSError."""
        found: list[str] = []
        async with await anyio.create_connected_udp_socket(*self.resolver) as udp:
            for kind in (1, 28):
                name = b"".join(bytes([len(part)]) + part for part in host.rstrip(".").encode("idna").split(b"."))
                await udp.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name + b"\0" + struct.pack(">2H", kind, 1))
                found += _addresses(await udp.receive())
        if not found:
            raise OSError("no such name")
        return found


def _question(packet: bytes) -> tuple[str, int, int]:
    at, parts = 12, list[str]()
    while packet[at]:
        parts.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii", "replace"))
        at += packet[at] + 1
    return ".".join(parts), struct.unpack_from(">H", packet, at + 1)[0], at + 5


def _answer(packet: bytes, end: int, kind: int, addresses: list[str]) -> bytes:
    records = [ip_address(each).packed for each in addresses]
    fitting = [record for record in records if len(record) == (4 if kind == 1 else 16)]
    head = packet[:2] + struct.pack(">5H", 0x8180, 1, len(fitting), 0, 0)
    body = b"".join(struct.pack(">3HIH", 0xC00C, kind, 1, 0, len(record)) + record for record in fitting)
    return head + packet[12:end] + body


def _addresses(packet: bytes) -> list[str]:
    count, at = struct.unpack_from(">H", packet, 6)[0], _question(packet)[2]
    found: list[str] = []
    for _ in range(count):
        length = struct.unpack_from(">H", packet, at + 10)[0]
        found.append(str(ip_address(packet[at + 12 : at + 12 + length])))
        at += 12 + length
    return found


@asynccontextmanager
async def _lures() -> AsyncGenerator[Lures]:
    async with (
        await anyio.create_udp_socket(local_host="127.0.0.1") as udp,
        await anyio.create_tcp_listener(local_host=OPENED) as friend,
        anyio.create_task_group() as tasks,
    ):
        port: int = friend.extra(anyio.abc.SocketAttribute.local_port)
        at: Any = udp.extra(anyio.abc.SocketAttribute.local_address)
        lures = Lures(port, (at[0], at[1]))
        tasks.start_soon(lures.name_server, udp)
        tasks.start_soon(friend.serve, lures.friend)
        for host in ("127.0.0.1", "127.0.0.2", "127.1.1.1", "::1"):
            if host != "::1" or socket.has_ipv6:
                listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
                tasks.start_soon(listener.serve, lures.trap)
        yield lures
        tasks.cancel_scope.cancel()


# --- spellings


def _parts(address: int, chance: random.Random) -> str:
    """An IPv4 address with one to four parts, each decimal, octal or hexadecimal."""
    size = chance.randrange(1, 5)
    octets = address.to_bytes(4, "big")
    numbers = [*octets[: size - 1], int.from_bytes(octets[size - 1 :], "big")]
    forms: list[Callable[[int], str]] = [str, lambda n: f"0{n:o}", hex, lambda n: f"0X{n:X}", lambda n: f"000{n:o}", lambda n: f"0x00{n:x}"]  # fmt: skip
    return ".".join(chance.choice(forms)(number) for number in numbers)


def _six(address: int, chance: random.Random) -> str:
    low = str(IPv4Address(address))
    high, rest = f"{address >> 16:x}", f"{address & 0xFFFF:x}"
    return chance.choice((
        "[::1]", f"[::ffff:{low}]", f"[::ffff:{high}:{rest}]", f"[::{low}]", f"[64:ff9b::{low}]", f"[2002:{high}:{rest}::]",
        "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[::1%lo]", f"[fe80::5efe:{low}]", f"[2001:0:{high}:{rest}::]", "[::]",
        f"[{IPv6Address(address | 0xFFFF << 32).exploded}]", f"[64:ff9b:1::{low}]", "[0000::0001]", "[::ffff:0:127.0.0.1]",
    ))  # fmt: skip


WIDE = {**{ord(str(digit)): 0xFF10 + digit for digit in range(10)}, ord("."): 0x3002}
ROUND = {ord(str(digit)): 0x2460 + digit - 1 for digit in range(1, 10)}
"""Digits and dots that some readers of addresses take for the plain ones."""


def _host(chance: random.Random) -> str:
    address = int(IPv4Address(chance.choice(HERE)))
    plain = _parts(address, chance) if chance.random() < 0.7 else _six(address, chance)
    names = (
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "127.0.0.1.",
    )
    return chance.choice((
        plain, plain, plain, f"{plain}.", plain.translate(WIDE), plain.translate(ROUND), quote(plain), plain.replace(".", "%2e"),
        plain.upper(), f"{OPENED}@{plain}", f"user:pw@{plain}", f"{plain}\\@{OPENED}", f"{OPENED}#@{plain}", f"{OPENED}?@{plain}",
        f"{OPENED}\t{plain}", f" {plain}", f"{plain}\u00ad", f"{plain}\u200b", plain.replace(".", "\u3002"), f"{plain}%00.example.com",
        chance.choice(names),
    ))  # fmt: skip


ANSWERS: list[list[list[str]]] = [
    [["127.0.0.1"]], [[OPENED], ["127.0.0.1"]], [[OPENED], [], ["127.0.0.1"]], [[OPENED, "127.0.0.1"]],
    [["::1"]], [[OPENED], ["::1"]], [["::ffff:127.0.0.1"]], [["64:ff9b::7f00:1"]], [["2002:7f00:1::"]], [["0.0.0.0"]],
    [["127.0.0.2", OPENED]], [[OPENED, "::1"], [OPENED]], [["169.254.169.254"]], [["fe80::1"]], [["::"]], [["::127.0.0.1"]],
]  # fmt: skip


def _case(chance: random.Random) -> Json:
    kind = chance.choice(("spelt", "spelt", "redirect", "named", "named", "id"))
    if kind == "id":
        return {"kind": kind, "id": _id(chance)}
    scheme = chance.choice(("http", "https", "HTTP", "http:/", "https:\\", "ftp", "ws", "http\t"))
    case: Json = {"kind": kind, "scheme": scheme if chance.random() < 0.3 else chance.choice(("http", "https"))}
    if kind == "named":
        name = f"n{chance.randrange(10**6)}.attacker.example"
        return case | {"host": name, "answers": chance.choice(ANSWERS), "tries": chance.choice((1, 2, 3))}
    return case | {"host": _host(chance)}


def _id(chance: random.Random) -> str:
    pieces = ("..", ".", "/", "%2f", "%2e%2e", "\\", "?", "#", "user", "v1", "agent_1", ";", "\0", "%00", "//", "\u2215", "\uff0f", "@", "&x=", "%25", "\n", "\ud800", " ")  # fmt: skip
    return "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 6)))


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    async with _lures() as lures:
        for _ in range(count):
            case = _case(chance)
            report.counts[
                {"spelt": "spellings", "redirect": "redirects", "named": "names", "id": "ids"}[case["kind"]]
            ] += 1
            report.findings += [Finding(said, case) for said in await _tried(lures, case)]
        report.counts["questions to the DNS server"] = lures.asked
        if not await _reachable(lures):
            report.findings.append(Finding("The traps could not be reached by anybody.", {"kind": "id", "id": "x"}))
    return report


async def replay(case: Json) -> list[str]:
    async with _lures() as lures:
        return await _tried(lures, case)


async def _reachable(lures: Lures) -> bool:
    """Whether a client without a guard falls into a trap; else nothing could be found."""
    async with guarded_client(AllowList.parse("localhost"), timeout=TIMES) as http:
        try:
            await http.get(f"http://127.0.0.1:{lures.port}/")
        except httpx2.HTTPError:
            return bool(lures.hits)
    return bool(lures.hits)


async def _tried(lures: Lures, case: Json) -> list[str]:
    lures.hits.clear()
    if case["kind"] == "id":
        return _outside(case["id"])
    url = f"{case['scheme']}://{case['host']}:{lures.port}/hook"
    allow = AllowList.parse(OPENED)
    if case["kind"] == "named":
        lures.zone[case["host"]] = [list(each) for each in case["answers"]]
        async with guarded_client(allow, timeout=TIMES, lookup=lures.look_up) as http:
            for _ in range(case["tries"]):
                await _get(http, url)
        del lures.zone[case["host"]]
    elif case["kind"] == "redirect":
        lures.location = url
        here = f"http://{OPENED}:{lures.port}/page"
        with suppress(ApiError, httpx2.InvalidURL):
            await read_page(here, allow=allow)
        with suppress(httpx2.InvalidURL):
            await call(here, allow=OPENED, request_headers={"X-Key": {"secret_id": "secret_1"}})
    else:
        async with guarded_client(allow, timeout=TIMES) as http:
            await _get(http, url)
    return [f"{case['kind']}: {hit}, by {url!r}" for hit in lures.hits[:1]]


async def _get(http: httpx2.AsyncClient, url: str) -> None:
    try:
        await http.get(url, headers={"x-key": "a-secret"})
    except (ApiError, httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError):
        return


def _outside(id: str) -> list[str]:
    """An id is one segment of the path of its own endpoint, as the client that sends it reads it, or is refused."""
    try:
        path = httpx2.URL(f"http://platform.example{GetAgent(agent_id=id).url()}?x=1").raw_path.decode()
    except (ValueError, ValidationError):
        return []
    begins = "/v1/convai/agents/"
    rest = path.partition("?")[0].removeprefix(begins)
    fits = path.startswith(begins) and "/" not in rest and rest.strip(".") and path.endswith("?x=1") and "#" not in path
    return [] if fits else [f"the id {id!r} leads to {path}"]
