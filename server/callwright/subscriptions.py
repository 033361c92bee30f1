"""Who is told that a resource changed: clients of every revision, through one bus."""

from typing import Any

from mcp.server import MCPServer
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

LIMIT = 1_000
"""Resources that one session may follow."""


class Subscriptions(InMemorySubscriptionBus):
    """The SDK's bus serves `subscriptions/listen` of 2026-07-28; this one also serves the sessions of older clients.

    They follow a resource by `resources/subscribe`, until they unsubscribe or their session ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._following: dict[Connection, dict[str, ServerSession]] = {}

    async def publish(self, event: ServerEvent) -> None:
        """Tell everybody who wants to know. Raises nothing: who is gone is not told."""
        await super().publish(event)
        if isinstance(event, ResourceUpdated):
            for session in [uris[event.uri] for uris in self._following.values() if event.uri in uris]:
                await session.send_resource_updated(event.uri)

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
        uris[params.uri] = ctx.session
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._following.get(_connection(ctx), {}).pop(params.uri, None)
        return EmptyResult()


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]  (a session lives for one request)
