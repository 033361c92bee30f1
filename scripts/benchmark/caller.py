"""One person in a text conversation, as a client of the WebSocket that costs little itself: frames by hand."""

import asyncio
import json
import re
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from .client import Failed

TURN_SECONDS = 120
"""More than the engine takes to give up: three attempts at a model that says nothing for 30 seconds each."""
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_TOOK = re.compile(r"\((\d+\.\d+) ms\)$")
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: convai\r\nxi-api-key: {key}\r\n\r\n"
)


class Caller(asyncio.Protocol):
    """`await Caller.begun(url, key)`, then `turn` again and again, then `leave`."""

    def __init__(self, url: str) -> None:
        self.ended: str | None = None
        """Why the server is heard no more; also between two turns."""
        self._url, self._turns, self._error = url, 0, ""
        self._read, self._open = b"", False
        self._answer: asyncio.Future[tuple[float, str]] = asyncio.get_running_loop().create_future()

    @classmethod
    async def begun(cls, url: str, key: str) -> "Caller":
        """A conversation whose first frame has come. `key`: of the engine."""
        where = urlsplit(url)
        host, port = where.netloc.split(":")
        _, caller = await asyncio.get_running_loop().create_connection(lambda: cls(url), host, int(port))
        asked = _HANDSHAKE.format(path=f"{where.path}?{where.query}", host=where.netloc, key=key)
        caller._transport.write(asked.encode())
        await caller._next()
        return caller

    async def turn(self, text: str) -> float:
        """Milliseconds from the message to the whole answer, less those that the model says it took."""
        if self.ended:
            raise self._failed(self.ended)
        self._turns += 1
        self._answer = asyncio.get_running_loop().create_future()
        began = perf_counter()
        self._send(_TEXT, json.dumps({"type": "user_message", "text": text}).encode())
        came, answer = await self._next()
        took = _TOOK.search(answer)
        if took is None:
            raise self._failed(f"The answer is not the model's: {answer!r}")
        return 1000 * (came - began) - float(took[1])

    def leave(self) -> None:
        self._answer.cancel()
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"The connection was closed: {exc}")

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._open:
            head, gap, rest = self._read.partition(b"\r\n\r\n")
            if not gap:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                return self._fail(head.decode())
            self._open, self._read = True, rest
            self._send(_TEXT, json.dumps({"type": "conversation_initiation_client_data"}).encode())
        while (frame := self._frame()) is not None:
            self._take(*frame)

    async def _next(self) -> tuple[float, str]:
        try:
            return await asyncio.wait_for(self._answer, TURN_SECONDS)
        except TimeoutError:
            raise self._failed(f"No answer came within {TURN_SECONDS} s.") from None

    def _frame(self) -> tuple[int, bytes] | None:
        """The next one that is here as a whole: its kind and what is in it. Servers send small ones, and no mask."""
        if len(self._read) < 4:
            return None
        start, length = 2, self._read[1]
        if length == 126:
            start, length = 4, int.from_bytes(self._read[2:4], "big")
        if len(self._read) < start + length:
            return None
        kind, data = self._read[0] & 15, self._read[start : start + length]
        self._read = self._read[start + length :]
        return kind, data

    def _take(self, kind: int, data: bytes) -> None:
        if kind == _PING:
            return self._send(_PONG, data)
        if kind == _CLOSE:
            code = int.from_bytes(data[:2], "big")
            self._fail(f"The server ended the conversation: {code} {data[2:].decode()} {self._error}")
            return self._transport.close()
        if b'"error_event"' in data:  # a close frame has room for the beginning of the reason alone
            self._error = data.decode()
        # What is none of the two frames that are waited for is not worth the time of reading it.
        if b'"agent_response_event"' in data or b'"conversation_initiation_metadata"' in data:
            frame: dict[str, Any] = json.loads(data)
            answer = frame.get("agent_response_event", {}).get("agent_response", "")
            if not self._answer.done():
                self._answer.set_result((perf_counter(), answer))

    def _send(self, kind: int, data: bytes) -> None:
        """The mask of a client may be any four bytes; with zeros the text stays as it is."""
        size = len(data)
        length = bytes([128 | size]) if size < 126 else bytes([254]) + size.to_bytes(2, "big")
        self._transport.write(bytes([128 | kind]) + length + bytes(4) + data)

    def _fail(self, why: str) -> None:
        self.ended = self.ended or why
        if not self._answer.done():
            self._answer.set_exception(self._failed(self.ended))

    def _failed(self, why: str) -> Failed:
        return Failed(f"{self._url}, {f'turn {self._turns}' if self._turns else 'beginning'}: {why.strip()}")
