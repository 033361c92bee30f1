"""HTTP/1.1 with bounds: on the time of a head, a body and an answer, on connections, and on what a head may say.

uvicorn waits for an unfinished head as long as the client likes, and counts requests where connections are what runs
out. Here a connection without a request is closed for one that has more to say.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from .heads import fault
from .transports import LingeringTransport


@dataclass(frozen=True)
class Patience:
    """How long a client is waited for, and how many may come."""

    head_seconds: float = 10.0
    """For a whole head, from the connection or from its first byte."""
    body_seconds: float = 20.0
    """For a body, besides what its bytes take at `rate`."""
    answer_seconds: float = 60.0
    """For a client that does not read its answer; it goes on while it reads at `rate`."""
    rate: int = 4_000
    """Bytes a second."""
    linger_seconds: float = 10.0
    linger_bytes: int = 32 * 1024 * 1024
    """How long, and how much, is read of a body that was refused, so that the answer arrives."""
    connections: int = 1000


Waits = Literal["head", "body"]


class BoundedHttp(H11Protocol):
    """One connection. `bounded` makes a class with other patience."""

    patience: ClassVar[Patience] = Patience()

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._app, self.app = self.app, cast(Any, self._answered)
        self._waits: Waits | None = None
        self._since, self._received, self._unsent = 0.0, 0, 0
        self._waiting: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._is_full = self._is_websocket = False

    # --- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # uvicorn's has the same
        patience = self.patience
        self._lingering = LingeringTransport(
            transport,
            self.loop,
            unread=self._unread,
            seconds=patience.linger_seconds,
            most=patience.linger_bytes,
        )
        self._is_full = len(self.connections) >= patience.connections and not close_idlest(self.connections)
        super().connection_made(self._lingering)
        if self._is_full:
            self._refuse(503, "This server has as many connections as it holds. Try again later.", "retry-after: 1")
        else:
            self._watch("head")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        self._lingering.lost()
        super().connection_lost(exc)

    @property
    def idle_since(self) -> float | None:
        """When the connection began to have no request in hand; None while it has one."""
        if self._lingering.lingers:
            return 0.0
        return self._since if self.conn.their_state is h11.IDLE else None

    def give_way(self) -> None:
        """Close a connection that has no request in hand."""
        self._stop_timers()
        self._lingering.abort()

    def data_received(self, data: bytes) -> None:
        if self._lingering.is_closing():
            self._lingering.drop(data)
            return
        self._received += len(data)
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._since, self._received = self.loop.time(), 0
        if not self.transport.is_closing():
            self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        if wrong := fault(self.headers, "1.1"):
            self._refuse(400, wrong)
            return
        self._stop_timers()
        self._is_websocket = True
        self.transport = self._lingering.inner  # WebSockets have bounds and an end of their own
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing:
            self._writing.cancel()

    def shutdown(self) -> None:
        if self._lingering.lingers:
            self._lingering.abort()
        else:
            super().shutdown()

    # --- time

    def _look(self) -> None:
        """Wait for what the client owes now."""
        their = self.conn.their_state
        if self._is_websocket:
            return
        if their is h11.IDLE and self.conn.trailing_data[0]:
            self._watch("head")
        elif their is h11.SEND_BODY and self.conn.our_state in (h11.SEND_RESPONSE, h11.SEND_BODY):
            self._watch("body")
        else:
            self._watch(None)

    def _watch(self, what: Waits | None) -> None:
        if what == self._waits:
            return
        if self._waiting:
            self._waiting.cancel()
        self._waits, self._waiting = what, None
        if what:
            self._since = self.loop.time()
            seconds = self.patience.head_seconds if what == "head" else self.patience.body_seconds
            self._waiting = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if self.transport.is_closing():
            return
        if self._waits == "body" and (more := self._more_time()) > 0:
            self._waiting = self.loop.call_later(more, self._late)
        elif self._waits == "head" and not self.conn.trailing_data[0]:
            self.transport.close()  # nothing came: browsers open connections that they may not use
        elif self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(408, f"The {self._waits} of the request did not come in time.")
        else:
            self.transport.abort()

    def _more_time(self) -> float:
        """Seconds that the body may still take."""
        patience, now = self.patience, self.loop.time()
        if self.flow.read_paused:  # it is not the client who is slow
            self._since, self._received = now, 0
        return self._since + patience.body_seconds + self._received / patience.rate - now

    def _expect_reading(self) -> None:
        self._unsent = self._lingering.get_write_buffer_size()
        self._writing = self.loop.call_later(self.patience.answer_seconds, self._look_at_reading)

    def _look_at_reading(self) -> None:
        read = self._unsent - self._lingering.get_write_buffer_size()
        if read < self.patience.rate * self.patience.answer_seconds:
            self._lingering.abort()
        else:
            self._expect_reading()

    def _stop_timers(self) -> None:
        self._watch(None)
        self._unset_keepalive_if_required()
        if self._writing:
            self._writing.cancel()

    # --- answers

    def _unread(self) -> bool:
        """Whether the client may still be sending a request."""
        return self._is_full or self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _refuse(self, status: int, why: str, *more: str) -> None:
        """Answer in place of the app, and close."""
        body = f"{why}\n".encode()
        lines = (
            f"HTTP/1.1 {status} {STATUS_PHRASES[status].decode()}",
            "content-type: text/plain; charset=utf-8",
            f"content-length: {len(body)}",
            "connection: close",
            *more,
        )
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
        if self.cycle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    async def _answered(self, scope: Any, receive: Any, send: Any) -> None:
        """The app, for heads with one meaning. A body that it did not read to the end is the last of its connection."""
        if wrong := fault(scope["headers"], scope["http_version"]):
            said = f"{wrong}\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(said))]
            await send({"type": "http.response.start", "status": 400, "headers": [*headers, CLOSE_HEADER]})
            await send({"type": "http.response.body", "body": said})
            return

        async def send_and_close(message: Any) -> None:
            if message["type"] == "http.response.start" and self.cycle.more_body:
                message = {**message, "headers": [*message.get("headers", ()), CLOSE_HEADER]}
            await send(message)

        await self._app(scope, receive, send_and_close)


def bounded(patience: Patience) -> type[BoundedHttp]:
    return type("BoundedHttp", (BoundedHttp,), {"patience": patience})


def close_idlest(connections: set[Any]) -> bool:
    """Close the connection that has waited longest without a request, among those of the address with most of them.

    Returns False if all have one.
    """
    ours = (each for each in connections if isinstance(each, BoundedHttp))
    idle = [(since, each) for each in ours if (since := each.idle_since) is not None]
    if not idle:
        return False
    by_address = Counter(_address(each) for _, each in idle)
    (greedy, _), *_ = by_address.most_common(1)
    _, idlest = min(((since, each) for since, each in idle if _address(each) == greedy), key=lambda found: found[0])
    idlest.give_way()
    connections.discard(idlest)
    return True


def _address(connection: BoundedHttp) -> str:
    return connection.client[0] if connection.client else ""
