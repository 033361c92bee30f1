"""The request that is being answered, for whatever is logged meanwhile, in whichever thread or task of it."""

import logging
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_HEARD = 200
"""Lines that one request keeps for its client; the newest."""


@dataclass
class Calling:
    tool: str | None
    principal: str
    request_id: str | None
    level: int | None = None
    """From which level on its client wants the lines; None: not at all."""
    hushed: set[str] = field(default_factory=set[str], repr=False)
    """Secrets that came by while it was answered."""
    heard: "deque[logging.LogRecord]" = field(default_factory=lambda: deque[logging.LogRecord](maxlen=MOST_HEARD))


_current: ContextVar[Calling | None] = ContextVar("calling", default=None)


def current() -> Calling | None:
    return _current.get()


@contextmanager
def answering(calling: Calling) -> Generator[None]:
    before = _current.set(calling)
    try:
        yield
    finally:
        _current.reset(before)


def hush(*secrets: str) -> None:
    """No line about the request that is being answered shows these texts."""
    if calling := _current.get():
        calling.hushed.update(secrets)
