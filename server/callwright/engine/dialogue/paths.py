"""Finds a value in JSON by a path such as `order.lines[0].id`."""

import json
import re
from collections.abc import Mapping
from typing import cast

from .variables import written

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
MISSING = object()
"""The result for a path that leads nowhere. Not None, because null is a value."""


def value_at(whole: object, path: str) -> object:
    """The value at a path such as `order.lines[0].id` or `order.lines.0.id`, with or without a leading `$.`; MISSING
    if there is none.
    """
    node = whole
    if (named := _child(whole, path, None)) is not MISSING:  # a key may contain dots
        return named
    rest = path.removeprefix("$").removeprefix(".")
    place = 0
    while place < len(rest):
        step = _STEP.match(rest, place)
        if step is None:
            return MISSING
        node = _child(node, *step.groups())
        place = step.end()
    return node


def as_text(value: object) -> str:
    """Text unchanged, numbers and booleans as JSON writes them, everything else as JSON."""
    if isinstance(value, str | bool | int | float):
        return written(value)
    return json.dumps(value, ensure_ascii=False)


def _child(node: object, name: str | None, index: str | None) -> object:
    if isinstance(node, list):
        place = index or name or ""
        items = cast(list[object], node)
        return items[int(place)] if _is_index(place) and int(place) < len(items) else MISSING
    if name is None or not isinstance(node, Mapping):
        return MISSING
    return cast(Mapping[str, object], node).get(name, MISSING)


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
