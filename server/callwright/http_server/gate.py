"""Middleware in front of the MCP endpoint: authentication, rate and size limits, and the scope of the called tool."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..accounts.principals import Principal
from ..surface import RUNNERS
from ..telemetry.metrics import Metrics
from ..telemetry.spans import within_trace
from .authenticator import Admitted, Authenticator
from .limits import Limits


@dataclass(frozen=True)
class Challenge:
    """Parameters of `WWW-Authenticate` besides the error. `metadata`: URL of the document that names the issuer."""

    metadata: str | None = None
    scope: str = ""

    def header(self, **said: str) -> str:
        parts = {**said}
        if self.metadata:
            parts |= {"resource_metadata": self.metadata} | ({} if "scope" in said else {"scope": self.scope})
        return " ".join(["Bearer", ", ".join(f'{name}="{value}"' for name, value in parts.items())]).strip()


class Refusal(Exception):
    """A request is refused. `reason`: one word for programs; `message`: the remedy, in words."""

    def __init__(self, status: int, reason: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Gate:
    """ASGI middleware that refuses requests. Without `admission` no token is required (on this machine only).

    `scopes`: tool name -> scope.
    """

    def __init__(
        self,
        app: ASGIApp,
        admission: Authenticator | None,
        limits: Limits,
        metrics: Metrics,
        scopes: Mapping[str, str],
        challenge: Challenge,
    ) -> None:
        self._app = AuthContextMiddleware(app)
        self._admission, self._limits, self._meters = admission, limits, metrics
        self._scopes, self._challenge = scopes, challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope, receive, send)
        except Refusal as refusal:
            self._meters.refused(refusal.reason)
            body = {"error": refusal.reason, "message": str(refusal)}
            await JSONResponse(body, refusal.status, refusal.headers)(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = f"address {(scope.get('client') or ('unknown',))[0]}"
        if self._admission:
            principal = await self._principal(self._admission, scope, client)
            client = principal.name
            scope = {**scope, "user": Admitted(principal, alone=self._admission.alone)}
        else:
            principal = None
        self._check_rate(client)
        with self._limits.running(client) as room:
            if not room:
                raise Refusal(
                    429,
                    "too_many_at_once",
                    f"This client has {self._limits.allowance.at_once} requests open, the most that"
                    " CALLWRIGHT_HTTP_AT_ONCE allows. Wait for an answer first.",
                    retry_after="1",
                )
            if scope["method"] == "POST":
                body = await self._body(scope, receive)
                if principal:
                    self._check_scope(principal, body)
                receive = _again(body, receive)
            with within_trace(_trace_headers(scope)):
                await self._app(scope, receive, send)

    async def _principal(self, admission: Authenticator, scope: Scope, client: str) -> Principal:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if principal := await admission.principal(given):
            return principal
        self._check_rate(client)  # limits the guessing of tokens
        if given:
            header = self._challenge.header(error="invalid_token", error_description="Unknown, expired or not for here")
            raise Refusal(401, "invalid_token", "This token does not open this server.", www_authenticate=header)
        message = "Send the header Authorization: Bearer <CALLWRIGHT_HTTP_TOKEN>."
        raise Refusal(401, "unauthorized", message, www_authenticate=self._challenge.header())

    def _check_rate(self, client: str) -> None:
        if wait := self._limits.wait(client):
            raise Refusal(
                429,
                "too_many_requests",
                f"More than {self._limits.allowance.rate} requests a minute (CALLWRIGHT_HTTP_RATE). Wait {wait} s.",
                retry_after=str(wait),
            )

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        most = self._limits.allowance.body or math.inf
        too_large = Refusal(
            413,
            "too_large",
            f"The request has more than {most:,} bytes (CALLWRIGHT_HTTP_BODY). A tool can take a long text from a URL.",
        )
        if int(dict(scope["headers"]).get(b"content-length", b"0")) > most:
            raise too_large
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                break  # the client has disconnected: the body is incomplete, and no valid JSON
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise too_large
            more = message.get("more_body", False)
        return b"".join(parts)

    def _check_scope(self, principal: Principal, body: bytes) -> None:
        wanted = self._scopes.get(_called(body) or "")
        if wanted and not principal.may(wanted):
            header = self._challenge.header(error="insufficient_scope", scope=wanted)
            raise Refusal(403, "insufficient_scope", f"This call needs the scope {wanted}.", www_authenticate=header)


def _trace_headers(scope: Scope) -> dict[str, str]:
    names = (b"traceparent", b"tracestate")
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in names}


def _called(body: bytes) -> str | None:
    """The name of the tool that a request calls; None for other requests, which the MCP server validates."""
    if b"tools/call" not in body:
        return None
    try:
        message: Any = json.loads(body)
        if message["method"] != "tools/call":
            return None
        params = cast(dict[str, Any], message["params"])
        name = params["arguments"]["tool"] if params["name"] in RUNNERS.values() else params["name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _again(body: bytes, receive: Receive) -> Receive:
    """An ASGI `receive` that returns the body that was read already, and then the later messages."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again
