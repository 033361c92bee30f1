"""Filter lists of tools and resources by the scopes of a token. The scopes of calls are checked elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from ..mcp_server.resources import PLACES

_SHOWN_BY = {place.uri: place.tool for place in PLACES}
_ROWS: dict[str, tuple[str, Callable[[dict[str, Any]], str | None]]] = {
    "tools/list": ("tools", lambda row: row["name"]),
    "resources/list": ("resources", lambda row: _SHOWN_BY.get(row["uri"])),
    "resources/templates/list": ("resourceTemplates", lambda row: _SHOWN_BY.get(row["uriTemplate"])),
}
"""Method -> the field with its rows, and a function from a row to the tool whose scope it needs, if any."""


class TokenVisibility:
    """Middleware for a server that accepts several tokens. `scopes`: tool name -> scope."""

    def __init__(self, scopes: Mapping[str, str]) -> None:
        self._scopes = scopes

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        user = ctx.request.scope.get("user") if ctx.request is not None else None
        if ctx.request is not None and user is None:
            # The App treats a request without a user as one of the operator.
            raise RuntimeError("a request over HTTP has passed no gate")
        result: Any = await call_next(ctx)
        if ctx.method not in _ROWS or user is None:
            return result
        field, tool_of = _ROWS[ctx.method]

        def reaches(row: dict[str, Any]) -> bool:
            scope = self._scopes.get(tool_of(row) or "")
            return scope is None or user.principal.may(scope)

        private = {"cacheScope": "private"} if "cacheScope" in result else {}
        return {**result, field: [row for row in result[field] if reaches(row)], **private}
