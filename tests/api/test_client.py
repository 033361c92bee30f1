"""What a call sends, what its answer becomes, and where nothing is sent at all."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callwright.api.client import LARGEST_ANSWER, ApiClient
from callwright.bounds import Bounds
from callwright.contract import errors
from callwright.contract.operation import Blob, Operation
from callwright.net.asgi import ASGITransport

from ..peers import serving
from .operations import (
    CREATE,
    DELETE,
    GET,
    RING,
    CreateThing,
    DeleteThing,
    GetPicture,
    GetThing,
    LinkPicture,
    PutPicture,
    SumUp,
    Thing,
)

pytestmark = pytest.mark.anyio
KEY = SecretStr("sk_canary_key")
OK = {"name": "n"}


class Platform:
    """Answers every request with one answer, and keeps what came."""

    def __init__(self, answer: Response | None = None) -> None:
        self.answer, self.seen = answer or JSONResponse(OK), list[Any]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        target = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        self.seen.append((request.method, target, (await request.body()).decode(errors="replace")))
        self.headers = dict(request.headers)
        await self.answer(scope, receive, send)


def client(platform: Platform | None = None, **kw: Any) -> ApiClient:
    return ApiClient("http://embedded", transport=ASGITransport(platform or Platform()), **kw)


async def test_a_request_carries_what_was_set_and_nothing_else() -> None:
    platform = Platform()
    async with client(platform, key=KEY) as api:
        assert await api.send(GET) == Thing(name="n")
        await api.send(GetThing(thing_id="t1", fields=["a", "b"]))
        await api.send(CREATE)
        await api.send(CreateThing.model_validate({"name": "é", "dry_run": True, "secret": "s", "new": {"x": None}}))
        await api.send(SumUp(parts=[]))
        assert await api.send(DELETE) is None
    assert platform.seen == snapshot(
        [
            ("GET", "/v1/things/t1", ""),
            ("GET", "/v1/things/t1?fields=a&fields=b", ""),
            ("POST", "/v1/things", '{"name":"n"}'),
            ("POST", "/v1/things?dry_run=true", '{"name":"é","secret":"s","new":{"x":null}}'),
            ("POST", "/v1/things/sum", '{"parts":[]}'),
            ("DELETE", "/v1/things/t1", ""),
        ]
    )
    assert platform.headers == snapshot(
        {
            "host": "embedded",
            "accept": "*/*",
            "accept-encoding": "gzip",
            "connection": "keep-alive",
            "user-agent": "callwright",
            "xi-api-key": "sk_canary_key",
        }
    )


async def test_files_travel_with_their_fields() -> None:
    got: dict[str, Any] = {}

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            for name, value in form.multi_items():
                data = value if isinstance(value, str) else (value.filename, value.content_type, await value.read())
                got.setdefault(name, []).append(data)
        return JSONResponse(OK)

    app = Starlette(routes=[Route("/v1/things/t1/picture", upload, methods=["POST"])])
    async with ApiClient("http://embedded", transport=ASGITransport(app)) as api:
        blob = Blob("image/png", b"\x89PNG\x00", "p.png")
        await api.send(PutPicture(thing_id="t1", file=blob, name="n", tags=["a", "b"], options={"x": 1}))
    assert got == {
        "name": ["n"],
        "tags": ["a", "b"],
        "options": ['{"x":1}'],
        "file": [("p.png", "image/png", b"\x89PNG\x00")],
    }


async def test_a_form_without_a_file_is_the_same_kind_of_form() -> None:
    platform = Platform()
    async with client(platform) as api:
        await api.send(LinkPicture(thing_id="t1", address="https://example.com/é", wide=True, size=None))
    [(_, _, sent)] = platform.seen
    kind, _, boundary = platform.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert sent.replace("\r\n", "\n").replace(boundary, "B") == snapshot("""\
--B
Content-Disposition: form-data; name="address"

https://example.com/é
--B
Content-Disposition: form-data; name="wide"

