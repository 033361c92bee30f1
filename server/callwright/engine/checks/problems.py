"""Validation errors in the platform's 422 shape: location, message and type, never the value."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from ...contract.errors import InvalidRequest, Problem
from ...contract.operation import Operation

M = TypeVar("M", bound=BaseModel)

_ODD = re.compile(rb"\\u0000|\d[eE]\+?\d{3}")
"""Possibly a NUL, which PostgreSQL does not store, or a number beyond a float's range, which JSON cannot express."""


def validated(model: type[M], document: dict[str, Any]) -> M:
    """`document` validated as the body of a request. Raises InvalidRequest with every problem."""
    return refusing(lambda: model.model_validate(document), {})


def refusing(read: Callable[[], M], places: dict[str, Any]) -> M:
    """Run `read`, and turn its ValidationError into an InvalidRequest. `places`: path, query or body by field."""
    try:
        return read()
    except ValidationError as exc:
        found = exc.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidRequest([_problem(error["loc"], error["msg"], error["type"], places) for error in found]) from None


def parsed(
    op: type[Operation[Any]], path: dict[str, Any], query: dict[str, Any], body: dict[str, Any]
) -> Operation[Any]:
    return refusing(lambda: op.parse(path, query, body), dict(op.places()))


def may_be_unstorable(raw: bytes) -> bool:
    """Whether a JSON text may hold values that `refuse_unstorable` refuses. The check is quick on megabytes of text."""
    return _ODD.search(raw) is not None


def refuse_unstorable(node: Any, at: list[str | int]) -> None:
    """Raises InvalidRequest for a value that a database or JSON cannot express, with its location."""
    if isinstance(node, str) and "\0" in node:
        raise InvalidRequest([{"loc": at, "msg": "A text has no NUL characters", "type": "string_nul"}])
    if isinstance(node, float) and not math.isfinite(node):
        raise InvalidRequest([{"loc": at, "msg": "The number is too large", "type": "finite_number"}])
    if isinstance(node, dict):
        for key, value in cast(dict[str, Any], node).items():
            refuse_unstorable(key, at)
            refuse_unstorable(value, [*at, key])
    elif isinstance(node, list):
        for index, item in enumerate(cast(list[Any], node)):
            refuse_unstorable(item, [*at, index])


def _problem(loc: tuple[int | str, ...], msg: str, kind: str, places: dict[str, Any]) -> Problem:
    place = places.get(str(loc[0]), "body") if loc else "body"
    return Problem(loc=["body" if place == "file" else place, *loc], msg=msg, type=kind)
