"""Compare a request with the stored resource: the changed paths with their values before and after, without secrets."""

import json
from collections.abc import Iterator
from typing import Any, cast

from ..api.client import ApiClient
from ..contract.errors import ApiError
from ..contract.operation import Operation
from ..replies.masking import masked
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
    found = list(_between(_with_nulls(body, op.body()), stood, [], op.replaces))
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


def _between(new: object, old: object, path: list[str], replaces: tuple[str, ...]) -> Iterator[Change]:
    if (inside := _parts(new, old, path, replaces)) is not None:
        for key, value, stood in inside:
            yield from _between(value, stood, [*path, key], replaces)
    elif not holds(old, new):
        before, after = _windows(_text(path, old), _text(path, new))
        yield Change(path=".".join(path), before=None if old is None else before, after=after)


def _parts(
    new: object, old: object, path: list[str], replaces: tuple[str, ...]
) -> list[tuple[str, object, object]] | None:
    """Key, new and old value of each part: fields of objects, and items of lists of equal length. None: no parts."""
    if isinstance(new, dict) and new:
        given = cast(Json, new)
        there = cast(Json, old) if isinstance(old, dict) else {}
        at = ".".join(path)
        whole = any(f"{at}.".startswith(f"{each}.") for each in replaces)
        gone = [key for key, value in there.items() if key not in given and value not in ("", [], {})] if whole else []
        return [(key, given.get(key), there.get(key)) for key in (*given, *gone)]
    if isinstance(new, list) and isinstance(old, list):
        items, stood = cast(list[object], new), cast(list[object], old)
        if len(items) == len(stood):
            return [(str(at), item, stood[at]) for at, item in enumerate(items)]
    return None


def _text(path: list[str], value: object) -> str:
    if value is None:
        return CLEARED
    if value == "":
        return EMPTY
    shown = masked(path, value)
    return visible(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, default=str))


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