true
--B--
""")


@pytest.mark.parametrize(
    ("headers", "blob"),
    [
        ({"content-type": "image/png; x=1"}, Blob("image/png", b"\x00\xff")),
        ({}, Blob("application/octet-stream", b"\x00\xff")),
        (
            {"content-disposition": 'attachment; filename="a.wav"'},
            Blob("application/octet-stream", b"\x00\xff", "a.wav"),
        ),
        (
            {"content-disposition": "attachment; filename=../../etc/x"},
            Blob("application/octet-stream", b"\x00\xff", "x"),
        ),
        ({"content-disposition": r'x; filename="C:\a\b.wav"'}, Blob("application/octet-stream", b"\x00\xff", "b.wav")),
    ],
)
async def test_an_answer_may_be_a_file_whose_name_is_no_path(headers: dict[str, str], blob: Blob) -> None:
    async with client(Platform(Response(b"\x00\xff", headers=headers))) as api:
        assert await api.send(GetPicture(thing_id="t1")) == blob


@pytest.mark.parametrize(
    "answer", [Response(status_code=204), Response("ok"), JSONResponse({"status": "ok"}), JSONResponse("ok")]
)
async def test_an_operation_without_an_answer_takes_any_success(answer: Response) -> None:
    async with client(Platform(answer)) as api:
        assert await api.send(DELETE) is None


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (Response(b"<html>hi</html>", media_type="text/html"), errors.Unreadable, "The platform's answer is not JSON (it is called 'text/html')."),
        (Response(b'{"name": '), errors.Unreadable, "The platform's answer is not JSON (it is called '')."),
        (Response(b'{"name": "\xff"}'), errors.Unreadable, "The platform's answer is not JSON (it is called '')."),
        (Response(b""), errors.Unreadable, "The platform's answer is empty."),
        (Response(status_code=204), errors.Unreadable, "The platform's answer is empty."),
        (JSONResponse({"name": 5, "size": "sk_canary_key"}), errors.Unreadable, "The platform's answer lacks or garbles: name, size."),
        (JSONResponse([]), errors.Unreadable, "The platform's answer lacks or garbles: all."),
        (Response(status_code=302, headers={"location": "/v2"}), errors.Unreadable, "The platform answered 302, a redirect, and redirects are not followed."),
        (Response(status_code=304), errors.Unreadable, "The platform answered 304, a redirect, and redirects are not followed."),
        (JSONResponse({"detail": {"status": "no", "message": "No key."}}, 401), errors.Unauthorized, "No key."),
        (Response("plain words", 403), errors.Forbidden, "The platform answered 403."),
        (JSONResponse({"detail": "Not here"}, 404), errors.NotFound, "Not here"),
        (JSONResponse({"detail": ["x"]}, 409), errors.Conflict, "The platform answered 409."),
        (JSONResponse({"detail": [{"loc": ["body", "name"], "msg": "bad", "type": "t"}]}, 422), errors.InvalidRequest, "body.name: bad"),
        (JSONResponse({"detail": {"message": "odd"}}, 422), errors.InvalidRequest, "body: odd"),
        (JSONResponse(None, 400), errors.BadRequest, "The platform answered 400."),
        (JSONResponse({"detail": "the key sk_canary_key is " + "x" * 600}, 400), errors.BadRequest, "the key [key] is " + "x" * 483),
    ],
)  # fmt: skip
async def test_what_is_no_good_answer_is_a_typed_error(answer: Response, error: type[Exception], text: str) -> None:
    async with client(Platform(answer), key=KEY) as api:
        with pytest.raises(errors.ApiError) as caught:
            await api.send(GET)
    assert (type(caught.value), str(caught.value)) == (error, text)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


async def test_a_compressed_answer_is_read_and_a_bomb_is_not() -> None:
    import gzip

    def packed(data: bytes, coding: str = "gzip") -> Platform:
        return Platform(Response(gzip.compress(data), headers={"content-encoding": coding}))

    async with client(packed(b'{"name": "n"}')) as api:
        assert await api.send(GET) == Thing(name="n")
    async with client(packed(bytes(LARGEST_ANSWER + 1))) as api:
        with pytest.raises(errors.Unreadable, match="larger than 33,554,432 bytes"):
            await api.send(GET)
    async with client(packed(gzip.compress(b"{}"), "gzip, gzip")) as api:
        with pytest.raises(errors.Unreadable, match="more than once"):
            await api.send(GET)
    async with client(Platform(Response(b"no gzip", headers={"content-encoding": "gzip"}))) as api:
        with pytest.raises(errors.Unreadable, match="cannot be read"):
            await api.send(GET)


@pytest.mark.parametrize(
    "bad", ["..", ".", "...", "a/b", "a\\b", "../../v1/user?x=", "a\nb", "", "%2e%2e", "a?x=1", "a#b", "a;b", "ü"]
)
async def test_an_id_reaches_no_other_endpoint(bad: str) -> None:
    platform = Platform()
    async with client(platform) as api:
        try:
            await api.send(DeleteThing.model_construct(thing_id=bad))
        except errors.BadRequest:
            assert platform.seen == []
        else:
            [(_, target, _)] = platform.seen
            assert target.startswith("/v1/things/")
            assert not set(target.removeprefix("/v1/things/")) & set("/?#;\\")
            assert ".." not in target


class Escaping(Operation[None], method="GET", path="/v1/things/{thing_id}"):
    thing_id: str

    def url(self) -> str:
        return self.thing_id


@pytest.mark.parametrize(
    "url",
    [
        "/v1/things/..",
        "/v1/things/a/../../user",
        "/v1/things/a/b",
        "/v1/user",
        "@evil.example/v1/things/a",
        ".evil.example/v1/things/a",
        ":81/v1/things/a",
        "/v1/things/",
        "/v1/things/...",
        "//v1/things/a",
    ],
)
async def test_the_final_url_is_held_against_the_template_and_the_host(url: str) -> None:
    platform = Platform()
    async with client(platform, key=KEY) as api:
        with pytest.raises((errors.Refused, errors.BadRequest)):
            await api.send(Escaping(thing_id=url))
    assert platform.seen == []


async def test_a_base_url_may_have_a_path() -> None:
    platform = Platform()
    async with ApiClient("http://embedded/proxy/", transport=ASGITransport(platform)) as api:
        await api.send(DELETE)
        with pytest.raises(errors.Refused):
            await api.send(Escaping(thing_id="/../v1/things/a"))
    assert platform.seen == [("DELETE", "/proxy/v1/things/t1", "")]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host",
        "https://",
        "https://u:p@host",
        "https://host/?x=1",
        "https://host/#f",
        "http://api.example",
    ],
)
def test_a_wrong_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="address must be"):
        ApiClient(url, key=KEY)


@pytest.mark.parametrize("key", ["a b", "a\n", "schlüssel"])
def test_a_key_that_fits_no_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="key must be printable") as caught:
        ApiClient("https://api.example", key=SecretStr(key))
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("bounds", "op", "reason"),
    [
        (Bounds(read_only=True), CREATE, "This server is read-only, and this would create something."),
        (Bounds(read_only=True), DELETE, "This server is read-only, and this would delete something."),
        (Bounds(read_only=True), RING, "This server is read-only, and this would place a call or send a message."),
        (Bounds(no_outbound=True), RING, "This server places no calls and sends no messages (no-outbound)."),
        (
            Bounds(no_outbound=True),
            CreateThing.model_validate({"name": "n", "hook": {"url": "https://x.example"}}),
            "This server sets no outside address (no-outbound), and this carries hook.url.",
        ),
    ],
)
async def test_a_bound_refuses_before_anything_is_sent(bounds: Bounds, op: Operation[Any], reason: str) -> None:
    platform = Platform()
    async with client(platform, bounds=bounds) as api:
        with pytest.raises(errors.Refused) as caught:
            await api.send(op)
    assert (str(caught.value), platform.seen) == (reason, [])


@pytest.mark.parametrize(
    ("bounds", "op"),
    [
        (Bounds(read_only=True), GET),
        (Bounds(read_only=True), SumUp(parts=[])),
        (Bounds(no_outbound=True), CREATE),
        (Bounds(no_outbound=True), CreateThing.model_validate({"name": "n", "auth": {"enabled": False}})),
    ],
)
async def test_a_bound_lets_the_rest_through(bounds: Bounds, op: Operation[Any]) -> None:
    async with client(bounds=bounds) as api:
        assert await api.send(op) == Thing(name="n")


async def test_over_a_real_socket_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    platform = Platform()
    async with serving(platform) as url, ApiClient(url, key=KEY, proxy_url="http://127.0.0.1:9") as api:
        assert await api.send(GET) == Thing(name="n")
    assert platform.headers["xi-api-key"] == "sk_canary_key"
