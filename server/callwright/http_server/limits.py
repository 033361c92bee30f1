"""Limits of one client: concurrent requests, requests a minute, and size of a request."""

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

TIDY_ABOVE = 1024
"""Number of clients from which on the idle ones are dropped."""


@dataclass(frozen=True)
class Allowance:
    """The limits. `body` in bytes; `rate` in requests a minute, which may come in one burst; 0: no limit."""

    body: int = 4 * 1024 * 1024
    rate: int = 3000
    at_once: int = 64


@dataclass
class _Client:
    left: float
    seen: float
    running: int = 0


class Limits:
    """Counts requests by client: the name of its token, or its address without one."""

    def __init__(self, allowance: Allowance, now: Callable[[], float] = anyio.current_time) -> None:
        self.allowance, self._now = allowance, now
        self._clients: dict[str, _Client] = {}

    def wait(self, client: str) -> int:
        """Count a request: 0 if it is allowed, else the seconds after which it may be sent again."""
        if not self.allowance.rate:
            return 0
        known = self._known(client)
        if known.left < 1:
            return math.ceil((1 - known.left) * 60 / self.allowance.rate)
        known.left -= 1
        return 0

    @contextmanager
    def running(self, client: str) -> Generator[bool]:
        """Context of a running request; yields False if the client has too many."""
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
