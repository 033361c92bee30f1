"""Match an answer with its question: note the sealed `requestState` of a request before the SDK opens it."""

import hashlib
from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

_sealed: ContextVar[str | None] = ContextVar("sealed", default=None)


async def name_question(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware that notes the sealed `requestState`, one for each question; the SDK accepts it for ten minutes."""
    state = (ctx.params or {}).get("requestState")
    _sealed.set(hashlib.sha256(state.encode()).hexdigest() if isinstance(state, str) else None)
    return await call_next(ctx)


def sealed_state() -> str | None:
    """Digest of the `requestState` of the running request; None if it has none."""
    return _sealed.get()
