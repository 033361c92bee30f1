"""Loopback servers that play whatever a test needs on the other end."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from socket import socket
from typing import Any, Literal

import anyio
import uvicorn
from anyio.abc import SocketStream

from callwright.http_server.corked import CorkedWebSocket
from callwright.web_server.http_protocol import Patience, bounded
from callwright.web_server.server import Server

App = Callable[..., Any]
Peer = Callable[[SocketStream], Awaitable[None]]


class LoopbackServer(Server):
    """A server that stops at once when it is told to: uvicorn's own looks every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready, self._stopping = anyio.Event(), anyio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are for the program that plays the peer, and end it."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with anyio.move_on_after(0.1):  # a signal sets `should_exit` alone
                await self._stopping.wait()


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@asynccontextmanager
async def serving(
    app: App,
    *,
    lifespan: Literal["on", "off"] = "off",
    ws: Literal["none", "wsproto"] = "none",
    grace: int = 1,
    port: int = 0,
    patience: Patience | None = None,
) -> AsyncGenerator[str]:
    """A real HTTP server for an ASGI app; gives its base URL. `grace`: seconds that requests may go on at its end.

    `port`: for an app that must know its address before (`free_port`); 0: any.
    """
    protocol = CorkedWebSocket if ws == "wsproto" else ws
    config = uvicorn.Config(
        app,
        port=port,
        http=bounded(patience or Patience()),
        log_level="warning",
        ws=protocol,
        lifespan=lifespan,
        timeout_graceful_shutdown=grace,
        log_config=None,
    )
    server = LoopbackServer(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        await server.ready.wait()
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.stop()


@asynccontextmanager
async def peer(talk: Peer) -> AsyncGenerator[str]:
    """A TCP server that plays `talk` on each connection, byte by byte as a test wants; gives its base URL."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await talk(stream)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port: int = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}"
        tasks.cancel_scope.cancel()
