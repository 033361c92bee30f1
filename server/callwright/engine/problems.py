"""Validation errors in the platform's 422 shape: where, what, which kind; never the value."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..contract.errors import InvalidRequest, Problem
from ..contract.operation import Operation

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], document: dict[str, Any]) -> M:
    """`document` as the body of a request; raises InvalidRequest with every problem."""
    return refusing(lambda: model.model_validate(document), {})


def refusing(read: Callable[[], M], places: dict[str, Any]) -> M:
    """Run `read`, and turn its ValidationError into an InvalidRequest. `places`: field to path, query or body."""
    try:
        return read()
    except ValidationError as exc:
        found = exc.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidRequest([_problem(error["loc"], error["msg"], error["type"], places) for error in found]) from None


def parsed(
    op: type[Operation[Any]], path: dict[str, Any], query: dict[str, Any], body: dict[str, Any]
) -> Operation[Any]:
    return refusing(lambda: op.parse(path, query, body), dict(op.places()))


def _problem(loc: tuple[int | str, ...], msg: str, kind: str, places: dict[str, Any]) -> Problem:
    place = places.get(str(loc[0]), "body") if loc else "body"
    return Problem(loc=["body" if place == "file" else place, *loc], msg=msg, type=kind)
