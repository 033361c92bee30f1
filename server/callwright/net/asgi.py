"""An httpx transport that calls an ASGI app in this process and streams its responses, without sockets.

The handler runs in its own task, because a response may outlive the call that asked for it (its body is read later,
perhaps by another task). anyio can start such a task only in a task group that stays open across that call's return,
and a cancel scope entered in one call and left in another breaks the caller's own scopes; so this is plain asyncio.
A small response costs two rounds of the event loop: one to start the task, one to wake the caller.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx2 as httpx

from ..concurrency import cancel_all

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HIGH_WATER = 64 * 1024
"""Unread bytes of one response beyond which its handler waits for the reader."""

log = logging.getLogger(__name__)


class ASGITransport(httpx.AsyncBaseTransport):
    """Passes requests to `app`, without running its lifespan."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(request)
        task = asyncio.create_task(exchange.run(self.app), name=f"{request.method} {request.url.path}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(exchange.ended)
        exchange.task = task
        try:
            status, headers = await exchange.head
        except BaseException:
            exchange.close()
            raise
        return httpx.Response(status, headers=headers, stream=exchange, request=request)

    async def aclose(self) -> None:
        """Cancel the running handlers and wait for their end."""
        await cancel_all(self._tasks)


class _Exchange(httpx.AsyncByteStream):
    """One request and its response; httpx uses it as the response's body."""

    task: asyncio.Task[None]

    def __init__(self, request: httpx.Request) -> None:
        loop = asyncio.get_running_loop()
        self.head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = loop.create_future()
        self._request = request
        self._upload = aiter(request.stream) if isinstance(request.stream, httpx.AsyncByteStream) else None
        self._answer: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._chunks: deque[bytes] = deque()
        self._unread = 0
        self._complete = False  # the handler has sent its last chunk
        self._closed = False  # the reader has closed the response
        self._broken = False  # the handler failed after the response head
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] | None = None  # set while a handler waits for the end of the exchange

    async def run(self, app: App) -> None:
        try:
            await app(self._scope(), self._receive, self._send)
        except Exception:
            if not self._complete:
                log.exception("The application failed in %s %s", self._request.method, self._request.url.path)

    def _scope(self) -> Message:
        url = self._request.url
        raw_path, _, query = url.raw_path.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "server": (url.host, url.port),
            "client": None,
        }

    async def _receive(self) -> Message:
        if self._upload is not None:
            async for chunk in self._upload:
                return {"type": "http.request", "body": chunk, "more_body": True}
            self._upload = None
            return {"type": "http.request", "body": b"", "more_body": False}
        while not (self._closed or self._complete):
            self._over = self._over or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._over)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._closed:
            raise OSError("The client has gone.")  # what ASGI requires of a server whose client has disconnected
        if message["type"] == "http.response.start":
            self._answer = (message["status"], list(message.get("headers", ())))
            if not self.head.done():
                self.head.set_result(self._answer)
        elif message["type"] == "http.response.body" and not self._complete:
            await self._write(message.get("body", b""), more=message.get("more_body", False))

    async def _write(self, body: bytes, *, more: bool) -> None:
        if body and self._request.method != "HEAD":
            self._chunks.append(body)
            self._unread += len(body)
        if not more:
            self._complete = True
            _wake(self._over)
        _wake(self._readable)
        while more and self._unread > HIGH_WATER and not self._closed:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    def ended(self, task: asyncio.Task[None]) -> None:
        """Handle the end of the handler's task, which may have been cancelled before its start."""
        self._broken = not self._complete
        if task.cancelled() and not self._closed and not self.head.done():
            self.head.set_exception(httpx.ReadError("The application was stopped.", request=self._request))
        elif not self.head.done():
            self._chunks.append(b'{"detail":{"status":"internal_error","message":"Internal error."}}')
            self._complete = True
            self.head.set_result((500, [(b"content-type", b"application/json")]))
        _wake(self._readable)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._unread -= len(chunk)
                if self._unread <= HIGH_WATER:
                    _wake(self._writable)
                yield chunk
            if self._complete:
                return
            if self._broken or self._closed:
                raise httpx.ReadError("The answer broke off.", request=self._request)
            self._readable = asyncio.get_running_loop().create_future()
            await self._readable

    async def aclose(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the response: the handler first receives `http.disconnect`, then is cancelled.

        A handler that has sent its whole response is not cancelled: the rest of its work belongs after the response.
        """
        if self._closed:
            return
        self._closed = True
        _wake(self._over)
        _wake(self._writable)
        _wake(self._readable)
        if not self._complete:
            self.task.cancel()


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
