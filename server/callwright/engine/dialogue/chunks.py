"""Putting one streamed answer together from its chunks."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from .llm import Request, ToolCall, Usage


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
        """Take one chunk in; the text that it brings."""
        self.model = chunk.model or self.model
        if chunk.usage is not None:
            details = chunk.usage.prompt_tokens_details
            cached = (details.cached_tokens or 0) if details is not None else 0
            self.usage = Usage(chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0, cached)
        text = ""
        for choice in chunk.choices or ():
            if choice.delta is None:
                continue
            text += choice.delta.content or ""
            for part in choice.delta.tool_calls or ():
                self._add_call(part)
        self.characters += len(text)
        self.said = self.said or bool(text.strip())
        return text

    def _add_call(self, part: Any) -> None:
        call = self._call_of(part)
        function = part.function
        call.id = call.id or part.id or ""
        if function is not None:
            call.name += function.name or ""
            call.arguments += function.arguments or ""
            self.characters += len(function.arguments or "")

    def _call_of(self, part: Any) -> _Call:
        """A chunk goes on with the call of its number, unless it carries the id of another one."""
        index = cast(int | None, part.index)
        known = self._by_index.get(index) if index is not None else (self._calls[-1] if self._calls else None)
        if known is not None and (not part.id or not known.id or part.id == known.id):
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
