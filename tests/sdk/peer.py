"""The other end of what the SDK tells the platform to reach: a web page, and an MCP server that really runs."""

from typing import Any

from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

PAGE = "<html><head><title>Our shop</title></head><body><p>We sell bells.</p></body></html>"


def app() -> Any:
    """`/page`, `/elsewhere` (which sends its readers on), `/mcp`; nothing else."""
    server = MCPServer("calendar")

    def free_slots(day: str) -> list[str]:
        return [day]

    def book(day: str, at: str = "09:00") -> str:
        return f"{day} {at}"

    server.add_tool(free_slots, description="Lists free slots.", annotations=ToolAnnotations(read_only_hint=True))
    server.add_tool(book, description="Books a slot.")
    served = server.streamable_http_app()
    served.router.routes += [Route("/page", _page), Route("/elsewhere", _elsewhere)]
    return served


async def _page(_: Request) -> Response:
    return HTMLResponse(PAGE)


async def _elsewhere(_: Request) -> Response:
    return RedirectResponse("https://elsewhere.example.com/")
