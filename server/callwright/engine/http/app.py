"""The embedded platform as an ASGI app: routes from the contract, errors in the platform's shapes."""

import hmac
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import cache
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import from_json, to_json
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from ...contract.errors import ApiError, InvalidRequest, Unauthorized
from ...contract.operation import Blob, Operation
from ...db.erasing import erase
from ..checks.problems import may_be_unstorable, parsed, refuse_unstorable
from ..runtime import Engine
from ..store.transaction import RequestOrigin, Tx
from .routes import RouteEntry, built, implementation
from .waiting import GONE, Streamed, until_disconnect

BODY_LIMIT = 30 * 1024 * 1024

_INERT = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
"""Headers of uploaded content: a browser may display it, but never runs it."""
log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
Admit = Callable[[HTTPConnection], str | None]
"""Returns the workspace of a request, or None if its key is missing or wrong."""


def key_holder(key: str | None) -> Admit:
    """Admit requests that carry the key. `key=None`, for an engine inside this process, admits every request.

    Raises ValueError for an empty key, which would match a request without the header.
    """
    if key is None:
        return lambda _: "default"
    if not key:
        raise ValueError("An empty key admits everybody: hand in None where that is meant.")
    wanted = key.encode()

    def admit(request: HTTPConnection) -> str | None:
        return "default" if hmac.compare_digest(request.headers.get("xi-api-key", "").encode(), wanted) else None

    return admit


WORKSPACE = "callwright.workspace"
"""Only in the scope of requests of this process. Errors tell these more than the platform's shape has a place for."""


def within(app: ASGIApp, workspace: str) -> ASGIApp:
    """`app` bound to one workspace, for requests of this process.

    The workspace is in the ASGI scope, which the content of a request cannot change. `app` must be built with
    `told_inside` as its `admit`.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, WORKSPACE: workspace}, receive, send)

    return serve


def told_inside(request: HTTPConnection) -> str | None:
    return request.scope[WORKSPACE]


def build_app(engine: Engine, admit: Admit = lambda _: "default") -> Starlette:
    app = Starlette(
        routes=_routes(),
        exception_handlers={ApiError: _api_error, HTTPException: _http_error, Exception: _defect},
    )
    app.state.engine, app.state.admit = engine, admit
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The routes of every app: they know no engine, and ask that of the app that a request came to."""
    by_path = built()
    return (
        # Literal paths go before paths with a parameter: /knowledge-base/rag-index before /{documentation_id}.
        *(
            _route(path, _endpoint(path, by_path[path]["modules"]), by_path[path])
            for path in sorted(by_path, key=lambda path: path.replace("{", "~"))
        ),
        WebSocketRoute("/v1/convai/conversation", _talk),
        Route("/agents/{agent_id}/chat", _chat_page, methods=["GET"]),
        Route("/chat/{version}/{name}", _chat_file, methods=["GET"]),
    )


def _route(path: str, endpoint: Endpoint, way: RouteEntry) -> Route:
    """The route of one path. A public path has CORS headers, because a browser hides other answers from other hosts.

    Errors have the headers too, and the handler decides which pages it admits. Other paths have none: they need the API
    key, and a web page should not have it.
    """
    methods = list(way["modules"])
    if not way["public"]:
        return Route(path, endpoint, methods=methods)
    for_pages = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=methods, allow_headers=["*"])
    return Route(path, endpoint, methods=[*methods, "OPTIONS"], middleware=[for_pages])


def _endpoint(path: str, modules: dict[str, str]) -> Endpoint:
    """The endpoint of all methods of a path, so that a 405 names every allowed method. `modules`: by method."""

    async def serve(request: Request) -> Response:
        engine = _engine(request)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in modules:  # OPTIONS that is not a CORS preflight
            raise HTTPException(405, headers={"allow": ", ".join(modules)})
        workspace = _admitted(request)
        op, made = implementation(modules[method], method, path)
        if workspace is None and not made.public:
            raise Unauthorized("The header xi-api-key is missing or wrong.")
        asked = await _parse(op, request)
        origin = RequestOrigin(str(request.base_url).rstrip("/"), request.headers.get("origin"), workspace is not None)
        if workspace is None:
            workspace = await _home(engine, request.path_params["agent_id"])
        if made.waits:
            unit = engine.unit(workspace, origin)
            if op.streams():
                return Streamed(request, lambda emit: made.fn(unit, asked, emit))
            return _answer(await until_disconnect(request, made.fn(unit, asked)))

        def work(connection: Connection) -> object:
            tx = Tx(connection, workspace, engine.vault, engine.clock(), engine.ids, engine.allow, origin)
            done = made.fn(tx, asked)
            if method == "DELETE":  # some of these take a part out of a row
                erase(connection)
            return done

        run = engine.database.read if op.effect == "read" else engine.database.write
        return _answer(await run(work))

    return serve


def _engine(request: HTTPConnection) -> Engine:
    return request.app.state.engine


def _admitted(request: HTTPConnection) -> str | None:
    admit: Admit = request.app.state.admit
    return admit(request)


