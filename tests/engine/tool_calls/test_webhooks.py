"""Webhook tools against real servers on loopback: what is sent, what the model is told, and what nobody is told."""

import logging
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio.abc import SocketStream
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from callwright.contract.errors import NotFound
from callwright.engine.dialogue.tools import Outcome, inline_tools
from callwright.engine.tool_calls.logins import Login
from callwright.engine.tool_calls.webhooks import LARGEST, Webhooks, webhook_client
from callwright.net.guard import NOTHING_PRIVATE, AllowList
from tests.peers import peer, serving

pytestmark = pytest.mark.anyio

JSON = dict[str, Any]
CANARY = "canary-7f3a"


class NoLogins:
    """Of tools that name no auth connection."""

    async def of(self, connection_id: str, *, refused: Login | None = None) -> Login:
        raise NotFound(f"No auth connection {connection_id!r}.")


@asynccontextmanager
async def webhooks(allow: str = "127.0.0.1") -> AsyncGenerator[Webhooks]:
    """The executor as a conversation has it, with one secret in the vault."""

    async def reveal(ids: Collection[str]) -> Mapping[str, str]:
        if unknown := set(ids) - {"secret_1"}:
            raise NotFound(f"No secret {unknown.pop()!r}.")
        return dict.fromkeys(ids, f"Bearer {CANARY}")

    async with webhook_client(AllowList.parse(allow) if allow else NOTHING_PRIVATE, None) as client:
        yield Webhooks(client, reveal, NoLogins())


async def call(
    at: str, arguments: JSON | None = None, *, allow: str = "127.0.0.1", config: JSON | None = None, **api: Any
) -> Outcome:
    """What one call of a tool with this `api_schema` comes to."""
    declared = {"type": "webhook", "name": "crm", "api_schema": {"url": at, **api}, **(config or {})}
    [tool] = inline_tools({"tools": [declared]}, [])
    async with webhooks(allow) as executor:
        return await executor.run(tool, "crm_1", arguments or {}, {"who": "Ann"})


@asynccontextmanager
async def crm(answer: Response | None = None) -> AsyncGenerator[tuple[str, list[JSON]]]:
    """A server that answers the same to everybody, or repeats what it was sent; and what it was sent."""
    got: list[JSON] = []

    async def serve(request: Request) -> Response:
        body = (await request.body()).decode()
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "user-agent")}
        path = f"{request.scope['raw_path'].decode()}?{request.url.query}"
        got.append({"method": request.method, "path": path, "headers": headers, "body": body})
        return answer or JSONResponse(got[-1])

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    async with serving(Starlette(routes=[Route("/{rest:path}", serve, methods=methods)])) as at:
        yield at, got


async def test_a_request_is_made_as_the_tool_says() -> None:
    async with crm() as (at, got):
        outcome = await call(
            f"{at}/users/{{id}}/{{{{who}}}}", {"id": "a/b", "deep": True, "note": "Grüße"}, method="PATCH",
            path_params_schema={"id": {"type": "string", "description": "d"}},
            query_params_schema={"properties": {"deep": {"type": "boolean", "description": "d"}}},
            request_body_schema={"properties": {"note": {"type": "string", "description": "d"}}},
            request_headers={"Authorization": {"secret_id": "secret_1"}, "X-Who": "{{who}}"},
        )  # fmt: skip
    assert got == snapshot(
        [
            {
                "method": "PATCH",
                "path": "/users/a%2Fb/Ann?deep=true",
                "headers": {
                    "accept": "*/*",
                    "connection": "keep-alive",
                    "accept-encoding": "identity",
                    "x-who": "Ann",
                    "content-type": "application/json",
                    "authorization": "Bearer canary-7f3a",
                    "content-length": "19",
                },
                "body": '{"note": "Grüße"}',
            }
        ]
    )
    assert (outcome.is_error, outcome.called) == (False, True)


async def test_a_server_that_repeats_its_request_does_not_give_the_secret_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Authorization": {"secret_id": "secret_1"}, "X-Api-Key": "literal-key-5d"}
    async with crm() as (at, got):
        outcome = await call(at, request_headers=headers)
    assert got[0]["headers"]["authorization"] == f"Bearer {CANARY}"
    assert CANARY not in str(outcome) + caplog.text
    assert "literal-key-5d" not in str(outcome)
    assert "***" in outcome.value


