"""Real MCP servers on loopback, and servers that are none."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from tests.peers import serving

from .helpers import JSON


def calendar(description: str = "Lists free slots.") -> MCPServer[Any]:
    server = MCPServer("calendar")

    def free_slots(day: str) -> list[str]:
        return [day]

    def book(day: str, at: str = "09:00") -> str:
        return f"{day} {at}"

    server.add_tool(free_slots, description=description, annotations=ToolAnnotations(read_only_hint=True))
    server.add_tool(book, description="Books a slot.")
    return server


@asynccontextmanager
async def real(description: str = "Lists free slots.", sse: bool = False) -> AsyncGenerator[tuple[str, list[JSON]]]:
    """The address of a real MCP server, and the headers of each request that it got."""
    server, got = calendar(description), list[JSON]()
    inner = server.sse_app() if sse else server.streamable_http_app()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            got.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await inner(scope, receive, send)

    async with serving(noting, lifespan="on") as at:
        yield f"{at}/{'sse' if sse else 'mcp'}", got


async def nothing(stream: Any) -> None:
    await stream.receive()
    await stream.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi")


async def refusing(stream: Any) -> None:
    await stream.receive()
    await stream.send(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")


async def silent(stream: Any) -> None:
    async for _ in stream:
        pass


async def endless(stream: Any) -> None:
    await stream.receive()
    await stream.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n")
    for _ in range(140):
        await stream.send(b"[" * 65536)
