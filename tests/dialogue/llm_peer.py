"""A loopback server that plays a chat-completions endpoint at its wire format. The test says what it answers.

    async with peer(lambda request: Say("Hello")) as at:
        ...  # at.base_url, at.requests, at.headers, at.paths, at.hung_up

`request` is the parsed JSON body. A reply is one of the classes below.
"""

import json
import socket
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.peers import LoopbackServer

JSON = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One tool call. Its arguments arrive in pieces of `pieces_of` characters, or with the name where that is 0;
    `index` None leaves the number out.
    """

    name: str
    arguments: str = "{}"
    id: str = "call_1"
    index: int | None = 0
    pieces_of: int = 7


@dataclass(frozen=True)
class Say:
    """A streamed answer: text word by word, then the calls, interleaved as parallel calls may be."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: JSON | None = None
    finish: str | None = None
    error: Any = None
    """Sent as an error chunk after the text."""
    stalls: bool = False
    """Says nothing more after the text until the peer is told to go on, or the other side hangs up."""
    model: str = "peer-1"


@dataclass(frozen=True)
class Fault:
    """An answer that is no stream."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Raw:
    """A stream that is not in the format."""

    lines: str


Reply = Say | Fault | Raw


@dataclass
class Peer:
    reply: Callable[[JSON], Reply]
    base_url: str = ""
    requests: list[JSON] = field(default_factory=list[JSON])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    """With their queries."""
    stalled: anyio.Event = field(default_factory=anyio.Event)
    go_on: anyio.Event = field(default_factory=anyio.Event)
    hung_up: anyio.Event = field(default_factory=anyio.Event)

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.paths.append(f"{request.url.path}?{request.url.query}".rstrip("?"))
        reply = self.reply(body)
        match reply:
            case Fault(status, content, headers):
                message = {"error": {"message": f"fault {status}", "type": "fault"}} if content is None else content
                return JSONResponse(message, status, headers=headers)
            case Raw(lines):
                return Response(lines, media_type="text/event-stream")
            case Say():
                asked = "include_usage" in json.dumps(body.get("stream_options"))
                return StreamingResponse(self._stream(reply, asked), media_type="text/event-stream")

    async def _stream(self, say: Say, usage_asked: bool) -> AsyncGenerator[str]:
        words = [word for word in _words(say.text) if word]
        for delta in ({"role": "assistant", "content": ""}, *({"content": word} for word in words)):
            yield _line({"choices": [{"index": 0, "delta": delta}]}, say)
        if say.stalls:
            self.stalled.set()
            try:
                await self.go_on.wait()
            finally:
                if not self.go_on.is_set():
                    self.hung_up.set()
        if say.error is not None:
            yield f"data: {json.dumps({'error': say.error})}\n\n"
            return
        for delta in _call_deltas(say.calls):
            yield _line({"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]}, say)
        finish = say.finish or ("tool_calls" if say.calls else "stop")
        yield _line({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, say)
        if usage_asked and say.usage is not None:
            yield _line({"choices": [], "usage": say.usage}, say)
        yield "data: [DONE]\n\n"


@asynccontextmanager
async def peer(reply: Callable[[JSON], Reply], port: int = 0) -> AsyncGenerator[Peer]:
    at = Peer(reply)
    app = Starlette(routes=[Route("/{place:path}chat/completions", at.answer, methods=["POST"])])
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = LoopbackServer(config)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        at.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listening])
            try:
                yield at
            finally:
                server.stop()


def script(*replies: Reply) -> Callable[[JSON], Reply]:
    """Answers in this order; the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def _line(chunk: JSON, say: Say) -> str:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": say.model}
    return f"data: {json.dumps({**head, **chunk})}\n\n"


def _words(text: str) -> Iterator[str]:
    start = 0
    for place, character in enumerate(text):
        if character == " ":
            yield text[start : place + 1]
            start = place + 1
    yield text[start:]


def _call_deltas(calls: tuple[Call, ...]) -> Iterator[JSON]:
    """First every call's head, then the pieces of their arguments in turn, as parallel calls arrive."""
    for call in calls:
        function = {"name": call.name, "arguments": "" if call.pieces_of else call.arguments}
        head: JSON = {"id": call.id, "type": "function", "function": function}
        yield head if call.index is None else {"index": call.index, **head}
        if call.index is None or len(calls) == 1:
            yield from _pieces(call)
    if len(calls) > 1:
        rows = [list(_pieces(call)) for call in calls if call.index is not None]
        for turn in range(max((len(row) for row in rows), default=0)):
            yield from (row[turn] for row in rows if turn < len(row))


def _pieces(call: Call) -> Iterator[JSON]:
    for start in range(0, len(call.arguments), call.pieces_of) if call.pieces_of else ():
        piece: JSON = {"function": {"arguments": call.arguments[start : start + call.pieces_of]}}
        yield piece if call.index is None else {"index": call.index, **piece}
