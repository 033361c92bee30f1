"""What is counted of a call, where somebody counts: how it ended, and how its approval did."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, InputRequiredResult

from .scope import Call

if TYPE_CHECKING:
    from ..meters import Meters

R = TypeVar("R", bound=CallToolResult | InputRequiredResult | None)
Told = Callable[[R], R]
"""Hands on what a call answers, once it was seen."""


@contextmanager
def counted_call(meters: "Meters | None", tool: str) -> Generator[Told[Any]]:
    outcome, began = "cancelled", time.perf_counter()

    def told(answer: R) -> R:
        nonlocal outcome
        outcome = "asked" if _asks(answer) else "error" if _is_error(answer) else "done"
        return answer

    try:
        yield told
    except UnexpectedToolError:
        outcome = "defect"
        raise
    except (ToolError, MCPError):
        outcome = "error"
        raise
    finally:
        if meters:
            meters.call(tool, outcome, time.perf_counter() - began)


@contextmanager
def counted_approval(meters: "Meters | None", call: Call) -> Generator[Told[Any]]:
    def told(instead: R) -> R:
        if meters:
            meters.approval(call.approved_by if instead is None else "asked" if _asks(instead) else "declined")
        return instead

    try:
        yield told
    except ToolError:
        if meters:
            meters.approval("refused")
        raise


def _asks(answer: object) -> bool:
    return isinstance(answer, InputRequiredResult) or (_is_error(answer) and "needs_approval" in _facts(answer))


def _is_error(answer: object) -> bool:
    return isinstance(answer, CallToolResult) and bool(answer.is_error)


def _facts(answer: object) -> dict[str, Any]:
    found = answer.structured_content if isinstance(answer, CallToolResult) else None
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}
