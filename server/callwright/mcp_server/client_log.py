"""Log messages to clients: the records of the program's log about a client's own calls, from its chosen level on.

Deprecated in 2026-07-28, where a request sets the level in `_meta`. Clients of older revisions set it with
`logging/setLevel`, and get no messages before. The messages of a request are sent together before its answer.
"""

import logging
from typing import Any
from weakref import WeakKeyDictionary

from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import (
    LOG_LEVEL_META_KEY,
    EmptyResult,
    LoggingLevel,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    SetLevelRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..telemetry.calling import Calling, answering
from ..telemetry.logs import facts_of, overhear, want
from ..telemetry.redaction import Redactor

_LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO + 1,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL + 1,
    "emergency": logging.CRITICAL + 2,
}
"""Level names of the protocol -> numbers of `logging`; the program logs only at the levels of `logging`."""

LONGEST_NAME = 64
"""Maximum characters of a tool's name and of a request's id, because a client may send any text as one."""


class ClientLog:
    """Middleware that attaches the request to all records logged during it, and sends these to the client."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._declared = False
        self._chosen = WeakKeyDictionary[Connection, int]()

    def serve(self, server: MCPServer[Any]) -> None:
        """Declare the capability. Only for servers with sessions, because without one a chosen level would be lost."""
        overhear()
        low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  (the SDK has no public way)
        low.add_request_handler("logging/setLevel", SetLevelRequestParams, self._set_level)
        self._declared = True

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        level = self._level(ctx) if self._declared else None
        if level is not None:
            want(level)
        calling = Calling(_tool(ctx), _principal(ctx), _id(ctx), level)
        with answering(calling):
            try:
                result = await call_next(ctx)
            except Exception:
                await self._send(ctx, calling)
                raise
            await self._send(ctx, calling)
            return result

    async def _set_level(self, ctx: ServerRequestContext[Any, Any], params: SetLevelRequestParams) -> EmptyResult:
        self._chosen[_connection(ctx)] = _LEVELS[params.level]
        return EmptyResult()

    def _level(self, ctx: ServerRequestContext[Any, Any]) -> int | None:
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return _LEVELS.get(str((ctx.meta or {}).get(LOG_LEVEL_META_KEY)))
        return self._chosen.get(_connection(ctx))

    async def _send(self, ctx: ServerRequestContext[Any, Any], calling: Calling) -> None:
        while calling.heard:
            record = calling.heard.popleft()
            text = self._redact(record.getMessage(), calling.hushed)
            params = LoggingMessageNotificationParams(
                level=_named(record.levelno),
                logger=record.name,
                data={"message": text, **{name: self._clean(value) for name, value in facts_of(record).items()}},
            )
            # The id of the request routes the message to the stream of its answer, and to no other client's.
            await ctx.session.send_notification(LoggingMessageNotification(params=params), ctx.request_id)

    def _clean(self, value: Any) -> Any:
        return self._redact(value) if isinstance(value, str) else value


def _named(number: int) -> LoggingLevel:
    names: dict[int, LoggingLevel] = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}
    return names[max(10, min(50, number // 10 * 10))]


def _tool(ctx: ServerRequestContext[Any, Any]) -> str | None:
    name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else None
    return name[:LONGEST_NAME] if isinstance(name, str) else None


def _principal(ctx: ServerRequestContext[Any, Any]) -> str:
    user = ctx.request.scope.get("user") if ctx.request is not None else None
    return user.principal.name if user else "local"


def _id(ctx: ServerRequestContext[Any, Any]) -> str | None:
    return None if ctx.request_id is None else str(ctx.request_id)[:LONGEST_NAME]


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]  (a session lives for one request)
