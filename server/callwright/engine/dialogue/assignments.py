"""The variables of a conversation that a tool's answer sets."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .paths import MISSING, as_text, value_at
from .tools import Outcome, Tool
from .variables import Value, Variables, written

LONGEST = 20_000
"""Characters of one value. Bounded because every later prompt may contain it."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def assigned(tool: Tool, outcome: Outcome) -> Iterator[tuple[str, Value]]:
    """Variables and their new values, as the tool's `assignments` find them in its answer.

    An error, an answer that is not JSON, and a missing or null value set nothing. Objects and lists become JSON text.
    System variables cannot be set.
    """
    rules = tool.config.get("assignments") or ()
    if not rules or outcome.is_error:
        return
    try:
        answer = json.loads(outcome.value if outcome.answer is None else outcome.answer)
    except (ValueError, RecursionError):
        return
    for rule in rules:
        name, value = rule["dynamic_variable"], value_at(answer, rule["value_path"])
        if value is MISSING or value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        if not _NAME.fullmatch(name) or name.startswith("system__"):
            continue
        if len(text := as_text(value)) <= LONGEST:
            yield name, value if isinstance(value, str | bool | int | float) else text


def update_record(
    name: str, value: Value, before: Variables, *, at: float, tool: Tool, request_id: str
) -> Mapping[str, Any]:
    """The record of one change, in wire form. `at`: Unix seconds."""
    return {
        "variable_name": name,
        "old_value": written(before[name]) if name in before else None,
        "new_value": written(value),
        "updated_at": at,
        "tool_name": tool.name,
        "tool_request_id": request_id,
    }
