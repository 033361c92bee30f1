"""A language model on the loopback that speaks streamed chat completions, and says in each answer how long it took.

So whoever hears an answer can take the model's time off the time that he waited: also where this process, on a busy
machine, was slower than it meant to be. HTTP by hand, as in `stub.py`, and for the same reason.

usage: model.py THINK_MS. Prints its port when it listens.
"""

import asyncio
import json
import re
import sys
from time import perf_counter
from typing import Any

THINK = float(sys.argv[1]) / 1000
ANSWER = "Your order left our warehouse this morning and should reach you by Friday. "
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def event(**fields: Any) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_760_000_000, "model": "bench"}
    return b"data: %s\n\n" % json.dumps(head | fields).encode()


def delta(content: str) -> bytes:
    return event(choices=[{"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": None}])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


SPOKEN = [chunk(delta(text)) for text in re.findall(r"\S+ ?", ANSWER)]
STOP = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USED = event(choices=[], usage={"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220})
END = STOP + USED + b"data: [DONE]\n\n"


class Model(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, gap, body = self._read.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if not gap or len(body) < length:
            return
        self._read = b""
        began = perf_counter()
        asyncio.get_running_loop().call_later(THINK, self._say, began)

    def _say(self, began: float) -> None:
        self._transport.write(HEAD)
        for piece in SPOKEN:
            self._transport.write(piece)
        took = delta(f"({1000 * (perf_counter() - began):.3f} ms)")
        self._transport.write(chunk(took) + chunk(END) + b"0\r\n\r\n")


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
