"""The messages that wait for an agent at work."""

from types import TracebackType

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .medium import REFUSED, End, SessionOver

SILENCE = "..."
"""Stands for a user who has said nothing for `turn_timeout` seconds: the agent then speaks again."""
MOST_WAITING = 20
"""Messages that the agent has not come to yet."""


class Inbox:
    """A queue of what the user said, open inside of its `with`; `SILENCE` stands in it for a user who says nothing."""

    _put: MemoryObjectSendStream[str]
    _waiting: MemoryObjectReceiveStream[str]

    def __enter__(self) -> None:
        self._put, self._waiting = anyio.create_memory_object_stream[str](MOST_WAITING)

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._waiting.close()
        self._put.close()

    @property
    def empty(self) -> bool:
        return not self._waiting.statistics().current_buffer_used

    def put(self, text: str) -> None:
        """Raises SessionOver where too many wait."""
        try:
            self._put.send_nowait(text)
        except anyio.WouldBlock:
            why = f"Too many messages: {MOST_WAITING} wait for an answer."
            raise SessionOver(End(why, REFUSED, "invalid_message")) from None

    async def next(self) -> str:
        return await self._waiting.receive()

    def drain(self) -> list[str]:
        """What the user said that nobody has come to, which waits no more."""
        found: list[str] = []
        while not self.empty:
            found.append(self._waiting.receive_nowait())
        return [text for text in found if text != SILENCE]
