"""Select parts of a whole answer by JSON path, as the view of an answer leaves out fields."""

import json
import re
from collections.abc import Iterator
from types import EllipsisType
from typing import Annotated, Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..contract.merge import Json
from .masking import masked
from .text import cleaned, short
from .views import View

PARTS = "parts"
Paths = Annotated[
    list[Annotated[str, Field(max_length=300)]] | None,
    Field(max_length=20, description="Only these JSON paths, as a[*].b."),
]

BUDGET = 16_000
"""Characters of JSON for all parts of a result together."""

_STEP = re.compile(
    r"\[(?P<from>\d*):(?P<to>\d*)\]"  # text[0:5000]
    r"|\[(?P<at>\d+)\]"  # list[3]
    r"|\[(?P<each>\*)\]"  # list[*].a
    r"|\['(?P<key>[^']*)'\]"  # map['a.b']
    r"|(?:^|\.)(?P<name>[^.\[\]]+)"  # a.b
)
Step = str | int | slice | EllipsisType
"""A key, an index, a slice, or `...` for every item of a list."""


class Parts(View):
    """In place of a view."""

    parts: Json
    """What stands at each path, as the platform gives it; secrets are hidden."""
    cut: list[str] = []
    """Which of them are not whole, and how to ask for the rest."""


def parts_of(answer: Json, paths: list[str]) -> Parts:
    """The values at `paths` of an answer. A text or list that is too long is cut, and the result names the rest.

    A path is `a.b[0]`, `a[*].b` (of each item), `a['b.c']` or `a.text[0:5000]` (the last for lists and texts), with or
    without `$.` before it.
    Raises ToolError with the existing parts if a path does not exist.
    """
    found: Json = {}
    cut: list[str] = []
    # Secrets are masked before parts are selected: the items of a slice no longer have the name that marks a secret.
    shown = masked([], answer)
    for path in dict.fromkeys(paths):
        steps = list(_steps(path))
        value = cleaned(_walked(shown, steps))
        found[path], rest = _fitting(path, steps, value, BUDGET // len(paths))
        cut += [rest] if rest else []
    return Parts(parts=found, cut=cut)


def _steps(path: str) -> Iterator[Step]:
    text = path.removeprefix("$").removeprefix(".")
    end = 0
    for step in _STEP.finditer(text):
        if step.start() != end:
            break
        end = step.end()
        if step["from"] is not None:
            yield slice(int(step["from"] or 0), int(step["to"]) if step["to"] else None)
        elif step["at"] is not None:
            yield int(step["at"])
        elif step["each"]:
            yield ...
        else:
            yield step["name"] if step["key"] is None else step["key"]
    if end != len(text):
        raise ToolError(f"{short(path)!r} is no path; write it as a.b[0], a[*].b, a['b.c'] or a.text[5000:].")


def _walked(node: Any, steps: list[Step], whole: str = "the whole") -> Any:
    for at, step in enumerate(steps):
        if step is ... and isinstance(node, list):
            return _of_each(cast(list[Any], node), steps[at + 1 :])
        if isinstance(step, slice) and isinstance(node, list | str):
            node = cast(Any, node)[step]
        elif isinstance(node, dict) and str(step) in node:
            node = cast(Json, node)[str(step)]
        elif isinstance(node, list) and str(step).isdecimal() and int(cast(str, step)) < len(cast(list[Any], node)):
            node = cast(list[Any], node)[int(cast(str, step))]
        else:
            where = ".".join(_said(each) for each in steps[:at]) or whole
            raise ToolError(f"{short(where, 200)} has no part {short(_said(step))!r}. It has: {_known(node)}.")
    return node


def _of_each(items: list[Any], steps: list[Step]) -> list[Any]:
    """The value in each item; null if this item lacks it and another item has it."""
    found: list[Any] = []
    lacking: list[ToolError] = []
    for item in items:
        try:
            found.append(_walked(item, steps, "an item"))
        except ToolError as exc:
            lacking.append(exc)
            found.append(None)
    if items and len(lacking) == len(items):
        raise lacking[0]
    return found


def _known(node: Any) -> str:
    if isinstance(node, dict):
        names = sorted(cast(Json, node))
        more = f" and {len(names) - 60} more" if len(names) > 60 else ""
        return f"{', '.join(short(name) for name in names[:60]) or 'nothing'}{more}"
    if isinstance(node, list):
        return f"{len(cast(list[Any], node))} items, from [0]"
    return "no parts"


def _said(step: Step) -> str:
    if step is ...:
        return "[*]"
    return f"[{step.start}:{step.stop or ''}]" if isinstance(step, slice) else str(step)


def _fitting(path: str, steps: list[Step], value: Any, budget: int) -> tuple[Any, str | None]:
    """The beginning of `value` that fits in `budget` characters, and a text on how to get the rest."""
    if _size(value) <= budget:
        return value, None
    if isinstance(value, dict):
        return None, f"{path or 'The whole'} is too large: ask for one of {_known(cast(Json, value))}."
    shown = _longest(value, budget)
    if not shown and isinstance(value, list):
        return None, f"{path} is too large: ask for {path}[0], {path}[1], ... or parts of them."
    if ... in steps:
        one = path.replace("[*]", f"[{len(shown)}]", 1)
        return (
            shown,
            f"{path} has {len(value):,} in all, here are {len(shown):,}: go on with {one} or a smaller page_size.",
        )
    begin, whole = 0, path
    if steps and isinstance(last := steps[-1], slice):
        begin, whole = last.start, path[: path.rindex("[")]
    end = begin + len(shown)
    return shown, f"{path} goes on at {whole}[{end}:]; {begin + len(value):,} in all."


def _longest(value: Any, budget: int) -> Any:
    """The longest beginning of a text or list that fits, by bisection, as one character may take six in JSON."""
    least, most = 0, len(value)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if _size(value[:middle]) <= budget else (least, middle - 1)
    return value[:least]


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
