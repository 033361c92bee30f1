"""Decides whether and when a request may be sent again.

A read may be repeated after any fault that can pass. Any other operation only if it was certainly not carried out:

* the request never left: no connection, or none free in the pool;
* 429: a rate limiter responds in place of the handler, before it;
* 503 with `Retry-After`: the server says that it did not accept the request and when to come back. Not for a call or a
  message (`dial`), because a gateway may send it for an upstream that has begun, and nobody may be called twice.

Not after 408, 500, 502 or 504: each may come after the change was made.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from ..contract.operation import Effect
from ..net.http import ConnectError, ConnectTimeout, DecodingError, PoolTimeout, Response, TransportError

ATTEMPTS = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
"""Seconds. The pause doubles from the first to the longest, and a random part of it is waited (full jitter)."""

_MAY_PASS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. Its headers are case-insensitive; neither they nor the body are in the repr."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    stream: Response | None = field(default=None, repr=False)
    """The open response, if its body is read value by value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason for a missing response. Not the exception itself: its text and its frames may hold the key."""

    name: str
    never_left: bool = False  # the request did not reach the platform
    network: bool = False  # a broken connection; the next one may work
    unreadable: str = ""  # why the response cannot be read

    @classmethod
    def of(cls, exc: Exception) -> "Fault":
        return cls(
            type(exc).__name__,
            never_left=isinstance(exc, ConnectError | ConnectTimeout | PoolTimeout),
            network=isinstance(exc, TransportError),
            unreadable=str(exc) if isinstance(exc, DecodingError) else "",
        )


def pause(
    effect: Effect, attempt: int, outcome: Answer | Fault, *, random: Callable[[], float], now: float
) -> float | None:
    """Seconds to wait before the next attempt; None if this outcome is final. `now` is Unix time."""
    if attempt >= ATTEMPTS or not _may_repeat(effect, outcome):
        return None
    told = told_to_wait(outcome, now) if isinstance(outcome, Answer) else None
    return told if told is not None else random() * min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))


def told_to_wait(answer: Answer, now: float) -> float | None:
    """Seconds that the platform asks to wait, from `retry-after-ms` or `Retry-After` (seconds or a date)."""
    if (ms := _number(answer.headers.get("retry-after-ms", ""))) is not None:
        return ms / 1000
    after = answer.headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return seconds
    try:
        date = parsedate_to_datetime(after)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _may_repeat(effect: Effect, outcome: Answer | Fault) -> bool:
    if isinstance(outcome, Fault):
        return outcome.never_left or (effect == "read" and outcome.network)
    if effect == "read":
        return outcome.status >= 500 or outcome.status in _MAY_PASS
    if outcome.status == 503:
        return effect != "dial" and bool({"retry-after", "retry-after-ms"} & outcome.headers.keys())
    return outcome.status == 429


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return max(0.0, value) if not math.isnan(value) else 0.0
