"""The MCP client: lists and calls the tools of an MCP server. No other module of the engine speaks MCP.

A server's answers are untrusted data: they are bounded in bytes, seconds and number, and passed on unchanged, but for
the secrets that the server was sent, which some servers repeat.
"""

import json
import logging
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import anyio

from ...contract.errors import BadRequest, Unavailable
from ...net.guard import AllowList
from ...net.http import AsyncClient, ConnectError, ConnectTimeout, Timeout
from ...net.pinned import guarded_client
from ...secrecy import masked

if TYPE_CHECKING:
    from mcp import Client

SECONDS = 20.0
"""Seconds for a whole exchange: connection, handshake (of the older or the newer protocol), and all pages."""
LARGEST = 4 * 1024 * 1024
"""Bytes of one answer at most."""
LONGEST_SESSION = 4 * 3600.0
"""Seconds that a conversation may keep a server's stream open at most."""
LARGEST_SESSION = 64 * 1024 * 1024
"""Bytes of a stream that a conversation keeps open, at most."""
MOST_TOOLS = 500
MOST_PAGES = 50
MASKED = "***"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """The URL of a server and its request headers, with secrets in the clear: an object lives only for its calls."""

    url: str
    sse: bool
    headers: Mapping[str, str]
    confidential: tuple[str, ...] = ()
    """The values that came from the vault."""

    def __repr__(self) -> str:
        return "Endpoint(...)"


async def tools_of(endpoint: Endpoint, allow: AllowList, proxy_url: str | None) -> list[dict[str, Any]]:
    """The tools as the server lists them. Raises Unavailable, with a message that holds neither URL nor header."""
    try:
        with anyio.fail_after(SECONDS):
            async with session(endpoint, allow, proxy_url, longest=SECONDS, largest=LARGEST) as client:
                return await listed(client, endpoint)
    except Exception as exc:  # the SDK's transports raise errors of any type, often in groups
        raise unavailable(exc) from None


@asynccontextmanager
async def session(
    endpoint: Endpoint,
    allow: AllowList,
    proxy_url: str | None,
    *,
    longest: float = LONGEST_SESSION,
    largest: int = LARGEST_SESSION,
) -> AsyncGenerator["Client"]:
    """A session with a server; the task that opened it must close it.

    `longest` and `largest`: limits in seconds and bytes of one answer. A whole stream of events counts as one answer.
    Raises exceptions of any type; `unavailable` turns them into Unavailable.
    """
    from mcp import Client

    # The SDK logs errors with their traceback, which may hold the URL, headers and text from the server.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL + 1)
    times = Timeout(SECONDS, read=longest)
    http = guarded_client(allow, proxy_url=proxy_url, timeout=times, largest=largest, longest=longest)
    http.headers.update(endpoint.headers)
    transport = _sse(endpoint, http) if endpoint.sse else _streamable(endpoint, http)
    async with Client(transport, read_timeout_seconds=SECONDS, cache=None) as client:
        yield client


async def listed(client: "Client", endpoint: Endpoint) -> list[dict[str, Any]]:
    """All tools of a server, without the secrets of its endpoint.

    Raises Unavailable if the server lists too many tools or pages.
    """
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
    # The name stays as it is: the tool is called by it.
    return [{**cast(dict[str, Any], without(tool, endpoint.confidential)), "name": tool["name"]} for tool in found]


def without(node: object, secrets: Collection[str]) -> object:
    """A document of a server without these secrets, in any spelling, wherever they stand."""
    if isinstance(node, str):
        return masked(node, secrets, MASKED)
    if isinstance(node, list):
        return [without(item, secrets) for item in cast(list[object], node)]
    if isinstance(node, dict):
        items = cast(dict[str, object], node).items()
        return {masked(key, secrets, MASKED): without(value, secrets) for key, value in items}
    return node


@dataclass(frozen=True)
class Called:
    """The result of a tool call: the content blocks in wire form, and their text."""

    blocks: list[dict[str, Any]]
    text: str
    is_error: bool


async def call(client: "Client", name: str, arguments: dict[str, Any], meta: dict[str, Any], seconds: float) -> Called:
    """Call a tool. An error that the server reports is a result with `is_error`, not an exception.

    Raises TimeoutError after `seconds`, and exceptions of other types; `unavailable` turns them into Unavailable.
    """
    from mcp import MCPError
    from mcp.types import CONNECTION_CLOSED

    try:
        with anyio.fail_after(seconds):
            found = await client.call_tool(
                name, arguments, read_timeout_seconds=seconds + SECONDS, meta=cast(Any, meta) if meta else None
            )
    except MCPError as said:
        if said.code == CONNECTION_CLOSED:
            raise
        return Called([], said.message, is_error=True)
    blocks = [block.model_dump(mode="json", by_alias=True, exclude_none=True) for block in found.content]
    text = "\n".join(_shown(block) for block in blocks)
    if not text and found.structured_content is not None:
        text = json.dumps(found.structured_content, ensure_ascii=False)
    return Called(blocks, text, bool(found.is_error))


def _shown(block: Mapping[str, Any]) -> str:
    """The text of a block for a language model. A block without text is named by its type."""
    inner: Mapping[str, Any] = block.get("resource") or {}
    text = block.get("text") or inner.get("text")
    if isinstance(text, str):
        return text
    return f"[{block.get('type')}: {block.get('mimeType') or block.get('uri') or inner.get('uri') or 'not text'}]"


def unavailable(exc: Exception) -> Unavailable:
    """The error for a failed exchange, with a message that holds neither URL nor header."""
    why = _innermost(exc)
    if isinstance(why, Unavailable):
        return why
    if isinstance(why, TimeoutError):
        return Unavailable(f"The server did not answer within {SECONDS:.0f} s.")
    log.info("An MCP server could not be asked: %s", type(why).__name__)
    return Unavailable(_words(why))


@asynccontextmanager
async def _streamable(endpoint: Endpoint, http: AsyncClient) -> AsyncGenerator[Any]:
    from mcp.client.streamable_http import streamable_http_client

    async with http, streamable_http_client(endpoint.url, http_client=http) as streams:
        yield streams


def _sse(endpoint: Endpoint, http: AsyncClient) -> AbstractAsyncContextManager[Any]:
    from mcp.client.sse import sse_client

    def ours(headers: Any = None, timeout: Any = None, auth: Any = None) -> AsyncClient:
        return http  # the transport opens and closes it, as it would a client of its own

    return sse_client(endpoint.url, httpx_client_factory=ours)


def _innermost(exc: BaseException) -> BaseException:
    inner = exc
    while isinstance(inner, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", inner).exceptions[0]
    return inner


def _words(exc: BaseException) -> str:
    """The message for an exception. The exception's text is not used: it may quote the URL, a header or the server."""
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
