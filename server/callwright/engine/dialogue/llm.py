"""What the runtime asks of a language model, whoever answers: streamed text, finished tool calls, what it cost."""

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
    """With or without `/chat/completions` at its end."""
    model: str
    api_key: SecretStr = SecretStr("")
    """Empty where none is asked for."""
    silence_seconds: float = 30
    """The longest silence of an endpoint, before its first piece and between two, that is waited for."""
    answer_seconds: float = 180
    """The longest time for one whole answer."""
    discreet: bool = False
    """Whoever reads why it failed is not to learn what the operator's model is, where it is, or what it says."""
    refuses: frozenset[str] = frozenset()
    """Parameters that it is known to refuse; others that it refuses are learned from its answers."""
    headers: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    """Sent besides. One that is named `Authorization` stands in for the key."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of the request besides those of the format."""
    known_as: str = ""
    """The model's name in records, where it is not the one that the endpoint tells."""


@dataclass(frozen=True)
class RequestContext:
    """Of the conversation that a request belongs to: what an endpoint of the agent's own may be told."""

    variables: Mapping[str, Value] = field(default_factory=dict[str, Value])
    user_id: str | None = None
    extra_body: Mapping[str, Any] | None = None
    """`custom_llm_extra_body`, as whoever started the conversation gave it."""


@dataclass(frozen=True)
class Request:
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    must_call: str | None = None
    """Name of the one tool that the answer has to call."""
    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    resends: int = 0
    """How often the same model was asked before."""
    as_json: bool = False
    """The answer is to be one JSON object; an endpoint that does not know the wish may ignore it."""
    session: RequestContext | None = None


@dataclass(frozen=True)
class Text:
    """The next piece of what is said, to be joined without a change."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """A finished call. `arguments` is the text that the model wrote: JSON where it obeyed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Usage:
    """Tokens. `input` includes those read from a cache. Estimated where the endpoint does not say."""

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
    """The answer is whole. `model` is what answered; `usage` is None where nothing was computed."""

    model: str
    usage: Usage | None


Piece = Text | ToolCall | Done


class LLM(Protocol):
    def stream(self, request: Request) -> AsyncGenerator[Piece]:
        """The pieces of one answer, `Done` last. Closing the generator stops the model. Raises ModelFailed."""
        ...


@dataclass(frozen=True)
class InSession:
    """A model whose every request tells the session that it belongs to, as that stands then."""

    llm: LLM
    session: Callable[[], RequestContext]

    def stream(self, request: Request) -> AsyncGenerator[Piece]:
        return self.llm.stream(replace(request, session=self.session()))


Trouble = Literal["llm_error", "llm_timeout", "custom_llm_error", "cascade_brain_error"]
"""As clients are told: of one model, of one that was too slow, of the agent's own endpoint, of several in turn."""


class ModelFailed(Unavailable):
    """No usable answer. The text names host, status and remedy, never a key.

    `again` tells whether the same model may be asked the same once more, because the cause may pass; `wait` for how
    many seconds it wants to be left alone.
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
    """One whole answer."""

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    model: str = ""
    usage: Usage | None = None
    pace: Pace | None = None
    """Where it is measured."""


async def complete(llm: LLM, request: Request) -> Answer:
    """Wait for the whole answer. Raises ModelFailed."""
    answer = Answer()
    await collect(llm, request, answer)
    return answer


async def collect(
    llm: LLM, request: Request, into: Answer, told: Callable[[str], Awaitable[None]] | None = None
) -> None:
    """As `complete`, but what came before a failure stays in `into`. `told` gets each piece of text as it comes."""
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
