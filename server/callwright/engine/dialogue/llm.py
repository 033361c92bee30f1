"""The interface between the runtime and a language model: streamed text, finished tool calls, token usage."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from ...contract.errors import Unavailable
from .pace import Pace
from .variables import Value

Message = dict[str, Any]
"""One message of a chat-completions request: `role`, `content`, `tool_calls`, `tool_call_id`."""


@dataclass(frozen=True)
class LLMSettings:
    """One model at one endpoint that speaks chat completions."""

    base_url: str
    """With or without a trailing `/chat/completions`."""
    model: str
    api_key: SecretStr = SecretStr("")
    """Empty if the endpoint needs no key."""
    silence_seconds: float = 30
    """The longest pause allowed before the first piece and between two pieces."""
    answer_seconds: float = 180
    """The longest time for one complete answer."""
    discreet: bool = False
    """Hide the operator's model from the readers of an error: its name, its address and its messages."""
    refuses: frozenset[str] = frozenset()
    """Parameters that the endpoint is known to refuse; further ones are learned from its answers."""
    headers: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    """Additional headers. One named `Authorization` replaces the key."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Additional fields of the request body."""
    known_as: str = ""
    """The model's name in records, if it differs from the name that the endpoint reports."""


@dataclass(frozen=True)
class RequestContext:
    """Facts about the conversation of a request that an agent's own endpoint may receive."""

    variables: Mapping[str, Value] = field(default_factory=dict[str, Value])
    user_id: str | None = None
    extra_body: Mapping[str, Any] | None = None
    """`custom_llm_extra_body` as the client that started the conversation sent it."""


@dataclass(frozen=True)
class Request:
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    must_call: str | None = None
    """Name of the one tool that the answer must call."""
    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    resends: int = 0
    """Number of earlier attempts with the same model."""
    as_json: bool = False
    """Ask for one JSON object as the answer; an endpoint that does not know this parameter may ignore it."""
    session: RequestContext | None = None


@dataclass(frozen=True)
class Text:
    """The next piece of the spoken text. Pieces are concatenated unchanged."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """A complete call. `arguments` is the text that the model wrote, normally JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Usage:
    """Token counts. `input` includes cached tokens. Estimated if the endpoint does not report them."""

    input: int = 0
    output: int = 0
    cached: int = 0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True)
class Done:
    """The end of an answer. `model`: the model that answered; `usage` is None if nothing was computed."""

    model: str
    usage: Usage | None


Piece = Text | ToolCall | Done


class LLM(Protocol):
    def stream(self, request: Request) -> AsyncGenerator[Piece]:
        """The pieces of one answer, `Done` last. Closing the generator stops the model. Raises ModelFailed."""
        ...


@dataclass(frozen=True)
class InSession:
    """A model that adds the current state of its session to every request."""

    llm: LLM
    session: Callable[[], RequestContext]

    def stream(self, request: Request) -> AsyncGenerator[Piece]:
        return self.llm.stream(replace(request, session=self.session()))


Trouble = Literal["llm_error", "llm_timeout", "custom_llm_error", "cascade_brain_error"]
"""Error types sent to clients: one model failed, was too slow, the agent's own endpoint failed, several failed."""


class ModelFailed(Unavailable):
    """No usable answer. The text names host, status and remedy, never a key.

    `again`: whether the same request may be retried with the same model, because the cause may pass. `wait`: the
    seconds that the endpoint asks to wait before a retry.
    """

    code = "llm_failed"

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        again: bool = False,
        wait: float = 0,
        trouble: Trouble = "llm_error",
    ) -> None:
        self.http_status, self.again, self.wait = http_status, again, wait
        self.trouble: Trouble = trouble
        super().__init__(message)


@dataclass
class Answer:
    """One complete answer."""

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    model: str = ""
    usage: Usage | None = None
    pace: Pace | None = None
    """The measured times, if they are measured."""


async def complete(llm: LLM, request: Request) -> Answer:
    """Wait for the whole answer. Raises ModelFailed."""
    answer = Answer()
    await collect(llm, request, answer)
    return answer


async def collect(
    llm: LLM, request: Request, into: Answer, told: Callable[[str], Awaitable[None]] | None = None
) -> None:
    """Like `complete`, but `into` keeps the text received before a failure. `told` gets each piece of text."""
    async with aclosing(llm.stream(request)) as pieces:
        async for piece in pieces:
            match piece:
                case Text(text):
                    into.text += text
                    if into.pace is not None:
                        into.pace.heard(into.text)
                    if told is not None:
                        await told(text)
                case ToolCall():
                    into.tool_calls.append(piece)
                case Done(model, usage):
                    into.model, into.usage = model, usage
                    if into.pace is not None:
                        into.pace.ended()
