"""What the runtime asks of a language model, whoever answers: streamed text, finished tool calls, what it cost."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr

from ...contract.errors import Unavailable

Message = dict[str, Any]
"""One message of a chat-completions request: `role`, `content`, `tool_calls`, `tool_call_id`."""


@dataclass(frozen=True)
class LLMSettings:
    """The endpoint that answers for every model name: any that speaks chat completions."""

    base_url: str
    """With or without `/chat/completions` at its end."""
    model: str
    api_key: SecretStr
    """Empty for a local runner that asks for none."""
    attempts: int = 3
    attempt_seconds: float = 30
    """The longest silence of an endpoint, before its first piece and between two, that is waited for."""
    answer_seconds: float = 180
    """The longest time for one whole answer."""
    backoff_seconds: float = 0.5
    """Waited before the second attempt; doubled before each further one."""


@dataclass(frozen=True)
class Request:
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    must_call: str | None = None
    """Name of the one tool that the answer has to call."""
    temperature: float | None = None
    max_tokens: int | None = None
    reasoning_effort: str | None = None
    as_json: bool = False
    """The answer is to be one JSON object; an endpoint that does not know the wish may ignore it."""


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


class ModelFailed(Unavailable):
    """No usable answer. The text names host, status and remedy, never a key.

    `again` tells whether the same request may be sent once more: nothing was handed on, and the cause may pass.
    """

    code = "llm_failed"

    def __init__(self, message: str, *, http_status: int | None = None, again: bool = False, wait: float = 0) -> None:
        self.http_status, self.again, self.wait = http_status, again, wait
        super().__init__(message)


@dataclass
class Answer:
    """One whole answer."""

    text: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    model: str = ""
    usage: Usage | None = None


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
                    if told is not None:
                        await told(text)
                case ToolCall():
                    into.tool_calls.append(piece)
                case Done(model, usage):
                    into.model, into.usage = model, usage
