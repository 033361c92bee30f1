"""An ASGI app as a transport: it streams, waits for its reader, and stops when the reader leaves."""

import asyncio
import contextvars
import logging
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import anyio.lowlevel
import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from callwright.net.asgi import HIGH_WATER, App, ASGITransport, Message, Receive, Send

pytestmark = pytest.mark.anyio


def client(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=ASGITransport(app), base_url="http://embedded")


async def start(send: Send, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


async def chunk(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def test_an_app_sees_the_request_as_a_server_would_hand_it_over() -> None:
    seen: list[Any] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        seen.extend([scope, await receive(), await receive()])
        await start(send, 201, (b"X-Is", b"yes"))
        await chunk(send, b"done", more=False)

    async with client(app) as http:
        answer = await http.post("/v1/a%20b/c?x=1&x=2", content=b"body", headers={"X-Key": "k"})
    assert (answer.status_code, answer.headers["x-is"], answer.text) == (201, "yes", "done")
    scope, first, last = seen
    assert {
        k: scope[k] for k in ("type", "method", "scheme", "path", "raw_path", "query_string", "root_path", "server")
    } == {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/a b/c",
        "raw_path": b"/v1/a%20b/c",
        "query_string": b"x=1&x=2",
        "root_path": "",
        "server": ("embedded", None),
    }
    assert (b"x-key", b"k") in scope["headers"]
    assert first == {"type": "http.request", "body": b"body", "more_body": True}
    assert last == {"type": "http.request", "body": b"", "more_body": False}


async def test_starlette_answers_and_reads_uploads() -> None:
    async def echo(request: Request) -> Response:
        async with request.form() as form:
            upload = form["file"]
            assert not isinstance(upload, str)
            return JSONResponse({"name": form["name"], "file": (await upload.read()).decode()})

    async with client(Starlette(routes=[Route("/", echo, methods=["POST"])])) as http:
        answer = await http.post("/", data={"name": "n"}, files={"file": ("f.txt", b"text", "text/plain")})
        assert answer.json() == {"name": "n", "file": "text"}
        assert (await http.get("/nowhere")).status_code == 404


async def test_status_and_headers_come_before_the_body_and_chunks_one_by_one() -> None:
    told = anyio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await start(send)
        await told.wait()
        await chunk(send, b"one")
        await chunk(send, b"two", more=False)

    async with client(app) as http, http.stream("GET", "/") as answer:
        assert answer.status_code == 200
        told.set()
        assert [part async for part in answer.aiter_raw()] == [b"one", b"two"]


async def test_a_handler_waits_for_a_slow_reader() -> None:
    sent = 0

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal sent
        await start(send)
        for _ in range(64):
            await chunk(send, bytes(HIGH_WATER // 4))
            sent += 1
        await chunk(send, b"", more=False)

    async with client(app) as http, http.stream("GET", "/") as answer:
        await anyio.wait_all_tasks_blocked()
        assert sent == 4
        assert len(await answer.aread()) == 16 * HIGH_WATER
    assert sent == 64


async def test_closing_an_answer_tells_the_handler_and_then_cancels_it() -> None:
    heard: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await receive()
        await start(send)
        try:
            await chunk(send, b"first")
            await anyio.sleep_forever()
        except asyncio.CancelledError:
            heard.append((await receive())["type"])
            with pytest.raises(OSError, match="gone"):
                await chunk(send, b"more")
            raise

    async with client(app) as http:
        async with http.stream("GET", "/") as answer:
            assert await anext(answer.aiter_raw()) == b"first"
        await anyio.wait_all_tasks_blocked()
    assert heard == ["http.disconnect"]


async def test_a_handler_that_listens_for_the_disconnect_hears_it() -> None:
    heard = anyio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            with anyio.CancelScope(shield=True):
                while (await receive())["type"] != "http.disconnect":
                    pass
            heard.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await start(send)
            await anyio.sleep_forever()

    async with client(app) as http:
        async with http.stream("GET", "/"):
            pass
        with anyio.fail_after(60):
            await heard.wait()


async def test_a_deadline_of_the_caller_stops_the_handler() -> None:
    stopped = anyio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async with client(app) as http:
        with anyio.move_on_after(0.01) as scope:
            await http.get("/")
        assert scope.cancelled_caught
        with anyio.fail_after(60):
            await stopped.wait()


async def test_an_answer_may_be_read_by_another_task_under_its_own_scopes() -> None:
    async def body() -> AsyncGenerator[bytes]:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
            yield b"x"

    async def endpoint(_: Request) -> Response:
        return StreamingResponse(body())

    async with client(Starlette(routes=[Route("/", endpoint)])) as http:
        answer = await http.send(http.build_request("GET", "/"), stream=True)
        seen: list[bytes] = []

        async def read() -> None:
            with anyio.fail_after(60):
                seen.append(await answer.aread())
            await answer.aclose()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
        assert seen == [b"xxx"]


async def test_a_crash_before_the_head_is_a_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("inner text")

    async with client(app) as http:
        answer = await http.get("/x")
    assert (answer.status_code, answer.json()) == (
        500,
        {"detail": {"status": "internal_error", "message": "Internal error."}},
    )
    assert [r.message for r in caplog.records if r.name.startswith("callwright")] == [
        "The application failed in GET /x"
    ]


async def test_an_app_that_says_nothing_is_a_500() -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()

    async with client(app) as http:
        assert (await http.get("/")).status_code == 500


@pytest.mark.parametrize("crash", [True, False])
async def test_an_answer_that_ends_too_soon_breaks_off(crash: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await start(send)
        await chunk(send, b"half")
        if crash:
            raise RuntimeError("inner text")

    async with client(app) as http:
        with pytest.raises(httpx.ReadError, match="broke off"):
            await http.get("/")


async def test_a_crash_that_starlette_has_answered_is_not_logged_twice(caplog: pytest.LogCaptureFixture) -> None:
    async def endpoint(_: Request) -> Response:
        raise RuntimeError("inner text")

    async with client(Starlette(routes=[Route("/", endpoint)])) as http:
        assert (await http.get("/")).status_code == 500
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_work_after_the_answer_goes_on_and_closing_the_transport_ends_it() -> None:
    ended: list[str] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await start(send)
        await chunk(send, b"ok", more=False)
        try:
            await anyio.lowlevel.checkpoint()
            ended.append("went on")
            await anyio.sleep_forever()
        finally:
            ended.append("stopped")

    async with client(app) as http:
        assert (await http.get("/")).text == "ok"
        await anyio.wait_all_tasks_blocked()
        assert ended == ["went on"]
    assert ended == ["went on", "stopped"]


@pytest.mark.parametrize("begun", [True, False])
async def test_closing_the_transport_ends_a_call_in_flight(begun: bool) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    transport = ASGITransport(app)

    async def call() -> None:
        with pytest.raises(httpx.ReadError, match="stopped"):
            await transport.handle_async_request(httpx.Request("GET", "http://embedded/"))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await anyio.lowlevel.checkpoint()
            if begun:
                await anyio.wait_all_tasks_blocked()
            await transport.aclose()


async def test_context_variables_flow_in() -> None:
    principal = contextvars.ContextVar("principal", default="nobody")

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await start(send)
        await chunk(send, principal.get().encode(), more=False)

    principal.set("anna")
    async with client(app) as http:
        assert (await http.get("/")).text == "anna"


async def test_a_head_request_gets_no_body() -> None:
    async with client(JSONResponse({"a": 1})) as http:
        assert (await http.head("/")).content == b""
