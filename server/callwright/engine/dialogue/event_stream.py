"""Reads server-sent events, the form in which endpoints stream a model's answer."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import anyio

from ...net.http import RequestError, Response

T = TypeVar("T")

LONGEST_EVENT = 8 * 1024 * 1024
"""Bytes. Several times as many as the longest answer that is accepted needs in a single event."""
DRAIN_SECONDS = 0.1
"""The longest wait for the end of a response after its last event; else its connection cannot be used again."""

_LINE_END = re.compile(rb"\r\n?|\n")
_DONE = "[DONE]"


class Events:
    """`feed` takes the bytes of a stream as they arrive. Fields other than `data` do not matter for answers."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        """The unfinished line, in the parts in which it came: joining them at each of them would cost their square."""
        self._data: list[str] = []
        self._size = 0
        self._after_return = False

    def feed(self, received: bytes) -> list[str]:
        """The data of each event that these bytes complete. Raises ValueError for bad UTF-8 or an endless event."""
        if self._after_return and received.startswith(b"\n"):  # a line end of two bytes that came in two parts
            received = received[1:]
        self._after_return = received.endswith(b"\r")
        self._size += len(received)
        if self._size > LONGEST_EVENT:
            raise ValueError("An event does not end.")
        *lines, rest = _LINE_END.split(received)
        if not lines:
            self._begun.append(rest)
            return []
        lines[0] = b"".join([*self._begun, lines[0]])
        self._begun = [rest]
        return [data for line in lines if (data := self._take(line))]

    def _take(self, line: bytes) -> str:
        """The data of the event that this line ends, if it ends one that has any."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" ").decode())
            return ""
        ended, self._data, self._size = self._data, [], 0
        return "\n".join(ended)


class Streamed:
    """The events of one response: `open` it, take `more` until there are none, then `close` it.

    `silence_seconds` must also be the client's timeout for reading, which is enough for most waits. The others have a
    cancel scope, each its own: one that stayed open while a generator yields would cancel the wrong task. `open` and
    `more` raise TimeoutError, or the client's TimeoutException.
    """

    def __init__(self, silence_seconds: float, answer_seconds: float) -> None:
        self._silence, self._ends = silence_seconds, anyio.current_time() + answer_seconds
        self._events = Events()
        self._response: Response | None = None
        self._over = False

    async def open(self, send: Callable[[], Awaitable[Response]]) -> None:
        self._response = await _until(min(anyio.current_time() + self._silence, self._ends), send)
        self._bytes = self._response.aiter_bytes()

    async def more(self) -> list[str]:
        """The events that arrive next; none at the end."""
        until = min(anyio.current_time() + self._silence, self._ends)
        bounded = until == self._ends
        while not self._over:
            received = await (_until(until, self._read) if bounded else self._read())
            if received is None:
                break
            if events := self._events.feed(received):
                return await self._before_the_end(events)
            bounded = True  # bytes without an event, such as a comment, do not end the silence
        return []

    async def close(self) -> None:
        if self._response is not None:
            with anyio.CancelScope(shield=True):
                await self._bytes.aclose()
                await self._response.aclose()

    async def _before_the_end(self, events: list[str]) -> list[str]:
        last = next((place for place, data in enumerate(events) if data.startswith(_DONE)), None)
        if last is None:
            return events
        self._over = True
        with suppress(RequestError), anyio.move_on_after(DRAIN_SECONDS):  # the answer is whole already
            async for _ in self._bytes:
                pass
        return events[:last]

    async def _read(self) -> bytes | None:
        return await anext(self._bytes, None)


async def _until(at: float, step: Callable[[], Awaitable[T]]) -> T:
    with anyio.CancelScope(deadline=at):
        return await step()
    raise TimeoutError
