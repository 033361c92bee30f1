"""The WebSocket of one conversation: sends the frames that the client subscribed to, receives, and closes."""

from collections.abc import Collection
from typing import Any

from pydantic_core import to_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...contract.merge import Json
from .medium import NORMAL

_UNGATED = frozenset({"conversation_initiation_metadata", "error"})
"""Frames sent to every client, whatever its events are."""
_REASON_BYTES = 123
"""The maximum size of the reason in a close frame."""


class ClientSocket:
    """The socket of one client. After the client has gone, sending does nothing and raises nothing."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._gone = False
        self.events: Collection[str] = ()
        """The agent's `client_events`."""
        self.left_with = NORMAL
        """The close code that the client sent."""

    async def send(self, frame: Json) -> None:
        """Send a frame, if its type is one of `events`."""
        if self._gone or (frame["type"] not in _UNGATED and frame["type"] not in self.events):
            return
        try:
            await self._socket.send_text(to_json(frame).decode())
        except WebSocketDisconnect:
            self._gone = True

    async def tell(self, type_: str, key: str, **fields: Any) -> None:
        """Send a frame of the usual form: its content under the key `key`."""
        await self.send({"type": type_, key: fields})

    async def refuse(self, code: int, message: str, error_type: str | None = None, **details: Any) -> None:
        """Send an error frame, and close with its message as the reason."""
        event: Json = {"code": code, "message": message, "reason": message}
        event |= {"error_type": error_type} if error_type else {}
        event |= {"details": details} if details else {}
        await self.send({"type": "error", "error_event": event})
        await self.close(code, f"{error_type}: {message}" if error_type else message)

    async def receive(self) -> Json | None:
        """The client's next ASGI message; None at the end of the connection."""
        message: Json = dict(await self._socket.receive())
        if message["type"] != "websocket.disconnect":
            return message
        self._gone = True
        self.left_with = int(message.get("code") or NORMAL)
        return None

    async def close(self, code: int, reason: str) -> None:
        if self._gone:
            return
        self._gone = True
        try:
            await self._socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except (WebSocketDisconnect, RuntimeError):  # the client left at the same moment
            return
