"""A model behind an endpoint that speaks the chat completions format.

Requests are not repeated here: `cascade.py` decides which model is asked next. The HTTP client comes from `net/`, which
checks every outgoing address.
"""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
from pydantic_core import to_json

from ...contract.errors import BadRequest
from ...net.http import (
    URL,
    AsyncClient,
    InvalidURL,
    RequestError,
    Response,
    Timeout,
    TimeoutException,
    TooLarge,
    read_body,
)
from ...net.http import Request as HttpRequest
from ...secrecy import masked
from ...telemetry.spans import LLMRequest
from .chunks import Assembly
from .event_stream import Streamed
from .llm import Done, LLMSettings, ModelFailed, Piece, Request, Text, Trouble

logger = logging.getLogger(__name__)

ANSWER_LIMIT = 200_000
"""Characters. A longer answer of an endpoint is cut off here."""

LARGEST_ERROR = 1_000_000
"""Bytes of the body of an error that are read."""

_LONGEST_WAIT = 20.0
_PASSING = frozenset({408, 409, 425, 429})
_REFUSING = frozenset({400, 422})
"""The statuses with which endpoints refuse a parameter."""
_REMEDIES = {
    400: "Check the model name and the agent's model settings.",
    401: "Check the API key of the language model.",
    403: "Check the API key and what it may use.",
    404: "Check the base URL (it usually ends in /v1) and the model name.",
    429: "Wait, or raise the limits at that endpoint.",
}
_PATIENCE = "Try a smaller model, or raise CALLWRIGHT_LLM_SILENCE_SECONDS or CALLWRIGHT_LLM_ANSWER_SECONDS."
_OPTIONAL = (
    "stream_options",
    "response_format",
    "tool_choice",
    "reasoning_effort",
    "temperature",
    "user_id",
    "max_tokens",
)
"""Parameters that some endpoints refuse. No answer depends on them; `max_tokens` has another name there."""


