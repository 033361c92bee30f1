"""The guarded client against real sockets: what it refuses never sees a connection."""

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx2 as httpx
import pytest
from anyio.abc import SocketStream

from callwright.contract.errors import BadRequest
from callwright.net.guard import AllowList
from callwright.net.http import TooLarge
from callwright.net.pinned import guarded_client, look_up, resolve

from ..peers import peer

pytestmark = pytest.mark.anyio
LOCAL = AllowList.parse("localhost")


class Trap:
    """Counts connections; answers each request with `answer`, and keeps what it was sent."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") -> None:
        self.answer, self.heard, self.connections = answer, list[bytes](), 0

    async def talk(self, stream: SocketStream) -> None:
        self.connections += 1
        async with stream:
            while True:
                try:
                    self.heard.append(await stream.receive())
                    await stream.send(self.answer)
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return


@asynccontextmanager
async def trap(answer: bytes | None = None) -> AsyncGenerator[tuple[Trap, str]]:
    caught = Trap(answer) if answer else Trap()
    async with peer(caught.talk) as url:
        yield caught, url


def answer(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_this_machine_is_not_called_unless_it_was_opened() -> None:
    async with trap() as (caught, url):
        async with guarded_client() as http:
            with pytest.raises(BadRequest):
                await http.get(url)
        assert caught.connections == 0
        async with guarded_client(LOCAL) as http:
            assert (await http.get(url)).text == "ok"
        assert caught.connections == 1


async def test_a_name_is_judged_by_all_of_its_addresses() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["8.8.8.8", "127.0.0.1"]

    async with trap() as (caught, url), guarded_client(lookup=lookup) as http:
        with pytest.raises(BadRequest, match="private network"):
            await http.get(f"https://two.example:{httpx.URL(url).port}/")
        assert caught.connections == 0


async def test_the_text_of_a_url_is_judged_before_its_name_is_looked_up() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise AssertionError

    async with guarded_client(lookup=lookup) as http:
        for url in ("http://example.com/", "https://example.com:25/", "https://u:p@example.com/"):
            with pytest.raises(BadRequest):
                await http.get(url)


async def test_a_name_that_changes_its_address_after_the_check_changes_nothing() -> None:
    lookups: list[str] = []

    async def lookup(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["169.254.169.254"]

    allow = AllowList.parse("rebind.example")
    async with trap() as (caught, url), guarded_client(allow, lookup=lookup) as http:
        target = f"http://rebind.example:{httpx.URL(url).port}/"
        for _ in range(3):
            assert (await http.get(target)).text == "ok"
        assert (lookups, caught.connections) == (["rebind.example"], 1)
        assert b"Host: rebind.example:" in caught.heard[0]

    async with trap() as (caught, url), guarded_client(allow, lookup=lookup) as http:
        with pytest.raises(BadRequest, match="metadata"):
            await http.get(f"http://rebind.example:{httpx.URL(url).port}/")


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]  # the peer listens on the second only

    async with trap() as (_, url), guarded_client(AllowList.parse("two.example"), lookup=lookup) as http:
        assert (await http.get(f"http://two.example:{httpx.URL(url).port}/")).text == "ok"


async def test_tls_is_spoken_with_the_name_not_the_address() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with trap() as (caught, url), guarded_client(AllowList.parse("named.example"), lookup=lookup) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"https://named.example:{httpx.URL(url).port}/")
        assert b"named.example" in caught.heard[0]


async def test_a_name_without_an_address_cannot_be_connected_to() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return []

    async with guarded_client(lookup=lookup) as http:
        with pytest.raises(httpx.ConnectError, match="cannot be resolved"):
            await http.get("https://nowhere.example/")


async def test_a_lookup_that_hangs_ends_by_the_connect_timeout() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        await anyio.sleep_forever()
        return []

    async with guarded_client(lookup=lookup, timeout=httpx.Timeout(5, connect=0.01)) as http:
        with pytest.raises(httpx.ConnectTimeout):
            await http.get("https://slow.example/")


async def test_the_system_resolver_is_asked_by_default() -> None:
    assert "127.0.0.1" in await resolve("localhost", 80, LOCAL, look_up)
    with pytest.raises(OSError, match=r"(?i)name|getaddrinfo"):
        await resolve("a" * 64 + ".example", 80, LOCAL, look_up)


async def test_a_redirect_is_handed_over_and_not_followed() -> None:
    async with trap() as (inside, inner):
        redirect = b"HTTP/1.1 302 Found\r\nlocation: " + inner.encode() + b"\r\ncontent-length: 0\r\n\r\n"
        async with trap(redirect) as (_, url), guarded_client(LOCAL) as http:
            assert (await http.get(url)).status_code == 302
        assert inside.connections == 0


async def test_an_answer_larger_than_the_cap_is_broken_off() -> None:
    async with trap(answer(bytes(2048))) as (_, url):
        async with guarded_client(LOCAL, largest=2048) as http:
            assert len((await http.get(url)).content) == 2048
        async with guarded_client(LOCAL, largest=2047) as http:
            with pytest.raises(TooLarge):
                await http.get(url)


async def test_an_answer_longer_than_the_cap_is_broken_off() -> None:
    async with trap() as (_, url), guarded_client(LOCAL, longest=0) as http:
        with pytest.raises(httpx.ReadTimeout, match="longer"):
            await http.get(url)


async def test_a_compressed_answer_is_refused_because_it_was_not_asked_for() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    async with trap(answer(bomb, b"content-encoding: gzip")) as (caught, url), guarded_client(LOCAL) as http:
        with pytest.raises(httpx.DecodingError):
            await http.get(url)
        assert b"identity" in caught.heard[0].lower()


async def test_cookies_are_not_kept() -> None:
    async with trap(answer(b"ok", b"set-cookie: id=1; path=/")) as (caught, url), guarded_client(LOCAL) as http:
        await http.get(url)
        await http.get(url)
        assert b"cookie" not in caught.heard[1].lower()


async def test_the_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trap() as (proxy, proxy_url), trap() as (_, url):
        monkeypatch.setenv("HTTP_PROXY", proxy_url)
        monkeypatch.setenv("ALL_PROXY", proxy_url)
        async with guarded_client(LOCAL) as http:
            assert (await http.get(url)).text == "ok"
        assert proxy.connections == 0


async def test_behind_a_proxy_the_guard_still_judges_what_it_can_know() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        if host == "outside.example":
            raise OSError("unknown here")
        return ["10.0.0.1" if host == "inside.example" else host]

    no = b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n"
    async with trap(no) as (proxy, proxy_url), trap() as (_, url):  # noqa: SIM117  (two on one line, then their client)
        async with guarded_client(LOCAL, proxy_url=proxy_url, lookup=lookup) as http:
            with pytest.raises(BadRequest):
                await http.get("https://inside.example/")
            with pytest.raises(BadRequest):
                await http.get("https://10.0.0.1/")
            assert (await http.get(url)).text == "ok"
            assert proxy.connections == 0
            with pytest.raises(httpx.ProxyError):
                await http.get("https://outside.example/")
            assert proxy.heard[0].startswith(b"CONNECT outside.example:443")
