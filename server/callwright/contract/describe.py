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
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .common import Known, Limits, OneOf, Unknown

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
    core = _core(node)
    if isinstance(core, type) and issubclass(core, BaseModel):
        if name in core.model_fields:
            return _annotation(core.model_fields[name])
        raise NoSuchPart(at, name, list(core.model_fields))
    if get_origin(core) in (list, dict):
        inner = get_args(core)[-1]
        # `tools.webhook` for `tools.*.webhook`: an item of a union is mostly meant by its kind.
        kinds = dict(_kinds(inner))
        return kinds.get(name, inner)
    kinds = dict(_kinds(node))
    if name in kinds:
        return kinds[name]
    raise NoSuchPart(at, name, list(kinds))


def _annotation(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _core(node: Any) -> Any:
    """Without marks and null."""
    while True:
        if get_origin(node) is Annotated:
            node = get_args(node)[0]
        elif get_origin(node) in (Union, UnionType):
            arms = [arm for arm in get_args(node) if arm is not NoneType]
            if len(arms) != 1:
                return Union[tuple(arms)]  # noqa: UP007  (made of a list)
            node = arms[0]
        else:
            return node


def _marks(node: Any) -> list[Any]:
    """Everything that was said of a type, inner marks included."""
    if get_origin(node) is Annotated:
        inner, *marks = get_args(node)
        return [*marks, *_marks(inner)]
    if get_origin(node) in (Union, UnionType):
        arms = [arm for arm in get_args(node) if arm is not NoneType]
        return _marks(arms[0]) if len(arms) == 1 else []
    return []


def _mark(node: Any, kind: type[T]) -> T | None:
    return next((mark for mark in _marks(node) if isinstance(mark, kind)), None)


def _kinds(node: Any) -> Iterator[tuple[str, Any]]:
    """The named arms of a union."""
    if (union := _mark(node, OneOf)) is None:
        return
    for arm in get_args(_core(node)):
        if arm is not Unknown and isinstance(arm, type) and issubclass(arm, BaseModel):
            for tag in get_args(arm.model_fields[union.tag].annotation):
                yield str(tag), arm


def _type(node: Any) -> str:
    core = _core(node)
    if core in _WORDS:
        return _WORDS[core]
    if get_origin(core) is Literal:
        return "text"
    if get_origin(core) is list:
        return f"list of {_type(get_args(core)[0])}"
    if get_origin(core) is dict:
        return f"map of {_type(get_args(core)[1])}"
    if (union := _mark(node, OneOf)) is not None:
        return f"object, by {union.tag}: {', '.join(dict(_kinds(node)))}"
    if get_origin(core) in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type(arm) for arm in get_args(core)))
    return "object"


def _inside(node: Any) -> Iterator[Described]:
    core = _core(node)
    if isinstance(core, type) and issubclass(core, BaseModel):
        meanings = _meanings(core)
        for name, field in core.model_fields.items():
            annotation = _annotation(field)
            yield _described(name, annotation, required=field.is_required(), meaning=meanings.get(name, ""))
    elif get_origin(core) in (list, dict):
        yield _described("*", get_args(core)[-1])
    else:
        for tag, arm in _kinds(node):
            yield _described(tag, arm)


def _described(name: str, node: Any, *, required: bool = False, meaning: str = "") -> Described:
    known, limits, core = _mark(node, Known), _mark(node, Limits), _core(node)
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


def strangers(node: Any, value: object) -> Iterator[tuple[str, list[str]]]:
    """Names in a document that the contract does not know, each with its path and the known names beside it.

    They are no errors: a newer platform may know them. Whoever wrote one may also have mistyped it.
    """
    for at, _, core, found in _places(node, value):
        if isinstance(found, dict) and isinstance(core, type) and issubclass(core, BaseModel):
            known = [field.alias or name for name, field in core.model_fields.items()]
            yield from (
                (f"{at}.{key}".lstrip("."), known) for key in cast(dict[str, object], found) if key not in known
            )


def odd_values(node: Any, value: object) -> Iterator[tuple[str, object, tuple[str | int, ...]]]:
    """Values of open enumerations that the contract does not know, each with its path and the known ones.

    As with `strangers`, they are no errors.
    """
    for at, said, _, found in _places(node, value):
        known = None if found is None or isinstance(found, dict | list) else _mark(said, Known)
        if known is not None and found not in known.values:
            yield at.lstrip("."), found, known.values


def _places(node: Any, value: object, at: str = "") -> Iterator[tuple[str, Any, Any, object]]:
    """Every known place of a document: path, annotation, type (of a union: the arm that is meant), value."""
    core = _core(node)
    if isinstance(value, dict) and (union := _mark(node, OneOf)) is not None:
        core = dict(_kinds(node)).get(str(cast(dict[str, object], value).get(union.tag)))
    yield at, node, core, value
    if isinstance(value, list) and get_origin(core) is list:
        for index, item in enumerate(cast(list[object], value)):
            yield from _places(get_args(core)[0], item, f"{at}.{index}")
    elif isinstance(value, dict):
        document = cast(dict[str, object], value)
        if get_origin(core) is dict:
            for key, item in document.items():
                yield from _places(get_args(core)[1], item, f"{at}.{key}")
        elif isinstance(core, type) and issubclass(core, BaseModel):
            fields = {field.alias or name: field for name, field in core.model_fields.items()}
            for key in filter(fields.__contains__, document):
                yield from _places(_annotation(fields[key]), document[key], f"{at}.{key}")


def part_names(node: Any) -> list[str]:
    core = _core(node)
    if isinstance(core, type) and issubclass(core, BaseModel):
        return list(core.model_fields)
    return [tag for tag, _ in _kinds(node)]


def _meaning(node: Any) -> str:
    core = _core(node)
    if isinstance(core, type) and issubclass(core, BaseModel):
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
