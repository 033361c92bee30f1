"""Asking an MCP server for its tools. The only module of the engine that speaks MCP.

What a server writes is data of somebody else: bounded in bytes, seconds and number, and handed on as it came.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio

from ..contract.errors import BadRequest, Unavailable
from ..net.guard import AllowList
from ..net.http import AsyncClient, ConnectError, ConnectTimeout, Timeout
from ..net.pinned import guarded_client

SECONDS = 20.0
"""For the whole exchange: connecting, the handshake of either era of the protocol, and all pages."""
LARGEST = 4 * 1024 * 1024
"""Bytes of one answer."""
MOST_TOOLS = 500
MOST_PAGES = 50

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """Where a server is, with what it is sent; secrets are in the clear, so it lives only while it is called."""

    url: str
    sse: bool
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return "Endpoint(...)"


async def tools_of(endpoint: Endpoint, allow: AllowList, proxy_url: str | None) -> list[dict[str, Any]]:
    """The tools as the server lists them. Raises Unavailable with words that hold neither URL nor header."""
    try:
        with anyio.fail_after(SECONDS):
            return await _ask(endpoint, allow, proxy_url)
    except TimeoutError:
        raise Unavailable(f"The server did not answer within {SECONDS:.0f} s.") from None
    except Unavailable:
        raise
    except Exception as exc:  # the SDK's transports raise what they met, often in groups
        why = _innermost(exc)
        log.info("An MCP server could not be asked for its tools: %s", type(why).__name__)
        raise Unavailable(_words(why)) from None


async def _ask(endpoint: Endpoint, allow: AllowList, proxy_url: str | None) -> list[dict[str, Any]]:
    from mcp import Client

    # The SDK logs what it meets with its traceback, and URL, headers and the server's own words may be in it.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL + 1)
    http = guarded_client(allow, proxy_url=proxy_url, timeout=Timeout(SECONDS), largest=LARGEST, longest=SECONDS)
    http.headers.update(endpoint.headers)
    transport = _sse(endpoint, http) if endpoint.sse else _streamable(endpoint, http)
    async with Client(transport, read_timeout_seconds=SECONDS, cache=None) as client:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if not cursor or len(found) > MOST_TOOLS:
                break
    if cursor or len(found) > MOST_TOOLS:
        raise Unavailable(f"The server lists more than {MOST_TOOLS} tools, or pages without end.")
    return found


@asynccontextmanager
async def _streamable(endpoint: Endpoint, http: AsyncClient) -> AsyncGenerator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with http, streamable_http_client(endpoint.url, http_client=http) as streams:
        yield streams


def _sse(endpoint: Endpoint, http: AsyncClient) -> AbstractAsyncContextManager[Any]:
    from mcp.client.sse import sse_client

    def ours(headers: Any = None, timeout: Any = None, auth: Any = None) -> AsyncClient:
        return http  # opened and closed by the transport, as it would its own

    return sse_client(endpoint.url, httpx_client_factory=ours)


def _innermost(exc: BaseException) -> BaseException:
    inner = exc
    while isinstance(inner, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", inner).exceptions[0]
    return inner


def _words(exc: BaseException) -> str:
    """Not the exception's own words: they may quote the URL, a header or whatever the server wrote."""
    if isinstance(exc, BadRequest):
        return str(exc)
    if isinstance(exc, ConnectError | ConnectTimeout):
        return f"The server cannot be reached ({type(exc).__name__})."
    status = getattr(getattr(exc, "response", None), "status_code", None)
    if status in (401, 403):
        return f"The server refuses the credentials ({status}). Correct secret_token or request_headers."
    if isinstance(status, int):
        return f"The server answered {status}. Check the URL and the transport."
    return f"The server does not speak MCP as expected ({type(exc).__name__}). Check the URL and the transport."
