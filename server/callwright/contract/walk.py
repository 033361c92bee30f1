"""Every place of a document, with the type that the contract gives it. A path is a tuple, never a text to parse again.

Keys are chosen by whoever wrote the document: a key may hold dots, look like an index or repeat another field's name.
So a path keeps its keys apart, and `spelt` escapes them only to show them.
"""

import json
import re
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .common import Confidential, Known, OneOf, Unknown

T = TypeVar("T")
Path = tuple[str | int, ...]
"""Keys of objects as texts, indices of lists as numbers."""

ABSENT = object()
"""In place of a value: nothing stands there."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Node(NamedTuple):
    """One place of a document. `declared` and `core` are None where the contract does not know the place."""

    path: Path
    fields: tuple[str | None, ...]
    """The path with None for indices, and for keys of maps, which name no field."""
    value: object
    declared: Any
    """Annotation with its marks."""
    core: Any
    """The annotation without marks and null; of a tagged union, the arm that the value names."""


def spelt(path: Path) -> str:
    """A path as a person reads it: `tools.0.url`, and `nodes["a.b"]` for a key that is no plain name."""
    text = ""
    for key in path:
        plain = isinstance(key, int) or _PLAIN_KEY.fullmatch(key)
        text += f".{key}" if plain else f"[{json.dumps(key, ensure_ascii=False)}]"
    return text.removeprefix(".")


def value_at(node: object, path: Path) -> object:
    """What stands at exactly this path; ABSENT if nothing does."""
    for key in path:
        if isinstance(node, dict) and isinstance(key, str):
            node = cast(dict[str, object], node).get(key, ABSENT)
        elif isinstance(node, list) and isinstance(key, int) and key < len(items := cast(list[object], node)):
            node = items[key]
        else:
            return ABSENT
    return node


def inside(node: object) -> list[tuple[str | int, object]]:
    """Keys and values of an object, or indices and items of a list; empty for anything else."""
    if isinstance(node, dict):
        return list(cast(dict[str | int, object], node).items())
    if isinstance(node, list):
        return list(enumerate(cast(list[object], node)))
    return []


def nodes(declared: Any, value: object, at: Path = (), fields: tuple[str | None, ...] = ()) -> Iterator[Node]:
    """Every place of `value`, which should be a `declared`; also below a place that the contract does not know."""
    core = core_of(declared)
    if isinstance(value, dict) and (union := mark_of(declared, OneOf)) is not None:
        core = dict(kinds_of(declared)).get(str(cast(dict[str, object], value).get(union.tag)))
    elif isinstance(value, dict):
        core = _object_arm(core)
    yield Node(at, fields, value, declared, core)
    for key, item in inside(cast(object, value)):
        chosen = isinstance(key, int) or get_origin(core) is dict
        yield from nodes(_child(core, key), item, (*at, key), (*fields, None if chosen else str(key)))


def _object_arm(core: Any) -> Any:
    """The one arm of an untagged union that an object can be read as, if there is only one; else the union itself."""
    if get_origin(core) not in (Union, UnionType):
        return core
    arms = [arm for arm in map(core_of, get_args(core)) if is_model(arm) or get_origin(arm) is dict]
    return arms[0] if len(arms) == 1 else core


def _child(core: Any, key: str | int) -> Any:
    """The annotation of what stands below `key`; None if the contract does not know it."""
    if is_model(core):
        return next((annotation_of(f) for name, f in core.model_fields.items() if (f.alias or name) == key), None)
    if get_origin(core) in (list, dict):
        return get_args(core)[-1]
    return None


def strangers(model: type[BaseModel], value: object) -> Iterator[tuple[Path, object, list[str]]]:
    """Fields that the contract does not know: path, value, and the known names beside it.

    They are no errors: a newer platform may know them. Whoever wrote one may also have mistyped it. What stands below
    such a field is not told again.
    """
    for path, _, found, _, core in nodes(model, value):
        if isinstance(found, dict) and is_model(core):
            known = [field.alias or name for name, field in core.model_fields.items()]
            for key, item in cast(dict[str, object], found).items():
                if key not in known:
                    yield (*path, key), item, known


def odd_values(model: type[BaseModel], value: object) -> Iterator[tuple[Path, object, tuple[str | int, ...]]]:
    """Values of open enumerations that the contract does not know, each with its path and the known ones.

    As with `strangers`, they are no errors.
    """
    for path, _, found, declared, _ in nodes(model, value):
        known = None if found is None or isinstance(found, dict | list) else mark_of(declared, Known)
        if known is not None and found not in known.values:
            yield path, found, known.values


def confidential(declared: Any) -> bool:
    """Whether a text of this type is a secret, or may be one."""
    if core_of(declared) is SecretStr or mark_of(declared, Confidential) is not None:
        return True
    core = core_of(declared)
    return get_origin(core) in (Union, UnionType) and any(confidential(arm) for arm in get_args(core))


def is_model(core: Any) -> bool:
    return isinstance(core, type) and issubclass(core, BaseModel)


def annotation_of(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def core_of(declared: Any) -> Any:
    """Without marks and null."""
    while True:
        if get_origin(declared) is Annotated:
            declared = get_args(declared)[0]
        elif get_origin(declared) in (Union, UnionType):
            arms = [arm for arm in get_args(declared) if arm is not NoneType]
            if len(arms) != 1:
                return Union[tuple(arms)]  # noqa: UP007  (made of a list)
            declared = arms[0]
        else:
            return declared


def marks_of(declared: Any) -> Sequence[Any]:
    """Everything that was said of a type, inner marks included."""
    if get_origin(declared) is Annotated:
        inner, *marks = get_args(declared)
        return [*marks, *marks_of(inner)]
    if get_origin(declared) in (Union, UnionType):
        arms = [arm for arm in get_args(declared) if arm is not NoneType]
        return marks_of(arms[0]) if len(arms) == 1 else []
    return []


def mark_of(declared: Any, kind: type[T]) -> T | None:
    return next((mark for mark in marks_of(declared) if isinstance(mark, kind)), None)


def kinds_of(declared: Any) -> Iterator[tuple[str, Any]]:
    """The named arms of a union."""
    if (union := mark_of(declared, OneOf)) is None:
        return
    for arm in get_args(core_of(declared)):
        tag = core_of(arm.model_fields[union.tag].annotation) if arm is not Unknown and is_model(arm) else None
        if get_origin(tag) is Literal:  # another arm takes what these do not name
            yield from ((str(name), arm) for name in get_args(tag))
