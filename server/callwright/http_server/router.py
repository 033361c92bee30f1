"""Route HTTP requests: public routes, the operator's routes, and the MCP endpoint behind its gate."""

import hmac
from collections.abc import Sequence

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ..telemetry.metrics import Metrics
from .tokens import digest

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class FrontRouter:
    """ASGI app: requests go to `routes` by path, all others to `rest`, lifespan events to `lifespan`."""

    def __init__(self, routes: Sequence[BaseRoute], rest: ASGIApp, *, lifespan: ASGIApp) -> None:
        self._router = Router(routes, redirect_slashes=False, default=rest)
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._lifespan if scope["type"] == "lifespan" else self._router)(scope, receive, send)


class MetricsEndpoint:
    """ASGI app: `/metrics` for the operator. The Host header is checked, because without a token a web page could read
    the metrics by DNS rebinding.
    """

    def __init__(self, metrics: Metrics, security: TransportSecuritySettings) -> None:
        self._meters, self._named = metrics, TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._named.validate_request(Request(scope, receive))
        answer: Response = refusal or PlainTextResponse(self._meters.text(), media_type=METRICS_TYPE)
        await answer(scope, receive, send)


class OperatorOnly:
    """ASGI middleware that requires the server's own token. `held`: the digest of the token."""

    def __init__(self, app: ASGIApp, held: str) -> None:
        self._app, self._held = app, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        kind, _, token = given.decode("latin-1").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(digest(token.strip()), self._held):
            await self._app(scope, receive, send)
            return
        message = "The numbers are the operator's: send Authorization: Bearer <CALLWRIGHT_HTTP_TOKEN>."
        body = {"error": "unauthorized", "message": message}
        await JSONResponse(body, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
