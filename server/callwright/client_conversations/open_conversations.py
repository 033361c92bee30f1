"""The registry of open text conversations. Its imports are light, because every start creates it."""

from collections import Counter
from typing import TYPE_CHECKING

from ..background_group import BackgroundGroup
from ..clock import NowMs, Sleep

if TYPE_CHECKING:
    from ..api.client import ApiClient
    from ..contract.talking import StartConversation
    from ..tasks.task import Owner
    from .conversation import ClientConversation

IDLE_SECONDS = 15 * 60
"""Time after the last tool call until a conversation is ended, and until an ended one is forgotten."""
MOST_OPEN = 20
"""Open conversations of one owner."""
MOST_KEPT = 200
"""Ended conversations that are kept, of all owners together."""


class OpenConversations(BackgroundGroup):
    """Holds the open conversations. None outlives the server."""

    def __init__(self, clock: NowMs, sleep: Sleep) -> None:
        super().__init__()
        self._clock, self._sleep = clock, sleep
        self._kept: dict[str, ClientConversation] = {}
        self._beginning = Counter["Owner"]()

    async def begin(self, client: "ApiClient", op: "StartConversation", owner: "Owner") -> "ClientConversation":
        """Raises ApiError if the conversation cannot begin, RateLimited if the owner holds too many."""
        from ..contract.errors import RateLimited
        from .conversation import ClientConversation

        self._forget()
        held = [talk.id for talk in self._kept.values() if talk.owner == owner and talk.ended is None]
        if len(held) + self._beginning[owner] >= MOST_OPEN:
            raise RateLimited(f"{MOST_OPEN} conversations are open, the most at a time. End one: {', '.join(held)}.")
        if self.group is None:
            raise RuntimeError("conversations are held while the server runs")
        talk = ClientConversation(op, owner, self._clock, self._sleep, idle_seconds=IDLE_SECONDS)
        self.group.start_soon(talk.run, client)
        self._beginning[owner] += 1
        try:
            await talk.begun()
        except BaseException:  # the caller was cancelled, too
            talk.stop()
            raise
        finally:
            self._beginning[owner] -= 1
        self._kept[talk.id] = talk
        return talk

    def find(self, id: str, owner: "Owner") -> "ClientConversation | None":
        """Returns None if it is unknown, forgotten or of another owner; the caller cannot tell which."""
        self._forget()
        talk = self._kept.get(id)
        return talk if talk and talk.owner == owner else None

    def _forget(self) -> None:
        """Forget conversations that ended a while ago and, if there are too many, the least recently used ones."""
        ended = sorted((talk for talk in self._kept.values() if talk.ended is not None), key=lambda talk: talk.used_ms)
        old, spare = self._clock() - IDLE_SECONDS * 1000, len(ended) - MOST_KEPT
        for place, talk in enumerate(ended):
            if talk.used_ms < old or place < spare:
                del self._kept[talk.id]