ANSWERS: dict[str, tuple[Response, tuple[bool, str]]] = {
    "nothing": (Response(status_code=204), (False, "The request succeeded (204); the answer is empty.")),
    "an image": (
        Response(b"\x89PNG", media_type="image/png"),
        (False, "The server answered 200 with 'image/png', which is not text and was not read."),
    ),
    "a fault": (PlainTextResponse("no such user", 404), (True, "The server answered 404.\nno such user")),
    "a fault without words": (Response(status_code=500), (True, "The server answered 500.")),
    "a foreign charset": (
        Response("Grüße".encode("latin-1"), headers={"content-type": "text/plain; charset=latin-1"}),
        (False, "Grüße"),
    ),
    "a charset that is none": (Response(b"hello", headers={"content-type": "text/plain; charset=x-no"}), (False, "hello")),
    "a redirect elsewhere": (
        RedirectResponse("https://evil.example/"),
        (True, "The server answered 307, a redirect that is not followed."),
    ),
    "a redirect to this place for ever": (RedirectResponse("/again"), (True, "The server redirected more than 3 times.")),
    "far too much": (
        PlainTextResponse("x" * (LARGEST + 1)),
        (True, "The server answered more than 1,048,576 bytes, which are not read."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_is_an_outcome_in_words(case: str) -> None:
    answer, expected = ANSWERS[case]
    async with crm(answer) as (at, _):
        outcome = await call(f"{at}/x")
    assert (outcome.is_error, outcome.value) == expected


async def test_a_long_answer_is_cut_with_a_note_and_kept_whole_for_assignments() -> None:
    async with crm(PlainTextResponse("x" * 30_000)) as (at, _):
        outcome = await call(at)
    assert outcome.value.endswith("xxx\n[The answer has 30,000 characters; the first 20,000 are shown.]")
    assert outcome.answer == "x" * 30_000


async def test_a_redirect_on_the_same_origin_is_followed_and_one_of_a_post_is_not() -> None:
    async def serve(request: Request) -> Response:
        return RedirectResponse("/there", 302) if request.url.path == "/here" else PlainTextResponse("there")

    app = Starlette(routes=[Route("/{rest:path}", serve, methods=["GET", "POST"])])
    async with serving(app) as at:
        assert (await call(f"{at}/here")).value == "there"
        posted = await call(f"{at}/here", method="POST")
    assert posted.value == "The server answered 302, a redirect that is not followed."


async def silent(stream: SocketStream) -> None:
    async for _ in stream:
        pass


async def garbage(stream: SocketStream) -> None:
    await stream.receive()
    await stream.send(b"hello?\r\n\r\n")


async def test_a_server_that_is_silent_broken_or_down_is_told_to_the_model() -> None:
    async with peer(silent) as at:
        late = await call(at, config={"response_timeout_secs": 0.05})
    async with peer(garbage) as at:
        broken = await call(at)
        down = at
    gone = await call(down)
    assert [(one.value, one.is_error, one.called) for one in (late, broken, gone)] == [
        ("The server did not answer within 0.05 s.", True, True),
        ("The request failed (RemoteProtocolError).", True, True),
        ("The request failed (ConnectError).", True, True),
    ]


async def test_a_place_inside_is_not_called_whatever_a_variable_says() -> None:
    async with crm() as (at, got):
        outcome = await call(at.replace("127.0.0.1", "{{who}}"))
        inside = await call(at, allow="")
    assert got == []
    assert (outcome.called, inside.called) == (False, False)
    assert inside.value.startswith("The request was not made. ")
    assert "private network or to this machine" in inside.value


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ({"request_headers": {"K": {"secret_id": "secret_9"}}}, "A secret of the tool cannot be read: No secret 'secret_9'."),
        ({"request_headers": {"K": "{{gone}}"}}, "The tool needs dynamic variables that have no value: gone. Nothing was sent."),
    ],
)  # fmt: skip
async def test_what_cannot_be_built_is_not_sent(api: JSON, said: str) -> None:
    async with crm() as (at, got):
        outcome = await call(at, **api)
    assert (outcome.value, outcome.is_error, outcome.called, got) == (said, True, False, [])
