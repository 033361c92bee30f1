"""A uvicorn server that is quiet when files run out, and leaves no tasks and no sockets behind when it ends."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from .http_protocol import close_idlest

CANCELLED_SECONDS = 2.0
"""Seconds for cancelled handlers to end, and then for their connections to close."""
LOOK_SECONDS = 0.02
QUIET_SECONDS = 30.0
"""Seconds between two lines that say that no connection can be accepted."""
SHED = 16
"""Connections without a request that are closed then, each time."""
RETRY_SECONDS = 1.0
RESERVED, LEAST = 128, 16
"""Files that are no connections of clients; and the connections that there are in any case."""
_NO_ROOM = "socket.accept() out of system resource"
"""What asyncio calls it. It tries again after RETRY_SECONDS, and reports it once for each place in the backlog."""

log = logging.getLogger(__name__)


def most_connections(wanted: int) -> int:
    """`wanted`, or what the limit of open files leaves: the database, models and webhooks need some, too."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if most == resource.RLIM_INFINITY else max(LEAST, min(wanted, most - RESERVED))


class Server(uvicorn.Server):
    """Shuts down in order, also if it is cancelled: listening sockets, handlers, connections, and the app last.

    uvicorn's own server cancels the remaining handlers after `timeout_graceful_shutdown` without waiting for them, so
    they would use an app that is closed. It also raises the signal again before this program has closed its resources.
    """

    _ending = False
    _said_at = _made_room_at = -QUIET_SECONDS

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._handler_before = loop.get_exception_handler()
        loop.set_exception_handler(self._on_fault)
        await super().startup(sockets)

    def _on_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if context.get("message") == _NO_ROOM:
            self._without_room(loop.time(), context["exception"])
        elif self._ending and isinstance(context.get("exception"), ValueError):
            log.debug("The socket that was to accept again is closed.")
        elif self._handler_before:
            self._handler_before(loop, context)
        else:
            loop.default_exception_handler(context)

    def _without_room(self, now: float, exc: OSError) -> None:
        """Make room for the next connections, and say it once a while."""
        if now >= self._made_room_at + RETRY_SECONDS:
            self._made_room_at = now
            for _ in range(SHED):
                close_idlest(self.server_state.connections)
        if now >= self._said_at + QUIET_SECONDS:
            self._said_at = now
            log.error(
                "No connection can be accepted (%s). It is tried again each second. Raise the limit of open files"
                " (ulimit -n), or lower CALLWRIGHT_HTTP_CONNECTIONS.",
                exc,
            )

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():  # Python delivers signals only to the main thread
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            if self.started and not self._ending:
                await self.shutdown(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending = True
        with anyio.CancelScope(shield=True):
            await self._end(sockets or [])
        loop = asyncio.get_running_loop()
        if loop.time() > self._made_room_at + 2 * RETRY_SECONDS:  # else asyncio has still to try again
            loop.set_exception_handler(self._handler_before)

    async def _end(self, sockets: list[socket.socket]) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets:
            listening.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        grace = self.config.timeout_graceful_shutdown
        if not await self._within(grace, lambda: not (state.connections or state.tasks)):
            await self._cancel_handlers()
        for connection in list(state.connections):
            if connection.transport is not None:  # pyright: ignore[reportUnnecessaryComparison]
                connection.transport.abort()
        if not await self._within(CANCELLED_SECONDS, lambda: not state.connections):
            log.error("%d connections are still open.", len(state.connections))
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _cancel_handlers(self) -> None:
        tasks = set(self.server_state.tasks)
        if not tasks:
            return
        log.warning("%d requests are broken off, because the server is ending.", len(tasks))
        for task in tasks:
            task.cancel()
        _, left = await asyncio.wait(tasks, timeout=CANCELLED_SECONDS)
        if left:
            log.error("%d requests still run, though they were cancelled.", len(left))

    async def _within(self, seconds: float | None, over: Callable[[], bool]) -> bool:
        """Whether `over` becomes true in this time. It is polled, because uvicorn does not notify."""
        end = None if seconds is None else asyncio.get_running_loop().time() + seconds
        while not over():
            if self.force_exit or (end is not None and asyncio.get_running_loop().time() >= end):
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True
