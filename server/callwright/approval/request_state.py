"""Which question an answer belongs to: noted outside the SDK's own middleware, where its state is still sealed."""

import hashlib
from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

_sealed: ContextVar[str | None] = ContextVar("sealed", default=None)


async def name_question(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware. A sealed `requestState` is one question; the SDK would honour it again for ten minutes."""
    state = (ctx.params or {}).get("requestState")
    _sealed.set(hashlib.sha256(state.encode()).hexdigest() if isinstance(state, str) else None)
    return await call_next(ctx)


def sealed_state() -> str | None:
    """Digest of the state that the running request brought; None where it brought none."""
    return _sealed.get()
