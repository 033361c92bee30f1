"""What arrives at the hosted platform, as it stands on the wire."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class Part(NamedTuple):
    """One part of a form; a plain field has neither file name nor media type."""

    name: str
    filename: str | None
    media_type: str | None
    data: bytes


@dataclass(frozen=True)
class Recorded:
    """One request. `raw_path` is as it was sent, `path` without quoting; `keys` are all values of the key's header.

    `media_type` is the body's, None where nothing was sent. `query` and `parts` are sorted.
    """

    method: str
    path: str
    raw_path: str = field(repr=False, compare=False)
    query: list[tuple[str, str]]
    media_type: str | None
    json: Any
    parts: list[Part]
    keys: list[str]


async def recorded(request: Request) -> Recorded:
    """Reads the whole request; a body that is neither a form nor JSON is a defect of whoever sent it."""
    raw_path: str = request.scope["raw_path"].decode()
    query = parse_qsl(request.url.query, keep_blank_values=True, strict_parsing=bool(request.url.query))
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0] if body else None
    parts = await _parts(request) if media_type in FORMS else []
    return Recorded(
        request.method,
        unquote(raw_path),
        raw_path,
        sorted(query),
        media_type,
        from_json(body) if body and media_type not in FORMS else None,
        sorted(parts),
        request.headers.getlist("xi-api-key"),
    )


async def _parts(request: Request) -> list[Part]:
    parts: list[Part] = []
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                parts.append(Part(name, None, None, value.encode()))
            else:
                parts.append(Part(name, value.filename, value.content_type, await value.read()))
    return parts


class Recorder:
    """Keeps every request and refuses it with 400, which neither we nor the SDK send again."""

    def __init__(self) -> None:
        self.seen: list[Recorded] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(await recorded(Request(scope, receive)))
        await JSONResponse({"detail": {"status": "recorded", "message": "Recorded."}}, 400)(scope, receive, send)
