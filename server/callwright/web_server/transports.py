"""Transports around a transport: one that passes everything on, and one whose end still reads what comes."""

import asyncio
from collections.abc import Callable
from typing import Any


class WrappedTransport(asyncio.Transport):
    """Passes everything on to `inner`."""

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self.inner = inner

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.inner.write(data)

    def close(self) -> None:
        self.inner.close()

    def abort(self) -> None:
        self.inner.abort()

    def is_closing(self) -> bool:
        return self.inner.is_closing()

    def pause_reading(self) -> None:
        self.inner.pause_reading()

    def resume_reading(self) -> None:
        self.inner.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self.inner.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.inner.get_extra_info(name, default)


class LingeringTransport(WrappedTransport):
    """A socket that is closed with unread bytes is reset, and the client may lose the answer with which it was closed.

    `unread`: whether the client may still be sending. `close` then ends only the writing: what still comes is for
    `drop`, until the client closes, too, or it has been enough.
    """

    def __init__(
        self,
        inner: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        *,
        unread: Callable[[], bool],
        seconds: float,
        most: int,
    ) -> None:
        super().__init__(inner)
        self._loop, self._unread, self._seconds, self._left = loop, unread, seconds, most
        self._end: asyncio.TimerHandle | None = None

    @property
    def lingers(self) -> bool:
        return self._end is not None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.lingers:
            self.inner.write(data)

    def drop(self, data: bytes) -> None:
        """Pass over what came after `close`."""
        self._left -= len(data)
        if self._left < 0:
            self.abort()

    def close(self) -> None:
        if self.lingers or self.inner.is_closing() or not self.inner.can_write_eof() or not self._unread():
            self.lost()
            self.inner.close()
            return
        self._end = self._loop.call_later(self._seconds, self.abort)
        self.inner.write_eof()
        self.inner.resume_reading()

    def abort(self) -> None:
        self.lost()
        self.inner.abort()

    def lost(self) -> None:
        """The connection has ended: nothing is waited for."""
        if self._end is not None:
            self._end.cancel()

    def is_closing(self) -> bool:
        return self.lingers or self.inner.is_closing()
