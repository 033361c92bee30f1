"""Creates the HTTP clients for all outgoing requests. Only this package imports httpx2.

A client from here follows no redirect (a redirect would carry custom headers, keys among them, to another host), reads
no proxy, certificate or password from the environment, keeps no cookies, and verifies certificates.
"""

import logging
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2 as httpx
from httpx2 import (
    URL,
    AsyncClient,
    ConnectError,
    ConnectTimeout,
    DecodingError,
    Headers,
    InvalidURL,
    PoolTimeout,
    Request,
    RequestError,
    Response,
    Timeout,
    TimeoutException,
    TransportError,
)
from httpx2 import AsyncBaseTransport as Transport

__all__ = [
    "CONNECT_SECONDS",
    "LIMITS",
    "SILENCE_SECONDS",
    "URL",
    "AsyncClient",
    "ConnectError",
    "ConnectTimeout",
    "DecodingError",
    "Headers",
    "InvalidURL",
    "PoolTimeout",
    "Request",
    "RequestError",
    "Response",
    "Timeout",
    "TimeoutException",
    "TooLarge",
    "Transport",
    "TransportError",
    "http_client",
    "network_transport",
    "read_body",
    "tls",
]

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 30.0
"""The longest pause between two bytes of one response."""
LIMITS = httpx.Limits(max_connections=128, max_keepalive_connections=100, keepalive_expiry=30.0)
"""Enough connections for 64 concurrent calls, and some more, without waiting."""


class TooLarge(DecodingError):
    """A response exceeds its reader's size limit."""


def http_client(
    transport: Transport | None = None,
    *,
    proxy_url: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: Timeout | None = None,
) -> AsyncClient:
    """A client with the properties above; `transport` defaults to the network."""
    _quieten()
    return AsyncClient(
        transport=transport or network_transport(proxy_url),
        headers={"user-agent": "callwright", **(headers or {})},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=timeout or Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )


def _quieten() -> None:
    """Silence the libraries, which log whole URLs (INFO) and response headers (DEBUG); both may carry secrets."""
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)


def network_transport(proxy_url: str | None = None) -> Transport:
    """A network transport, through a proxy if one is given."""
    return httpx.AsyncHTTPTransport(verify=tls(), trust_env=False, limits=LIMITS, proxy=proxy_url)


@cache
def tls() -> ssl.SSLContext:
    """A context that verifies certificates against the operating system's store and ignores the environment."""
    return httpx.create_ssl_context(trust_env=False)


async def read_body(response: Response, limit: int) -> bytes:
    """The whole decoded body. Raises TooLarge beyond `limit` bytes, TransportError if the connection breaks."""
    # Nested codings multiply: 64 KB gzipped twice can stand for gigabytes, which no check between chunks would catch.
    if "," in response.headers.get("content-encoding", ""):
        raise DecodingError("The answer is compressed more than once.")
    parts: list[bytes] = []
    size = 0
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"The answer is larger than {limit:,} bytes.")
            parts.append(chunk)
    return b"".join(parts)
