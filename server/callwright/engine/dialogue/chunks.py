"""Assembles one streamed answer from its chunks."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from .llm import Request, ToolCall, Usage

MOST_TOKENS = 10**12
"""The largest plausible count of one answer. A larger number is an error and would spoil the conversation's sums."""


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Assembly:
    """The answer so far. Endpoints number tool calls differently, so ids and order are used where numbers fail."""

    model: str = ""
    characters: int = 0
    usage: Usage | None = None
    said: bool = False
    """Some text other than blanks has arrived."""
    _calls: list[_Call] = field(default_factory=list[_Call])
    _by_index: dict[int, _Call] = field(default_factory=dict[int, _Call])

    def add(self, chunk: Any) -> str:
        """Add one chunk; returns the text in it.

        Raises AttributeError, TypeError, ValueError or OverflowError for a chunk that is not in the format.
        """
        self.model = _text(chunk.get("model")) or self.model
        if (usage := chunk.get("usage")) is not None:
            details: Any = usage.get("prompt_tokens_details") or {}
            asked, said, cached = (
                usage.get("prompt_tokens"),
                usage.get("completion_tokens"),
                details.get("cached_tokens"),
            )
            self.usage = Usage(_count(asked), _count(said), _count(cached))
        text = ""
        for choice in chunk.get("choices") or ():
            delta: Any = choice.get("delta") or {}
            text += delta.get("content") or ""
            for part in delta.get("tool_calls") or ():
                self._add_call(part)
        self.characters += len(text)
        self.said = self.said or bool(text.strip())
        return text

    def _add_call(self, part: Any) -> None:
        call = self._call_of(part)
        function: Any = part.get("function") or {}
        call.id = call.id or _text(part.get("id"))
        call.name += function.get("name") or ""
        arguments = function.get("arguments") or ""
        call.arguments += arguments
        self.characters += len(arguments)

    def _call_of(self, part: Any) -> _Call:
        """A chunk continues the call with its number, unless it carries the id of another call."""
        index, id = cast(int | None, part.get("index")), _text(part.get("id"))
        known = self._by_index.get(index) if index is not None else (self._calls[-1] if self._calls else None)
        if known is not None and (not id or not known.id or id == known.id):
            return known
        call = _Call()
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    @property
    def empty(self) -> bool:
        return not self.said and not self._calls

    def tool_calls(self) -> list[ToolCall]:
        return [ToolCall(c.id or f"call_{n}", c.name, c.arguments or "{}") for n, c in enumerate(self._calls)]

    def estimate(self, request: Request) -> Usage:
        """Four characters per token: for endpoints that do not report usage."""
        asked = len(json.dumps([list(request.messages), list(request.tools)], ensure_ascii=False, default=dict))
        return Usage(-(-asked // 4), -(-self.characters // 4), estimated=True)


def _count(tokens: Any) -> int:
    """A token count, which some endpoints leave out or send as text."""
    number = float(tokens or 0)
    if not 0 <= number < MOST_TOKENS:
        raise ValueError("That many tokens were never counted.")
    return int(number)


def _text(given: Any) -> str:
    """A name or an id, which some endpoints send as a number."""
    if isinstance(given, (dict, list)):
        raise TypeError("This is neither text nor a number.")
    return "" if given is None else str(given)
