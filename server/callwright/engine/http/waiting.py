"""Slow answers: work that is cancelled when the client disconnects, and answers streamed value by value."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...concurrency import Overtaken, race
from ...contract.errors import ApiError
from ...contract.merge import Json
from ..handlers import Emit

MEDIA_TYPE = "application/x-ndjson"
GONE = 499
"""The status of a request whose client has disconnected, for want of one in the standard. Nobody reads it."""


class Streamed(Response):
    """A streamed response of JSON lines, each sent as soon as its value exists.

    An error before the first value is an ordinary error response. An error after it becomes the last line, with the
    error's body and its `status_code`, because the status of the response has been sent already.
    """

    def __init__(self, request: Request, work: Callable[[Emit], Awaitable[None]]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self._request, self._work = request, work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def emit(value: Json) -> None:
            nonlocal began
            if not began:
                began = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": to_json(value) + b"\n", "more_body": True})

        try:
            await until_disconnect(self._request, self._work(emit))
        except ApiError as exc:
            if not began:
                raise
            await emit({"detail": exc.detail(), "status_code": exc.status})
        except HTTPException:
            if not began:
                raise
            return  # the client disconnected, so there is no reader for an end
        await send({"type": "http.response.body", "body": b""})


async def until_disconnect(request: Request, work: Awaitable[Any]) -> Any:
    """Run `work`, and cancel it if the client disconnects. Raises HTTPException 499 in that case."""

    async def disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    try:
        return await race(work, disconnected)
    except Overtaken:
        raise HTTPException(GONE, "The caller went away.") from None
