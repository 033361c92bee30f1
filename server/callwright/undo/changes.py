"""Compare a request with the stored resource: the changed paths with their values before and after, without secrets."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from ..api.client import ApiClient
from ..contract.errors import ApiError
from ..contract.operation import Operation
from ..contract.walk import ABSENT, Path, spelt, value_at
from ..replies.masking import masked_as
from ..replies.text import visible
from ..replies.views import View
from .undo import holds, reader_of

Json = dict[str, Any]

MOST = 40
LONGEST = 300
CLEARED = "(cleared)"
"""Shown for a null, or for a field that the new whole lacks: the platform's default applies, or nothing."""
EMPTY = "(empty)"
_LEAD = 60
"""Characters shown before the first difference of two long values."""


class Change(View):
    """One place of a document. `before` is absent where nothing stood there."""

    path: str
    before: str | None = None
    after: str | None = None


async def standing(client: ApiClient, op: Operation[Any]) -> Json | None:
    """The present value of the document that `op` changes; None if it cannot be read."""
    reader = reader_of(op)
    if reader is None:
        return None
    try:
        return part_of(op, await client.send(reader))
    except ApiError:
        return None  # the change itself reports the error


def part_of(op: Operation[Any], found: Any) -> Json:
    """The part of the answer to a read that has the form of the body of `op`."""
    whole: Json = found.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return whole[op.within] if op.within else whole


def differences(op: Operation[Any], before: Json) -> list[Change]:
    """The values that `op` changes, at most MOST; the last item tells how many more there are."""
    # Python mode keeps write-only values masked.
    given = op.model_dump(by_alias=True, exclude_unset=True)
    body = {name: value for name, value in given.items() if op.places().get(name, "body") == "body"}
    stood = before | {name: _at(before, path) for name, path in op.seen_as.items()}
    new = _with_nulls(body, op.body())
    whole = [tuple(each.split(".")) if each else () for each in op.replaces]
    shown, was_shown = masked_as(type(op), new), masked_as(type(op), stood)
    found = [
        _change(path, value_at(was_shown, path), value_at(shown, path)) for path in _between(new, stood, (), whole)
    ]
    more = [Change(path=f"… {len(found) - MOST} more")] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _at(node: Any, path: str) -> Any:
    for part in path.split("."):
        node = cast(Json, node).get(part) if isinstance(node, dict) else None
    return node


def _with_nulls(shown: Any, sent: Any) -> Any:
    """`shown` with the nulls of the sent body, as an operation may keep them apart from its fields."""
    if not (isinstance(shown, dict) and isinstance(sent, dict)):
        return cast(Any, shown)
    document = cast(Json, shown)
    for key, value in cast(Json, sent).items():
        if value is None:
            document = {**document, key: None}
        elif isinstance(value, dict):
            document = {**document, key: _with_nulls(document.get(key, {}), value)}
    return document


def _between(new: object, old: object, path: Path, replaces: Sequence[Path]) -> Iterator[Path]:
    """The paths at which the new document differs from the old one."""
    if (inside := _parts(new, old, path, replaces)) is not None:
        for key, value, stood in inside:
            yield from _between(value, stood, (*path, key), replaces)
    elif not holds(old, new):
        yield path


def _parts(
    new: object, old: object, path: Path, replaces: Sequence[Path]
) -> list[tuple[str | int, object, object]] | None:
    """Key, new and old value of each part: fields of objects, and items of lists of equal length. None: no parts."""
    if isinstance(new, dict) and new:
        given = cast(Json, new)
        there = cast(Json, old) if isinstance(old, dict) else {}
        whole = any(path[: len(each)] == each for each in replaces)
        gone = [key for key, value in there.items() if key not in given and value not in ("", [], {})] if whole else []
        return [(key, given.get(key), there.get(key)) for key in (*given, *gone)]
    if isinstance(new, list) and isinstance(old, list):
        items, stood = cast(list[object], new), cast(list[object], old)
        if len(items) == len(stood):
            return [(at, item, stood[at]) for at, item in enumerate(items)]
    return None


def _change(path: Path, old: object, new: object) -> Change:
    before, after = _windows(_text(old), _text(new))
    return Change(path=spelt(path), before=None if old is None or old is ABSENT else before, after=after)


def _text(value: object) -> str:
    if value is None or value is ABSENT:
        return CLEARED
    if value == "":
        return EMPTY
    return visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _windows(before: str, after: str) -> tuple[str, str]:
    """Both texts, bounded; of long ones only the part around the first difference."""
    start = 0
    if max(len(before), len(after)) > LONGEST:
        pairs = zip(before, after, strict=False)
        same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))
        start = max(0, same - _LEAD)
    return _window(before, start), _window(after, start)


def _window(text: str, start: int) -> str:
    cut = text[start : start + LONGEST]
    return f"{'…' if start else ''}{cut}{'…' if start + LONGEST < len(text) else ''}"
