"""A model behind an endpoint that speaks the chat completions format, through the `openai` client.

The client is used for the wire format alone: its retries are off, because `cascade.py` decides which model is asked
next, and its HTTP client comes from `net/`, which checks every outgoing address.
"""

import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ...contract.errors import BadRequest
from ...telemetry.spans import LLMRequest
from .chunks import Assembly
from .llm import Done, LLMSettings, ModelFailed, Piece, Request, Text, Trouble

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI

logger = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_LIMIT = 200_000
"""Characters. A longer answer of an endpoint is cut off here."""

_LONGEST_WAIT = 20.0
_PASSING = frozenset({408, 409, 425, 429})
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

    `http_client` is a guarded `httpx2.AsyncClient`; its creator closes it. `refused` collects the parameters that the
    endpoint has refused; pass the same set to the next client of that endpoint.
    """

    def __init__(self, settings: LLMSettings, http_client: Any, *, refused: set[str] | None = None) -> None:
        base = settings.base_url.rstrip("/").removesuffix("/chat/completions")
        self._settings = replace(settings, base_url=base)
        self._host = urlsplit(base).netloc.rpartition("@")[2] or base
        self._at = (urlsplit(base).hostname or "", urlsplit(base).port)
        self._http_client = http_client
        self._client: AsyncOpenAI | None = None
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
        client = await self._connected()
        from openai import APIError

        assembly, held = Assembly(), ""
        failed: ModelFailed | None = None
        deadline = anyio.current_time() + self._settings.answer_seconds
        opened = None
        try:
            opened = await self._wait(partial(self._open, client, request), deadline)
            chunks = aiter(opened)
            while (chunk := await self._wait(partial(anext, chunks, None), deadline)) is not None:
                held += assembly.add(chunk)
                if held and assembly.said:  # blanks alone are not passed on: they would rule out a retry
                    yield Text(held)
                    held = ""
                if assembly.characters > ANSWER_LIMIT:
                    raise self._failed(f"sent more than {ANSWER_LIMIT:,} characters and was stopped", again=False)
        except TimeoutError:
            failed = self._failed("gave no answer in time", _PATIENCE, trouble="llm_timeout")
        except APIError as error:
            failed = self._translated(error)
        except BadRequest as refused:  # by the guard in net/
            failed = self._failed(f"may not be called: {refused}", again=False)
        except (AttributeError, TypeError, ValueError, OverflowError):
            failed = self._failed("sent a stream that is not in the chat-completions format")
        finally:
            if opened is not None:
                with anyio.CancelScope(shield=True):
                    await opened.close()
        if failed:
            raise failed  # raised here, so that the client's error, which may repeat the key, is not chained
        if assembly.empty:
            raise self._failed("gave an empty answer")
        for call in assembly.tool_calls():
            yield call
        model = self._settings.known_as or assembly.model or self._settings.model
        yield Done(model, assembly.usage or assembly.estimate(request))

    async def _wait(self, step: Callable[[], Awaitable[T]], deadline: float) -> T:
        """Each wait has its own cancel scope: a scope that stayed open over a `yield` would cancel the wrong task."""
        left = min(self._settings.silence_seconds, deadline - anyio.current_time())
        with anyio.fail_after(max(left, 0)):
            return await step()

    async def _open(self, client: "AsyncOpenAI", request: Request) -> Any:
        """A stream of chunks, as dicts.

        It uses the client's generic request method. The method for chat completions validates every value that is sent
        and builds a model of each chunk, which takes most of a turn in a long conversation.
        """
        from openai import AsyncStream, BadRequestError, UnprocessableEntityError

        options: Any = self._options()
        while True:
            sent = self._body(request)
            try:
                return await client.post(
                    "/chat/completions",
                    body=sent,
                    options=options,
                    cast_to=object,
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
            except (BadRequestError, UnprocessableEntityError) as error:
                told = f"{error.param} {error.message}"
                refused = next((name for name in _OPTIONAL if name in sent and name in told), None)
                if refused is None:
                    raise
                self._refused.add(refused)

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

    def _options(self) -> dict[str, Any]:
        from openai import Omit

        key: dict[str, Any] = {} if self._settings.api_key.get_secret_value() else {"Authorization": Omit()}
        headers = {name: value.get_secret_value() for name, value in self._settings.headers.items()}
        return {"headers": key | headers, "params": dict(self._settings.query)}

    async def _connected(self) -> "AsyncOpenAI":
        if self._client is None:
            self._client = await anyio.to_thread.run_sync(self._made)  # its import takes half a second
        return self._client

    def _made(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI

        key = self._settings.api_key.get_secret_value()
        client = AsyncOpenAI(
            base_url=self._settings.base_url,
            api_key=key or "none",
            http_client=self._http_client,
            max_retries=0,
            timeout=None,
        )
        # The client reads another provider's account from the environment; none of it may be sent here.
        client.organization = client.project = client.admin_api_key = None
        client._custom_headers = {"User-Agent": "callwright"}  # pyright: ignore[reportPrivateUsage]
        return client

    def _translated(self, error: "APIError") -> ModelFailed:
        from openai import APIConnectionError, APIStatusError

        if isinstance(error, APIConnectionError):
            return self._failed("could not be reached", "Check that it runs and that the base URL is right.")
        if not isinstance(error, APIStatusError):
            return self._failed(f"broke off its answer{self._told(error)}")
        status = error.status_code
        return self._failed(
            f"answered {status}{self._told(error) if status not in (401, 403) else ''}",
            _REMEDIES.get(status, "Check that endpoint's status and log." if status >= 500 else ""),
            status=status,
            again=status in _PASSING or status >= 500,
            wait=_seconds(error.response.headers.get("retry-after", "")),
        )

    def _told(self, error: "APIError") -> str:
        """The endpoint's error message: short, on one line, without the key and the other secrets."""
        body = error.body
        told = body if isinstance(body, str) else cast(dict[str, Any], body or {}).get("message") or error.message
        line = " ".join(str(told).split())
        for secret in (self._settings.api_key, *self._settings.headers.values()):
            for known in {secret.get_secret_value(), secret.get_secret_value().removeprefix("Bearer ")} - {""}:
                line = line.replace(known, "[key]")
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


def _seconds(retry_after: str) -> float:
    try:
        return min(max(float(retry_after), 0), _LONGEST_WAIT)
    except ValueError:
        return 0
