"""Any part of a large document of the contract in words: its fields, their types, what is allowed, what they mean.

Read from the models themselves, so that it cannot say anything else than what is checked. Only what fields mean is read
from a file, because a text below a field is in the source alone.
"""

import inspect
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from .common import Known, Limits, OneOf
from .walk import annotation_of, core_of, is_model, kinds_of, mark_of

T = TypeVar("T")
Meanings = dict[str, dict[str, str]]
"""What fields mean, in words: by module and name of the model, and in it by field."""

_WORDS: dict[object, str] = {
    str: "text", int: "integer", float: "number", bool: "true or false", object: "anything", Any: "anything",
    SecretStr: "secret text", NoneType: "null",
}  # fmt: skip


@dataclass(frozen=True)
class Described:
    """One field, or one way through a list, map or union."""

    name: str
    type: str
    allowed: tuple[str, ...] = ()
    """Known values; others are refused where `closed`."""
    closed: bool = False
    range: str = ""
    required: bool = False
    meaning: str = ""
    parts: tuple[str, ...] = ()
    """Names of what is inside, to ask for next."""


@dataclass(frozen=True)
class Part:
    path: str
    type: str
    meaning: str
    fields: tuple[Described, ...]


class NoSuchPart(LookupError):
    """`at` has no part of this name; `known` are those that it has."""

    def __init__(self, at: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{at or 'the document'} has no part {name!r}; it has: {', '.join(known) or 'none'}")
        self.at, self.name, self.known = at, name, tuple(known)


def describe(model: type[BaseModel], path: str = "") -> Part:
    """The part at a dotted path. A list item or a map's value is `*` (or any key); a kind of a union is its tag."""
    node: Any = model
    walked: list[str] = []
    for name in filter(None, path.split(".")):
        node = step(node, name, ".".join(walked))
        walked.append(name)
    return Part(path, _type(node), _meaning(node), tuple(_inside(node)))


def step(node: Any, name: str, at: str = "") -> Any:
    """The annotation behind one name. Raises NoSuchPart."""
    core = core_of(node)
    if is_model(core):
        if name in core.model_fields:
            return annotation_of(core.model_fields[name])
        raise NoSuchPart(at, name, list(core.model_fields))
    if get_origin(core) in (list, dict):
        inner = get_args(core)[-1]
        # `tools.webhook` for `tools.*.webhook`: an item of a union is mostly meant by its kind.
        kinds = dict(kinds_of(inner))
        return kinds.get(name, inner)
    kinds = dict(kinds_of(node))
    if name in kinds:
        return kinds[name]
    raise NoSuchPart(at, name, list(kinds))


def _type(node: Any) -> str:
    core = core_of(node)
    if core in _WORDS:
        return _WORDS[core]
    if get_origin(core) is Literal:
        return "text"
    if get_origin(core) is list:
        return f"list of {_type(get_args(core)[0])}"
    if get_origin(core) is dict:
        return f"map of {_type(get_args(core)[1])}"
    if (union := mark_of(node, OneOf)) is not None:
        return f"object, by {union.tag}: {', '.join(dict(kinds_of(node)))}"
    if get_origin(core) in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(arm) for arm in get_args(core)))
    return "object"


def _inside(node: Any) -> Iterator[Described]:
    core = core_of(node)
    if is_model(core):
        meanings = _meanings(core)
        for name, field in core.model_fields.items():
            annotation = annotation_of(field)
            yield _described(name, annotation, required=field.is_required(), meaning=meanings.get(name, ""))
    elif get_origin(core) in (list, dict):
        yield _described("*", get_args(core)[-1])
    else:
        for tag, arm in kinds_of(node):
            yield _described(tag, arm)


def _described(name: str, node: Any, *, required: bool = False, meaning: str = "") -> Described:
    known, limits, core = mark_of(node, Known), mark_of(node, Limits), core_of(node)
    closed = get_origin(core) is Literal
    allowed = get_args(core) if closed else known.values if known else ()
    span = ""
    if limits:
        span = f"{limits.ge:g} or more" if limits.le is None else f"{limits.ge:g} to {limits.le:g}"
    inner = get_args(core)[-1] if get_origin(core) in (list, dict) else node
    return Described(
        name=name,
        type=_type(node),
        allowed=tuple(map(str, allowed)),
        closed=closed,
        range=span,
        required=required,
        meaning=meaning or _meaning(inner),
        parts=tuple(part_names(inner)),
    )


def part_names(node: Any) -> list[str]:
    core = core_of(node)
    if is_model(core):
        return list(core.model_fields)
    return [tag for tag, _ in kinds_of(node)]


def _meaning(node: Any) -> str:
    core = core_of(node)
    if is_model(core):
        return inspect.getdoc(core) or ""
    return ""


@cache
def meanings_of_fields() -> Meanings:
    """Those in the packaged meanings.json, which `scripts/snap` writes. They are read once and shared."""
    return json.loads(files("callwright.contract").joinpath("meanings.json").read_bytes())


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The meaning of each field that has one, also of those that the model inherits."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        found |= meanings_of_fields().get(f"{base.__module__}.{base.__qualname__}", {})
    return found
