"""WebSockets whose frames are written together: those of one step of the event loop take one system call.

Frames often come in groups, such as the pieces of an answer that arrived together, or its end and the whole. Each write
costs more than its frame, because it wakes the client. Nothing waits: what a step leaves is written before the loop
takes new input.
"""

import asyncio

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from ..web_server.transports import WrappedTransport

MOST_HELD = 64 * 1024
"""Bytes. More are written at once, so that the transport notices a client who does not read."""


class CorkedTransport(WrappedTransport):
    """Holds what is written until the end of the step."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(inner)
        self._loop = loop
        self._held = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held += data
        if len(self._held) > MOST_HELD:
            self._flush()

    def close(self) -> None:
        self._flush()
        self.inner.close()

    def abort(self) -> None:
        self._held.clear()
        self.inner.abort()

    def _flush(self) -> None:
        held, self._held = self._held, bytearray()
        if held and not self.inner.is_closing():
            self.inner.write(held)


class CorkedWebSocket(WSProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(CorkedTransport(transport, self.loop))
