"""The cache of access tokens fetched with auth connections: in memory, shared by all conversations of a process."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from ..clock import NowMs
from ..contract.errors import ApiError

MOST = 1_000
"""Connections whose tokens are cached at most. The least recently used connection is dropped first."""
SPARE_MS = 60_000
"""Milliseconds before its expiry from which a token is no longer sent: it might expire on its way."""

Key = tuple[str, str, int]
"""Workspace, connection, and the version of its settings."""


@dataclass(frozen=True)
class Token:
    value: str = field(repr=False)
    seconds: float
    """Lifetime in seconds, counted from the start of the fetch."""


@dataclass
class _Place:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    value: str | None = field(default=None, repr=False)
    ends_ms: float = 0
    failure: ApiError | None = None
    fetches: int = 0


class Tokens:
    def __init__(self) -> None:
        self._places: OrderedDict[Key, _Place] = OrderedDict()

    async def get(
        self, key: Key, now_ms: NowMs, fetch: Callable[[], Awaitable[Token]], *, refused: str | None = None
    ) -> str:
        """The token of a connection, fetched if the cache has no valid one.

        Callers that arrive during a fetch share its result, a failure too. `refused`: the token that a server has just
        refused, so that it is not returned again. Raises the errors of `fetch`.
        """
        place = self._places.setdefault(key, _Place())
        self._places.move_to_end(key)
        while len(self._places) > MOST:
            self._places.popitem(last=False)
        before = place.fetches
        async with place.lock:
            if place.fetches != before:  # another caller fetched meanwhile
                if place.failure is not None:
                    raise place.failure
                if place.value is not None:
                    return place.value
            elif place.value is not None and place.value != refused and now_ms() < place.ends_ms:
                return place.value
            return await self._fetched(place, now_ms, fetch)

    async def _fetched(self, place: _Place, now_ms: NowMs, fetch: Callable[[], Awaitable[Token]]) -> str:
        """Fetch a token and cache the result. A cancelled fetch does not count: the next caller in line fetches."""
        asked_ms, place.value, place.failure = now_ms(), None, None
        try:
            token = await fetch()
        except ApiError as why:
            place.failure = why
            place.fetches += 1
            raise
        place.value, place.ends_ms = token.value, asked_ms + token.seconds * 1000 - SPARE_MS
        place.fetches += 1
        return token.value
