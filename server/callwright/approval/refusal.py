"""What a client gets instead of an act: a text that says everything, and facts for programs beside it.

A refusal has no `structuredContent`. Clients check that against the tool's output schema, also in errors, and the
TypeScript SDK 1.x then shows a model an error of the protocol in place of the refusal. So the facts are in `_meta`.
"""

from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, TextContent

PREFIX = "callwright/"
"""Before the name of every fact in `_meta`."""


def refusal(text: str, facts: Mapping[str, Any]) -> CallToolResult:
    """A result that is an error, with its facts as `callwright/NAME`."""
    meta = {f"{PREFIX}{name}": value for name, value in facts.items()}
    return CallToolResult(content=[TextContent(text=text)], is_error=True, _meta=meta)


def facts_of(result: object) -> dict[str, Any]:
    """The facts of a refusal, by their names; none where `result` is something else."""
    if not isinstance(result, CallToolResult) or not result.is_error:
        return {}
    meta: Mapping[str, Any] = result.meta or {}
    return {name.removeprefix(PREFIX): value for name, value in meta.items() if name.startswith(PREFIX)}


def asks(result: object) -> bool:
    """Whether the refusal leaves a way to go on: somebody is to be asked first."""
    return "needs_approval" in facts_of(result)
