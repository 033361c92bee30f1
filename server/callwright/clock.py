"""Clock, sleep and id generator, as types and functions that can be injected."""

import secrets
import time
from collections.abc import Awaitable, Callable

NowMs = Callable[[], int]
"""Returns the Unix time in milliseconds."""
Sleep = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds."""
NewId = Callable[[str], str]
"""Returns a new id with a prefix: `new_id("agent")` -> `agent_8c1f…`."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(14)}"
