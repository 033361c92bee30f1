"""Converts a collected value to the type in its schema, and refuses look-alikes."""

import math
import re
from collections.abc import Mapping
from typing import Any

from .variables import Value, written

_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_INTEGER = re.compile(r"[+-]?\d{1,18}")


def coerce(value: object, schema: Mapping[str, Any]) -> Value | None:
    """`schema` has `type` (string, boolean, integer, number) and optionally `enum`. null stays null.

    Digits may arrive as a string and vice versa; 3.5 is no integer, 1 is no boolean. Raises ValueError.
    """
    if value is None:
        return None
    kind = schema.get("type") or "string"
    found = _AS.get(kind, _string)(value)
    if found is None:
        raise ValueError(f"{value!r:.80} is not of type {kind}.")
    allowed = schema.get("enum")
    if allowed and written(found) not in allowed:
        raise ValueError(f"{value!r:.80} is none of the allowed values.")
    return found


def _string(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else None


def _number(value: object) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return found if math.isfinite(found) else None


_AS = {"string": _string, "boolean": _boolean, "integer": _integer, "number": _number}
