"""The current request, available to every log call in any of its threads and tasks."""

import logging
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_HEARD = 200
"""Log lines that one request keeps for its client; the newest are kept."""


@dataclass
class Calling:
    tool: str | None
    principal: str
    request_id: str | None
    level: int | None = None
    """The lowest level of log lines that the client subscribed to; None: no lines."""
    hushed: set[str] = field(default_factory=set[str], repr=False)
    """Secrets used while the request was handled."""
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
    """Redact these texts from every log line about the current request."""
    if calling := _current.get():
        calling.hushed.update(secrets)
