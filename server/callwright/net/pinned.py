"""An HTTP client for users' URLs that connects only to addresses checked by the guard.

The name is resolved once, all of its addresses are checked, and the connection is made to one of these; so a name that
resolves differently a moment later (DNS rebinding) has no effect. TLS and the Host header still use the name.
"""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any, cast

import anyio
import httpcore2 as httpcore
import httpx2 as httpx

from .guard import NOTHING_PRIVATE, SOCKET, WEB, AllowList, check, check_address
from .http import LIMITS, TooLarge, http_client, network_transport, tls

LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_ANSWER = 120.0
"""Seconds from the request to the last byte."""

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Resolves host and port to addresses. Raises OSError if there are none."""


def guarded_client(
    allow: AllowList = NOTHING_PRIVATE,
    *,
    proxy_url: str | None = None,
    timeout: httpx.Timeout | None = None,
    largest: int = LARGEST_ANSWER,
    longest: float = LONGEST_ANSWER,
    lookup: Lookup | None = None,
) -> httpx.AsyncClient:
    """A client whose every request passes the guard, with limits on a response's bytes and seconds.

    Raises BadRequest for a refused address, else httpx errors. Behind a proxy the proxy resolves names, so the guard
    there sees only the addresses that this machine's resolver knows; hosts in `allow` are reached without the proxy.
    """
    transport = _GuardedTransport(allow, lookup or look_up, proxy_url, largest, longest)
    # Uncompressed, so that a small response cannot unpack into a large one.
    return http_client(transport, headers={"accept-encoding": "identity"}, timeout=timeout)


async def look_up(host: str, port: int) -> list[str]:
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve(host: str, port: int, allow: AllowList, lookup: Lookup) -> list[str]:
    """All addresses of a host, each checked. Raises BadRequest if one is refused, OSError if there is none."""
    try:
        addresses = await lookup(host, port)
    except UnicodeError:
        raise OSError("not a name that can be looked up") from None
    for address in addresses:
        check_address(ip_address(address.partition("%")[0]), host.rstrip("."), allow)
    if not addresses:
        raise OSError("no address")
    return addresses


class _GuardedTransport(httpx.AsyncHTTPTransport):
    def __init__(self, allow: AllowList, lookup: Lookup, proxy_url: str | None, largest: int, longest: float) -> None:
        super().__init__(verify=tls(), trust_env=False, limits=LIMITS)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls(),
            max_connections=LIMITS.max_connections,
            max_keepalive_connections=LIMITS.max_keepalive_connections,
            keepalive_expiry=LIMITS.keepalive_expiry,
            network_backend=_PinnedBackend(allow, lookup),
        )
        self._proxied = network_transport(proxy_url) if proxy_url else None
        self._allow, self._lookup, self._largest, self._longest = allow, lookup, largest, longest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check(str(request.url), allow=self._allow, schemes=WEB + SOCKET)
        ends = time.monotonic() + self._longest
        if self._proxied and not self._allow.names(request.url.host):
            await self._check_if_known(request.url)
            response = await self._proxied.handle_async_request(request)
        else:
            response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Capped(response.stream, self._largest, ends)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx.DecodingError("The answer is compressed, which was not asked for.", request=request)
        return response

    async def aclose(self) -> None:
        await super().aclose()
        if self._proxied:
            await self._proxied.aclose()

    async def _check_if_known(self, url: httpx.URL) -> None:
        try:
            await resolve(url.host, url.port or 443, self._allow, self._lookup)
        except OSError:
            return  # behind a proxy this machine often cannot resolve public names


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, allow: AllowList, lookup: Lookup) -> None:
        self._allow, self._lookup = allow, lookup
        self._inner = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the base class names it)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            with anyio.fail_after(timeout):
                return await self._connect(await resolve(host, port, self._allow, self._lookup), port, timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} does not accept a connection") from None
        except OSError as exc:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {exc}") from None

    async def _connect(self, addresses: list[str], port: int, seconds: float | None) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Each gets a share of the time, because broken IPv6 often hangs."""
        share = seconds and seconds / len(addresses)
        *others, last = addresses
        for address in others:
            try:
                return await self._inner.connect_tcp(address, port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(last, port)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Capped(httpx.AsyncByteStream):
    """A response body with a limit on bytes and seconds."""

    def __init__(self, stream: httpx.AsyncByteStream, largest: int, ends: float) -> None:
        self._stream, self._left, self._ends = stream, largest, ends

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooLarge("The answer is larger than the cap.")
            if time.monotonic() > self._ends:
                raise httpx.ReadTimeout("The answer takes longer than the cap.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