class ChatCompletions:
    """One endpoint and one model.

    `http_client` is closed by its creator. `refused` collects the parameters that the endpoint has refused; pass the
    same set to the next client of that endpoint.
    """

    def __init__(self, settings: LLMSettings, http_client: AsyncClient, *, refused: set[str] | None = None) -> None:
        self._settings, self._http_client = settings, http_client
        self._base = settings.base_url.rstrip("/").removesuffix("/chat/completions")
        self._host = urlsplit(self._base).netloc.rpartition("@")[2] or self._base
        self._at = (urlsplit(self._base).hostname or "", urlsplit(self._base).port)
        self._refused = set(settings.refuses) if refused is None else refused

    async def stream(self, request: Request) -> AsyncGenerator[Piece]:
        """The pieces of one answer, requested once, within a span."""
        span = LLMRequest(self._settings.model, *self._at, request.resends)
        try:
            async with aclosing(self._answer(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Done) and (used := piece.usage):
                        span.answered(
                            piece.model, used.input, used.output, cached=used.cached, estimated=used.estimated
                        )
                    yield piece
        except ModelFailed as failure:
            span.failed(failure.http_status)
            raise
        finally:
            span.end()

    async def _answer(self, request: Request) -> AsyncGenerator[Piece]:
        assembly, held = Assembly(), ""
        failed: ModelFailed | None = None
        streamed = Streamed(self._settings.silence_seconds, self._settings.answer_seconds)
        try:
            await streamed.open(partial(self._open, request))
            while events := await streamed.more():
                for data in events:
                    held += assembly.add(self._chunk(data))
                    if held and assembly.said:  # blanks alone are not passed on: they would rule out a retry
                        yield Text(held)
                        held = ""
                    if assembly.characters > ANSWER_LIMIT:
                        raise self._failed(f"sent more than {ANSWER_LIMIT:,} characters and was stopped", again=False)
        except (TimeoutError, TimeoutException):
            failed = self._failed("gave no answer in time", _PATIENCE, trouble="llm_timeout")
        except (RequestError, InvalidURL):
            failed = self._failed("could not be reached", "Check that it runs and that the base URL is right.")
        except BadRequest as refused:  # by the guard in net/
            failed = self._failed(f"may not be called: {refused}", again=False)
        except (AttributeError, TypeError, ValueError, OverflowError):
            failed = self._failed("sent a stream that is not in the chat-completions format")
        finally:
            await streamed.close()
        if failed:
            raise failed  # raised here, so that the first error, which may repeat the key, is not chained
        if assembly.empty:
            raise self._failed("gave an empty answer")
        for call in assembly.tool_calls():
            yield call
        model = self._settings.known_as or assembly.model or self._settings.model
        yield Done(model, assembly.usage or assembly.estimate(request))

    def _chunk(self, data: str) -> Any:
        """Raises ModelFailed if the endpoint reports an error in the stream, and ValueError if this is not JSON."""
        chunk: Any = json.loads(data)
        if found := chunk.get("error"):
            raise self._failed(f"broke off its answer{self._told(_error(found, 'An error occurred during streaming'))}")
        return chunk

    async def _open(self, request: Request) -> Response:
        """A response that streams the answer, without the parameters that the endpoint refuses. Raises ModelFailed."""
        while True:
            sent = self._body(request)
            response = await self._http_client.send(self._request(sent), stream=True)
            if response.is_success:
                return response
            error = await _error_of(response)
            refused = next((name for name in _OPTIONAL if name in sent and name in error.words), None)
            if refused is None or response.status_code not in _REFUSING:
                raise self._refusal(response, error)
            self._refused.add(refused)

    def _request(self, body: dict[str, Any]) -> HttpRequest:
        headers = {"accept": "application/json", "content-type": "application/json"}
        if key := self._settings.api_key.get_secret_value():
            headers["authorization"] = f"Bearer {key}"
        headers |= {name.lower(): value.get_secret_value() for name, value in self._settings.headers.items()}
        content, timeout = to_json(body, inf_nan_mode="null"), Timeout(None, read=self._settings.silence_seconds)
        return self._http_client.build_request("POST", self._url, headers=headers, content=content, timeout=timeout)

    @cached_property
    def _url(self) -> URL:
        return URL(f"{self._base}/chat/completions", params=dict(self._settings.query) or None)

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": list(request.messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "tools": list(request.tools) or None,
            "tool_choice": {"type": "function", "function": {"name": request.must_call}} if request.must_call else None,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "reasoning_effort": request.reasoning_effort,
            "response_format": {"type": "json_object"} if request.as_json else None,
        }
        if "max_tokens" in self._refused:  # newer models at some endpoints know the limit only by another name
            body["max_completion_tokens"] = request.max_tokens
        body = {name: value for name, value in body.items() if value is not None}
        body |= self._settings.body
        return {name: value for name, value in body.items() if name not in self._refused}

    def _refusal(self, response: Response, error: "_Error") -> ModelFailed:
        status = response.status_code
        return self._failed(
            f"answered {status}{self._told(error) if status not in (401, 403) else ''}",
            _REMEDIES.get(status, "Check that endpoint's status and log." if status >= 500 else ""),
            status=status,
            again=status in _PASSING or status >= 500,
            wait=_seconds(response.headers.get("retry-after", "")),
        )

    def _told(self, error: "_Error") -> str:
        """The endpoint's error message: short, on one line, without the key and the other secrets."""
        sent = [each.get_secret_value() for each in (self._settings.api_key, *self._settings.headers.values())]
        known = {*sent, *(value.removeprefix("Bearer ") for value in sent)}
        line = " ".join(masked(error.message, known, "[key]").split())
        return f" ({line[:200]})" if line else ""  # truncated last: half a key would not be redacted

    def _failed(
        self,
        what: str,
        remedy: str = "",
        *,
        status: int | None = None,
        again: bool = True,
        wait: float = 0,
        trouble: Trouble = "llm_error",
    ) -> ModelFailed:
        text = f"The language model {json.dumps(self._settings.model)} at {self._host} {what}. {remedy}".strip()
        if self._settings.discreet:
            logger.warning("%s", text)
            text = "The language model gave no usable answer. Whoever runs this server finds the reason in its log."
        return ModelFailed(text, http_status=status, again=again, wait=wait, trouble=trouble)


@dataclass(frozen=True)
class _Error:
    """What an endpoint says of an error."""

    message: str
    parameter: str = ""

    @property
    def words(self) -> str:
        return f"{self.parameter} {self.message}"


async def _error_of(response: Response) -> _Error:
    """The error in the body of a response, which is closed then."""
    otherwise = f"Error code: {response.status_code}"
    try:
        text = (await read_body(response, LARGEST_ERROR)).decode(errors="replace").strip()
    except TooLarge:
        return _Error(otherwise)
    finally:
        with anyio.CancelScope(shield=True):
            await response.aclose()
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _Error(text)
    return _error(cast(dict[str, Any], body).get("error", body) if isinstance(body, dict) else body, otherwise)


def _error(found: Any, otherwise: str) -> _Error:
    """Usually an object with a message; some endpoints send the message alone."""
    if isinstance(found, str):
        return _Error(found)
    fields = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    return _Error(str(fields.get("message") or otherwise), str(fields.get("param") or ""))


def _seconds(retry_after: str) -> float:
    try:
        return min(max(float(retry_after), 0), _LONGEST_WAIT)
    except ValueError:
        return 0
