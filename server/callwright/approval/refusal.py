"""Refusals: the error result of a call that was not executed, as complete text and as facts for programs.

A refusal has no `structuredContent`. Clients validate this against the tool's output schema, also in errors, and the
TypeScript SDK 1.x then shows a model a protocol error instead of the refusal. So the facts are in `_meta`.
"""

from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

PREFIX = "callwright/"
"""Prefix of the name of every fact in `_meta`."""


def refusal(text: str, facts: Mapping[str, Any]) -> CallToolResult:
    """An error result with its facts in `_meta`, as `callwright/NAME`."""
    meta = {f"{PREFIX}{name}": value for name, value in facts.items()}
    return CallToolResult(content=[TextContent(text=text)], is_error=True, _meta=meta)


def facts_of(result: object) -> dict[str, Any]:
    """The facts of a refusal, by their names; empty if `result` is no refusal."""
    if not isinstance(result, CallToolResult) or not result.is_error:
        return {}
    meta: Mapping[str, Any] = result.meta or {}
    return {name.removeprefix(PREFIX): value for name, value in meta.items() if name.startswith(PREFIX)}


def asks(result: object) -> bool:
    """Whether the call can still be executed after a person has approved it."""
    return "needs_approval" in facts_of(result)
