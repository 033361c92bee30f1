"""Putting one streamed answer together from its chunks."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from .llm import Request, ToolCall, Usage

MOST_TOKENS = 10**12
"""Of one answer. More is no count, and would spoil the sums of a conversation."""


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Assembly:
    """What came so far. Endpoints differ in how they number tool calls, so ids and order help where numbers do not."""

    model: str = ""
    characters: int = 0
    usage: Usage | None = None
    said: bool = False
    """Something other than blanks came."""
    _calls: list[_Call] = field(default_factory=list[_Call])
    _by_index: dict[int, _Call] = field(default_factory=dict[int, _Call])

    def add(self, chunk: Any) -> str:
        """Take one chunk in; the text that it brings.

        Raises AttributeError, TypeError, ValueError or OverflowError for one that is not in the format.
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
        """A chunk goes on with the call of its number, unless it carries the id of another one."""
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
        """Four characters a token: for endpoints that do not count."""
        asked = len(json.dumps([list(request.messages), list(request.tools)], ensure_ascii=False, default=dict))
        return Usage(-(-asked // 4), -(-self.characters // 4), estimated=True)


def _count(tokens: Any) -> int:
    """Which some endpoints leave out, or write as text."""
    number = float(tokens or 0)
    if not 0 <= number < MOST_TOKENS:
        raise ValueError("That many tokens were never counted.")
    return int(number)


def _text(given: Any) -> str:
    """A name or an id, which some endpoints number."""
    if isinstance(given, (dict, list)):
        raise TypeError("This is neither text nor a number.")
    return "" if given is None else str(given)