async def _talk(socket: WebSocket) -> None:
    """The WebSocket endpoint of conversations. Its modules are imported with the first conversation."""
    from ..live.accept import answer

    await answer(_engine(socket), socket, _admitted(socket))


async def _chat_page(request: Request) -> Response:
    """The endpoint of the chat page, where a person talks to an agent. Its modules are imported with the first page."""
    from ..chat_page.page import show

    return await show(_engine(request), request)


async def _chat_file(request: Request) -> Response:
    from ..chat_page.page import file

    return file(request.path_params["version"], request.path_params["name"])


async def _home(engine: Engine, agent_id: str) -> str:
    """The workspace of an agent, for a request without the API key. Raises NotFound."""
    from ..checks.access import home_of

    return await engine.database.read(lambda db: home_of(db, agent_id))


async def _parse(op: type[Operation[Any]], request: Request) -> Operation[Any]:
    body = await (_form(request) if op.multipart() else _json(request))
    return parsed(op, request.path_params, _query(op, request), body)


def _query(op: type[Operation[Any]], request: Request) -> dict[str, Any]:
    """The query parameters of the contract. Others are accepted and ignored. A list parameter keeps all its values."""
    given = request.query_params
    found: dict[str, Any] = {}
    for name, is_list in _query_parameters(op).items():
        if name in given:
            found[name] = given.getlist(name) if is_list else given[name]
            refuse_unstorable(found[name], ["query", name])
    return found


@cache
def _query_parameters(op: type[Operation[Any]]) -> dict[str, bool]:
    """The query parameters of an operation, and whether each is a list."""
    return {name: _is_list(op, name) for name, place in op.places().items() if place == "query"}


def _is_list(op: type[Operation[Any]], name: str) -> bool:
    annotation = op.model_fields[name].annotation
    arms = [get_args(arm)[0] if get_origin(arm) is Annotated else arm for arm in (annotation, *get_args(annotation))]
    return any(get_origin(arm) is list for arm in arms)


async def _json(request: Request) -> dict[str, Any]:
    raw = b"".join([part async for part in _bounded(request)])
    try:
        # It also refuses JSON that could not be stored or answered: NaN, half a surrogate pair, more than 200 levels.
        body: Any = from_json(raw, allow_inf_nan=False) if raw else {}
    except ValueError as exc:
        msg = f"JSON decode error: {exc}"
        raise InvalidRequest([{"loc": ["body"], "msg": msg, "type": "json_invalid"}]) from None
    if not isinstance(body, dict):
        raise InvalidRequest([{"loc": ["body"], "msg": "Input should be an object", "type": "dict_type"}])
    if may_be_unstorable(raw):
        refuse_unstorable(body, ["body"])
    return cast(dict[str, Any], body)


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    too_large = HTTPException(413, f"The body is larger than {BODY_LIMIT // 1024 // 1024} MB.")
    if int(request.headers.get("content-length", 0)) > BODY_LIMIT:
        raise too_large
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > BODY_LIMIT:
                raise too_large
            yield part
    except ClientDisconnect:
        raise HTTPException(GONE, "The caller went away.") from None


async def _form(request: Request) -> dict[str, Any]:
    """The fields of a form; empty for another media type. `request.form` is not used: it has no limit on file size."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    parser = {"multipart/form-data": MultiPartParser, "application/x-www-form-urlencoded": FormParser}.get(kind)
    if parser is None:
        return {}
    body: dict[str, Any] = {}
    try:
        async with aclosing(_bounded(request)) as stream:
            form = await parser(request.headers, stream, max_fields=100, max_part_size=BODY_LIMIT).parse()
    except MultiPartException as exc:
        raise HTTPException(400, exc.message) from None
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                media_type = value.content_type or "application/octet-stream"
                body[name] = Blob(media_type, await value.read(), value.filename or "")
            else:
                refuse_unstorable(value, ["body", name])
                body[name] = value
    finally:
        await form.close()
    return body


def _answer(result: object) -> Response:
    if result is None:
        return Response(status_code=204)
    if isinstance(result, Blob):
        return Response(result.data, media_type=result.media_type, headers=_INERT)
    if isinstance(result, BaseModel):
        result = result.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Response(to_json(result), media_type="application/json")


async def _api_error(request: Request, exc: Exception) -> Response:
    error = cast(ApiError, exc)
    detail = error.detail_inside() if WORKSPACE in request.scope else error.detail()
    return JSONResponse({"detail": detail}, status_code=error.status)


async def _http_error(_: Request, exc: Exception) -> Response:
    error = cast(HTTPException, exc)
    code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "http_error")
    return JSONResponse({"detail": {"status": code, "message": error.detail}}, error.status_code, error.headers)


async def _defect(request: Request, exc: Exception) -> Response:
    log.error("Defect in %s %s", request.method, request.url.path, exc_info=exc)
    return JSONResponse({"detail": {"status": "internal_error", "message": "Internal error."}}, status_code=500)
