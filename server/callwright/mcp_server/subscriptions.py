"""Who is told that a resource changed: clients of every revision, through one bus, each of its own account alone."""

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
"""Resources that one session may follow."""


_listener: ContextVar[str | None] = ContextVar("listener", default=None)
"""The account of who is asking to be told."""
_changed: ContextVar[str | None] = ContextVar("changed", default=None)
"""The account in which something has changed."""


class Subscriptions(InMemorySubscriptionBus):
    """The SDK's bus serves `subscriptions/listen` of 2026-07-28; this one also serves the sessions of older clients.

    They follow a resource by `resources/subscribe`, until they unsubscribe or their session ends.
    """

    def __init__(self, account_of: Callable[[Any], str]) -> None:
        """`account_of`: where a client works, by its HTTP request (None: there is no HTTP)."""
        super().__init__()
        self._account_of = account_of
        self._following: dict[Connection, dict[str, tuple[ServerSession, str]]] = {}

    async def publish(self, event: ServerEvent, account: str | None = None) -> None:
        """Tell whoever wants to know and works in `account`; None: everybody. Raises nothing: who is gone is not told.

        Addresses are the same in all accounts (`callwright://agents`), so they alone tell nobody apart.
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
        """Middleware: the SDK does not tell the bus who listens."""
        if ctx.method == "subscriptions/listen":
            _listener.set(self._account_of(ctx.request))
        return await call_next(ctx)

    def followed(self) -> set[str]:
        """The resources that older clients follow now."""
        return {uri for uris in self._following.values() for uri in uris}

    def serve(self, server: MCPServer[Any]) -> None:
        """Answer the older clients of `server`. Only for one that keeps sessions: others have nowhere to be told."""
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
