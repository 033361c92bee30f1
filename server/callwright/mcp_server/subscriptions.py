"""Notify clients about changed resources: one bus for all protocol revisions, filtered by the client's account."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

LIMIT = 1_000
"""Maximum resources that one session may subscribe to."""


_listener: ContextVar[str | None] = ContextVar("listener", default=None)
"""The account of the client that is subscribing."""
_changed: ContextVar[str | None] = ContextVar("changed", default=None)
"""The account of the change that is being published."""


class Subscriptions(InMemorySubscriptionBus):
    """Subscription bus: the SDK's serves `subscriptions/listen` of 2026-07-28, this one also sessions of older clients.

    Older clients subscribe with `resources/subscribe`, until they unsubscribe or their session ends.
    """

    def __init__(self, account_of: Callable[[Any], str]) -> None:
        """`account_of`: returns the account of a client by its HTTP request (None: no HTTP)."""
        super().__init__()
        self._account_of = account_of
        self._following: dict[Connection, dict[str, tuple[ServerSession, str]]] = {}

    async def publish(self, event: ServerEvent, account: str | None = None) -> None:
        """Notify the subscribers in `account` (None: in all accounts). Clients that have disconnected cause no error.

        URIs are the same in all accounts (`callwright://agents`), so subscribers must be filtered by account.
        """
        before = _changed.set(account)
        try:
            await super().publish(event)
        finally:
            _changed.reset(before)
        if isinstance(event, ResourceUpdated):
            for session, own in [uris[event.uri] for uris in self._following.values() if event.uri in uris]:
                if account in (None, own):
                    await session.send_resource_updated(event.uri)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        own = _listener.get()

        def hears(event: ServerEvent) -> None:
            if _changed.get() in (None, own):
                listener(event)

        return super().subscribe(hears)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware that notes the client's account, because the SDK does not pass the request to the bus."""
        if ctx.method == "subscriptions/listen":
            _listener.set(self._account_of(ctx.request))
        return await call_next(ctx)

    def followed(self) -> set[str]:
        """URIs that older clients are subscribed to."""
        return {uri for uris in self._following.values() for uri in uris}

    def serve(self, server: MCPServer[Any]) -> None:
        """Register the handlers for older clients. Only for servers with sessions: others cannot notify."""
        low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  (the SDK has no public way)
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    async def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        connection = _connection(ctx)
        if connection not in self._following:
            self._following[connection] = {}
            connection.exit_stack.callback(self._following.pop, connection, None)
        uris = self._following[connection]
        if len(uris) >= LIMIT and params.uri not in uris:
            raise MCPError(INVALID_PARAMS, f"A session can follow {LIMIT:,} resources. Unsubscribe from some first.")
        uris[params.uri] = ctx.session, self._account_of(ctx.request)
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._following.get(_connection(ctx), {}).pop(params.uri, None)
        return EmptyResult()


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]  (a session lives for one request)
