"""Access tokens that were fetched with auth connections: in memory only, shared by all conversations of a process."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from ..clock import NowMs
from ..contract.errors import ApiError

MOST = 1_000
"""Connections whose tokens are kept; those not used for the longest time go first."""
SPARE_MS = 60_000
"""A token is not sent in its last minute: it might end on its way."""

Key = tuple[str, str, int]
"""Workspace, connection, and the version of its settings."""


@dataclass(frozen=True)
class Token:
    value: str = field(repr=False)
    seconds: float
    """That it lives, from its fetch on."""


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
        """The token, fetched where there is none that lives. Whoever comes while it is fetched gets what comes of that.

        `refused`: the token that a server has just refused, so that another one is wanted. Raises what `fetch` raises.
        """
        place = self._places.setdefault(key, _Place())
        self._places.move_to_end(key)
        while len(self._places) > MOST:
            self._places.popitem(last=False)
        before = place.fetches
        async with place.lock:
            if place.fetches != before:  # somebody fetched meanwhile
                if place.failure is not None:
                    raise place.failure
                if place.value is not None:
                    return place.value
            elif place.value is not None and place.value != refused and now_ms() < place.ends_ms:
                return place.value
            return await self._fetched(place, now_ms, fetch)

    async def _fetched(self, place: _Place, now_ms: NowMs, fetch: Callable[[], Awaitable[Token]]) -> str:
        """A fetch that is cut off has not taken place: the next in line makes one."""
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
