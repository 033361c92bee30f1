"""Base classes of tool results: a small typed model is the `structuredContent`, and its rendering the text."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, ConfigDict

from .text import LIMIT

LINES = 50
"""Rows of a page, for lists that the platform returns whole."""


class View(BaseModel):
    """A result, or a part of one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def line(self) -> str:
        """As an item of a list."""
        return " | ".join([f"{name}: {_scalar(value)}" for name, value in vars(self).items() if not _is_empty(value)])

    def whole(self) -> "Whole | None":
        """The resource that holds what did not fit in here; None where this is all."""
        return None


class Whole(NamedTuple):
    """A body too big for a result, as a resource that a host can read without the model."""

    uri: str
    title: str
    mime_type: str = "text/plain"


class Deleted(View):
    deleted: str
    name: str
    also: list[str] = []
    """What the deletion changed elsewhere."""


class Page(View):
    """A page of a list. `next_cursor` goes back as `cursor`."""

    has_more: bool = False
    next_cursor: str | None = None


T = TypeVar("T")


def paged(
    rows: list[T], id_of: Callable[[T], str], cursor: str | None, size: int = LINES
) -> tuple[list[T], str | None]:
    """A page of a list that the platform returns whole, and the cursor of the next page: the last id shown.

    Raises ToolError if the row of the cursor no longer exists.
    """
    begin = 0
    if cursor:
        begin = next((place for place, row in enumerate(rows, 1) if id_of(row) == cursor), 0)
        if not begin:
            raise ToolError("What this cursor names is gone. Begin again without cursor.")
    shown = rows[begin : begin + size]
    return shown, id_of(shown[-1]) if begin + size < len(rows) else None


def ordered(by: str) -> dict[str, str]:
    """`sort_by` and `sort_direction` of an order: names ascending, other fields with the newest or largest first."""
    field = by.removeprefix("-")
    return {"sort_by": field, "sort_direction": "asc" if (field == "name") is (field == by) else "desc"}


def render(*views: View) -> str:
    """The text of views, bounded: one line for each field and list item; empty values are left out."""
    text = "\n".join(line for view in views for line in _lines(view, ""))
    return text if len(text) <= LIMIT else f"{text[: LIMIT - 60]}\n… cut at {LIMIT} characters; ask for a smaller part."


def _lines(view: View, indent: str) -> Iterator[str]:
    for name, value in vars(view).items():
        if _is_empty(value):
            if isinstance(view, Page) and value == []:
                yield f"{indent}{name}: none"
            continue
        items = cast(list[object], value) if isinstance(value, list) else []
        if isinstance(value, View):
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        elif any(isinstance(item, View) for item in items):
            yield f"{indent}{name}:"
            yield from (f"{indent}- {_inside(cast(View, item).line(), indent)}" for item in items)
        elif any(isinstance(item, str) and ", " in item for item in items):
            yield f"{indent}{name}:"
            yield from (f"{indent}- {_inside(_scalar(item), indent)}" for item in items)
        else:
            yield f"{indent}{name}: {_inside(_scalar(cast(object, value)), indent)}"


def _inside(text: str, indent: str) -> str:
    """A value with its further lines indented, so that no value can look like a field."""
    return text.replace("\n", f"\n{indent}    ")


def _is_empty(value: object) -> bool:
    return value is None or (not value and isinstance(value, str | list | dict))


def _scalar(value: object) -> str:
    if isinstance(value, str):  # most values, so it is asked first
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, View):
        return value.line()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return ", ".join(_scalar(item) for item in cast(list[object], value))
    return str(value)
