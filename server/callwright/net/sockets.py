"""WebSocket clients: over the network, or into an ASGI app of this process."""

import logging
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from httpx2.websockets import (
    AsyncWebSocketClient,
    AsyncWebSocketSession,
    HTTPXWSException,
    WebSocketDisconnect,
    WebSocketInvalidTypeReceived,
    WebSocketUpgradeError,
)

from .asgi import App, ASGITransport, Message
from .http import URL, AsyncClient, Transport

__all__ = ["LARGEST_FRAME", "LOST", "Broken", "Socket", "WebSocketUpgradeError", "opened"]

LARGEST_FRAME = 4 * 1024 * 1024
"""Bytes: some seconds of audio, which a text client receives as well."""
LOST = 1006
"""The close code of a connection that ended without a close frame (RFC 6455)."""
SEND_SECONDS = 10.0
"""A peer that reads nothing for this time counts as gone."""
FAREWELL_SECONDS = 10.0
"""The time that an app of this process gets to finish after its client has disconnected."""

log = logging.getLogger(__name__)


class Broken(Exception):
    """The connection can no longer be used."""


class Socket(Protocol):
    """An open text WebSocket. Only one task may receive."""

    code: int
    reason: str
    """The reason in the close frame, once `receive` has returned None."""

    async def send(self, text: str) -> None:
        """Raises Broken if the text was certainly not sent, or not in time."""
        ...

    async def receive(self) -> str | None:
        """The next text; None at the end of the connection."""
        ...


def opened(
    client: AsyncClient, transport: Transport | None, url: URL, headers: Mapping[str, str], subprotocol: str
) -> AbstractAsyncContextManager[Socket]:
    """A WebSocket to `url` (ws or wss), closed at the end of the context.

    `transport`: the client's transport. Raises TransportError, or WebSocketUpgradeError if the upgrade is refused.
    """
    if isinstance(transport, ASGITransport):
        return _into(transport.app, url, headers, subprotocol)
    return _over_network(client, url, headers, subprotocol)


@asynccontextmanager
async def _over_network(
    client: AsyncClient, url: URL, headers: Mapping[str, str], subprotocol: str
) -> AsyncGenerator[Socket]:
    sockets = AsyncWebSocketClient(client, max_message_size_bytes=LARGEST_FRAME)
    async with sockets.connect(str(url), headers=dict(headers), subprotocols=[subprotocol]) as session:
        yield _Remote(session)


class _Remote:
    def __init__(self, session: AsyncWebSocketSession) -> None:
        self._session = session
        self.code, self.reason = LOST, ""

    async def send(self, text: str) -> None:
        try:
            with anyio.fail_after(SEND_SECONDS):
                await self._session.send_text(text)
        except Exception as exc:  # the library does not wrap errors of sockets and of its state machine
            log.debug("A frame could not be sent: %s", type(exc).__name__)
            failure = Broken(type(exc).__name__)
        else:
            return
        raise failure

    async def receive(self) -> str | None:
        while True:
            try:
                return await self._session.receive_text()
            except WebSocketDisconnect as left:
                self.code, self.reason = left.code, left.reason
                return None
            except WebSocketInvalidTypeReceived:
                continue  # binary frames are ignored
            except (HTTPXWSException, anyio.EndOfStream, anyio.ClosedResourceError):
                return None


@asynccontextmanager
async def _into(app: App, url: URL, headers: Mapping[str, str], subprotocol: str) -> AsyncGenerator[Socket]:
    to_app, app_receives = anyio.create_memory_object_stream[Message](math.inf)
    app_sends, from_app = anyio.create_memory_object_stream[Message](math.inf)
    scope = _scope(url, headers, subprotocol)
    # A cancelled client disconnects, as from a remote server: the app is notified and may finish.
    lives = anyio.CancelScope(shield=True)

    async def run() -> None:
        async def send(message: Message) -> None:
            await app_sends.send(message)

        with app_sends, lives:
            try:
                await app(scope, app_receives.receive, send)
            except Exception:
                log.exception("The application failed in the WebSocket %s", url.path)

    with to_app, app_receives, from_app:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await to_app.send({"type": "websocket.connect"})
            socket = _Inside(to_app, from_app)
            try:
                yield socket
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(FAREWELL_SECONDS):
                    await to_app.send({"type": "websocket.disconnect", "code": 1000})
                    while await socket.receive() is not None:
                        pass
                lives.cancel()


def _scope(url: URL, headers: Mapping[str, str], subprotocol: str) -> Message:
    path, _, query = url.raw_path.partition(b"?")
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [subprotocol],
        "server": (url.host, url.port),
        "client": None,
    }


class _Inside:
    def __init__(self, to_app: MemoryObjectSendStream[Any], from_app: MemoryObjectReceiveStream[Any]) -> None:
        self._to_app, self._from_app = to_app, from_app
        self.code, self.reason = LOST, ""

    async def send(self, text: str) -> None:
        try:
            await self._to_app.send({"type": "websocket.receive", "text": text})
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise Broken("the application has gone") from None

    async def receive(self) -> str | None:
        async for message in self._from_app:
            if message["type"] == "websocket.close":
                self.code, self.reason = message.get("code", 1000), message.get("reason") or ""
            elif message["type"] == "websocket.send" and message.get("text") is not None:
                return message["text"]
        return None
