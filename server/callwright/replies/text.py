"""Text for people and models: bounded, and without characters that a person cannot see."""

import json
import re
from typing import Any, cast

LIMIT = 20_000
"""Maximum characters of one result; hosts cut longer ones silently."""

# Tag characters, direction marks, variation selectors, blank letters, zero-width spaces and control characters carry
# text that a person cannot see. Zero-width joiners and the selectors of emoji stay, because several scripts need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


_ESCAPED = re.compile(r"\\[ubf]")
"""How JSON writes control characters, which the pattern above would not find in it."""


def visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # most texts, and ten times faster to tell than with the pattern
        return text
    return _INVISIBLE.sub("", text)


def short(text: str, limit: int = 80) -> str:
    """One line, bounded, for names and quotations inside a sentence."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def cleaned(value: Any) -> Any:
    """A JSON value without invisible characters in its strings and keys."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [cleaned(item) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        return {visible(key): cleaned(item) for key, item in cast(dict[str, Any], value).items()}
    return value


_TIGHTER = ((4_000, 100), (1_000, 50), (400, 20), (160, 10), (80, 5), (80, 2), (40, 1), (40, 0), (20, 0), (10, 0))
"""Limits (longest text, most texts of a list), tried in turn until a result fits."""
_ID_LENGTH = 128


def fitted(facts: dict[str, Any]) -> dict[str, Any] | None:
    """`facts` without invisible characters, cut until the JSON fits into LIMIT; None if it still does not fit.

    Texts and lists of texts are cut. Ids, cursors and the rows of a page never are, because a client could not ask for
    the missing ones.
    """
    written = _json(facts)
    # One look at the JSON spares most results the walk through all of their values.
    if _INVISIBLE.search(written) or _ESCAPED.search(written):
        facts = cleaned(facts)
        written = _json(facts)
    if len(written) <= LIMIT:
        return facts
    for longest, most in _TIGHTER:
        cut = {key: _cut(key, value, longest, most) for key, value in facts.items()}
        if len(_json(cut)) <= LIMIT:
            return cut
    return None


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _cut(key: str, value: Any, longest: int, most: int) -> Any:
    if isinstance(value, str):
        whole = key.endswith("cursor") or (key.rsplit("_", maxsplit=1)[-1] == "id" and len(value) <= _ID_LENGTH)
        return value if whole or len(value) <= longest else f"{value[: longest - 1]}…"
    if isinstance(value, list):
        items = cast(list[Any], value)
        texts = all(isinstance(item, str) for item in items)
        cut = [_cut(key, item, longest, most) for item in (items[:most] if texts else items)]
        return [*cut, f"… {len(items) - most} more"] if texts and len(items) > most else cut
    if isinstance(value, dict):
        return {k: _cut(k, v, longest, most) for k, v in cast(dict[str, Any], value).items()}
    return value
