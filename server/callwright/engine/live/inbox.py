"""The queue of user messages that the agent has not answered yet."""

from types import TracebackType

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .medium import REFUSED, End, SessionOver

SILENCE = "..."
"""The message that represents a user who was silent for `turn_timeout` seconds: the agent then speaks again."""
MOST_WAITING = 20
"""The maximum number of waiting messages."""


class Inbox:
    """A queue of user messages, open within its `with`; `SILENCE` in it stands for a silent user."""

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
        """Raises SessionOver if too many messages wait."""
        try:
            self._put.send_nowait(text)
        except anyio.WouldBlock:
            why = f"Too many messages: {MOST_WAITING} wait for an answer."
            raise SessionOver(End(why, REFUSED, "invalid_message")) from None

    async def next(self) -> str:
        return await self._waiting.receive()

    def drain(self) -> list[str]:
        """Remove and return the messages of the user that are still waiting."""
        found: list[str] = []
        while not self.empty:
            found.append(self._waiting.receive_nowait())
        return [text for text in found if text != SILENCE]
