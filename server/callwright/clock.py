"""Time and ids, named so that they can be handed in."""

import secrets
import time
from collections.abc import Awaitable, Callable

NowMs = Callable[[], int]
"""Milliseconds since 1970, UTC."""
Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""
NewId = Callable[[str], str]
"""A fresh id with this prefix: `new_id("agent")` -> `agent_8c1f…`."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(14)}"
