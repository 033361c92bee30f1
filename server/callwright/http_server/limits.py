"""How much one client may ask at a time, and a minute."""

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

TIDY_ABOVE = 1024
"""Clients that are remembered before those that have been quiet are forgotten."""


@dataclass(frozen=True)
class Allowance:
    """`body` in bytes; `rate` in requests a minute, which may come all at once; 0: no bound."""

    body: int = 4 * 1024 * 1024
    rate: int = 3000
    at_once: int = 64


@dataclass
class _Client:
    left: float
    seen: float
    running: int = 0


class Limits:
    """By the client's name: that of its token, or its address where it has none."""

    def __init__(self, allowance: Allowance, now: Callable[[], float] = anyio.current_time) -> None:
        self.allowance, self._now = allowance, now
        self._clients: dict[str, _Client] = {}

    def wait(self, client: str) -> int:
        """0 where a request may go on, which then counts; else the seconds until it may be sent again."""
        if not self.allowance.rate:
            return 0
        known = self._known(client)
        if known.left < 1:
            return math.ceil((1 - known.left) * 60 / self.allowance.rate)
        known.left -= 1
        return 0

    @contextmanager
    def running(self, client: str) -> Generator[bool]:
        """Gives whether there is room for one more."""
        known = self._known(client)
        if self.allowance.at_once and known.running >= self.allowance.at_once:
            yield False
            return
        known.running += 1
        try:
            yield True
        finally:
            known.running -= 1

    def _known(self, client: str) -> _Client:
        now = self._now()
        if len(self._clients) > TIDY_ABOVE:
            self._clients = {name: c for name, c in self._clients.items() if c.running or now - c.seen < 60}
        known = self._clients.setdefault(client, _Client(self.allowance.rate, now))
        known.left = min(self.allowance.rate, known.left + (now - known.seen) * self.allowance.rate / 60)
        known.seen = now
        return known
