"""A uvicorn server that leaves no tasks and no sockets behind when it ends."""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio
import uvicorn
from uvicorn.server import HANDLED_SIGNALS

CANCELLED_SECONDS = 2.0
"""Seconds for cancelled handlers to end, and then for their connections to close."""
LOOK_SECONDS = 0.02

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Shuts down in order, also if it is cancelled: listening sockets, handlers, connections, and the app last.

    uvicorn's own server cancels the remaining handlers after `timeout_graceful_shutdown` without waiting for them, so
    they would use an app that is closed. It also raises the signal again before this program has closed its resources.
    """

    _ending = False

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
