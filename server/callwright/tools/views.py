"""Results: a small typed model is `structuredContent`, and its rendering is the text."""

import json
from collections.abc import Iterator
from typing import cast

from pydantic import BaseModel, ConfigDict

from .text import LIMIT

LINES = 80
"""Rows of a list that the platform does not page."""


class View(BaseModel):
    """A result, or a part of one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def line(self) -> str:
        """As an item of a list."""
        shown = (f"{name}: {_scalar(value)}" for name, value in self if not _is_empty(value))
        return " | ".join(shown)


class Deleted(View):
    deleted: str
    name: str
    also: list[str] = []
    """What the deletion changed elsewhere."""


class Page(View):
    """A page of a list. `next_cursor` goes back as `cursor`."""

    has_more: bool = False
    next_cursor: str | None = None


def render(*views: View) -> str:
    """A line a field, a line a list item; what is empty is left out. Bounded."""
    text = "\n".join(line for view in views for line in _lines(view, ""))
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 60]}\n… cut at {LIMIT} characters; ask for a smaller part."


def _lines(view: View, indent: str) -> Iterator[str]:
    for name, value in view:
        if _is_empty(value):
            continue
        items = cast(list[object], value) if isinstance(value, list) else []
        if isinstance(value, View):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        elif any(isinstance(item, View) for item in items):
            yield f"{indent}{name}:"
            yield from (f"{indent}- {_inside(cast(View, item).line(), indent)}" for item in items)
        else:
            yield f"{indent}{name}: {_inside(_scalar(cast(object, value)), indent)}"


def _inside(text: str, indent: str) -> str:
    """Further lines of a value are indented, so that no value can look like a field."""
    return text.replace("\n", f"\n{indent}    ")


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, View):
        return value.line()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return ", ".join(_scalar(item) for item in cast(list[object], value))
    return str(value)
