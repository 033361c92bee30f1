"""The simulated user of a rehearsal: a model that plays a person, or a reader of fixed lines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .agent import Agent
from .llm import LLM, Message, Request, Usage, complete
from .offline import script
from .record import mirrored
from .variables import Variables, told

STOP = "[[CONVERSATION-OVER]]"
"""The marker that the model writes at the end of its part; never part of the transcript."""

_STOPPED = re.compile(r"(?<!\[)\[++\s*+CONVERSATION[-_ ]OVER.*", re.IGNORECASE | re.DOTALL)
"""The marker in any case, also truncated, and everything after it."""

_PART = """You play the person who talks to an agent; the other side's words come to you as messages. Stay that person:
write only what the person says next, as spoken, with no stage directions. Never act as the agent. When the
conversation has reached its natural end for that person, write {stop} after the last words, or alone.

The person you play:
{prompt}"""
_CONNECTED = "(The line is open and nobody has spoken yet.)"


@dataclass(frozen=True)
class Utterance:
    """One message of the user; `last` if no other follows. Empty text adds no message."""

    text: str
    last: bool


class User(Protocol):
    async def speak(self, transcript: Sequence[Mapping[str, Any]]) -> Utterance:
        """The next message after `transcript`. Raises ModelFailed."""
        ...


@dataclass
class PlayedUser:
    """A user played by a model. The model sees the conversation with swapped roles and without tool calls."""

    llm: LLM
    config: Agent
    variables: Variables
    usage: Usage = field(default_factory=Usage)

    async def speak(self, transcript: Sequence[Mapping[str, Any]]) -> Utterance:
        if self.config.first_message and not any(one["role"] == "user" for one in transcript):
            return Utterance(told(self.config.first_message, self.variables), last=False)
        answer = await complete(self.llm, self._request(mirrored(transcript)))
        self.usage += answer.usage or Usage()
        text = _STOPPED.sub("", answer.text).strip()
        return Utterance(text, last=not text or _STOPPED.search(answer.text) is not None)

    def _request(self, heard: list[Message]) -> Request:
        prompt = told(self.config.prompt, self.variables)
        language = f"\nSpeak the language with the code {self.config.language}."
        system: Message = {"role": "system", "content": _PART.format(stop=STOP, prompt=prompt) + language}
        opening: list[Message] = (
            [] if heard and heard[0]["role"] == "user" else [{"role": "user", "content": _CONNECTED}]
        )
        return Request(
            [system, *opening, *heard],
            temperature=self.config.temperature,
            max_tokens=self.config.max_tokens,
            reasoning_effort=self.config.reasoning_effort,
        )


@dataclass
class ScriptedUser:
    """Reads its first message and then the lines of its prompt, one per turn, whatever the agent says."""

    config: Agent
    variables: Variables
    _lines: list[str] = field(init=False)
    read: int = 0

    def __post_init__(self) -> None:
        first = [self.config.first_message] if self.config.first_message else []
        self._lines = [told(line, self.variables) for line in [*first, *script(self.config.prompt)]]

    async def speak(self, transcript: Sequence[Mapping[str, Any]]) -> Utterance:
        if self.read >= len(self._lines):
            return Utterance("", last=True)
        self.read += 1
        return Utterance(self._lines[self.read - 1], last=self.read == len(self._lines))

    @property
    def length(self) -> int:
        return len(self._lines)
