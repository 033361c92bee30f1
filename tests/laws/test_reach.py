"""Every field of every request is within the reach of some tool: found out by calling the tools and looking."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from callwright.contract import all_operations
from callwright.contract.common import Unknown
from callwright.contract.operation import Operation
from callwright.surface import TOOLSETS
from callwright.tools import WITHOUT_TOOL
from tests.samples import SAMPLES
from tests.samples.probing import PROBE

Json = dict[str, Any]
Sent = dict[type[Operation[Any]], list[Json]]

SPECS = {name: spec for module in TOOLSETS for name, spec in import_module(module).TOOLS.specs.items()}
OPERATIONS = {op.__name__: op for op in all_operations() if f"{op.method} {op.path}" not in WITHOUT_TOOL}

CALLS = [(row.tool, arguments) for row in SAMPLES for arguments in row.calls]
"""Calls of tools that between them set every declared field of every request."""
WHOLE_CONFIG = {row.tool: (row.op.__name__, row.whole_config) for row in SAMPLES if row.whole_config is not None}
"""Tools whose `config` takes each field of the request by its own name, and no other: asked with one at a time."""
ANSWERS = {row.op.__name__: row.read_as for row in SAMPLES if row.read_as is not None}
"""What the platform answers to reads on which a call depends. A number's provider stands in the id that is asked for."""
UNREACHED = {(row.op.__name__, field): why for row in SAMPLES for field, why in row.unreached.items()}
"""Fields that no tool sets, and why."""


class Enough(Exception):
    """The request that was looked for has been made."""


class Platform:
    """In place of the way to the platform: keeps what is asked, and answers a few reads."""

    def __init__(self, name: str, sent: Sent) -> None:
        self.platform, self._sent = name, sent

    async def send(self, op: Operation[Any], *, deadline: float | None = None) -> Any:
        self._keep(op)
        if (answer := ANSWERS.get(type(op).__name__)) is None:
            raise Enough
        if number := getattr(op, "phone_number_id", None):
            answer = {**answer, "provider": number.removeprefix("phnum_")}
        return op.decode(json.dumps(answer).encode())

    async def stream(self, op: Operation[Any], *, deadline: float | None = None) -> AsyncGenerator[Any]:
        self._keep(op)
        raise Enough
        yield

    def secret(self, given: Any, variable: str | None, field: str) -> Any:
        return given or SecretStr("entered")

    def _keep(self, op: Operation[Any]) -> None:
        self._sent.setdefault(type(op), []).append(op.query() | (op.body() or {}) | op.files())


@pytest.fixture
async def sent(tmp_path: Path) -> Sent:
    """Every request that the calls of the table make."""
    (tmp_path / "a.txt").write_text("text")
    context = SimpleNamespace(
        request_context=SimpleNamespace(request=None, lifespan_context=SimpleNamespace(file_roots=[tmp_path]))
    )
    found: Sent = {}
    for tool, arguments in CALLS:
        for platform in ("hosted", "embedded"):
            spec = SPECS[tool]
            given: Json = {name: tmp_path / value if name == "path" else value for name, value in arguments.items()}
            injected = {"ctx": context} if "ctx" in spec.fn.__annotations__ else {}
            with suppress(Enough):
                await spec.fn(Platform(platform, found), **given, **injected)
    return found


@pytest.mark.anyio
async def test_every_declared_field_can_be_set_by_a_tool_or_says_why_not(sent: Sent) -> None:
    missing = {
        (name, field)
        for name, op in OPERATIONS.items()
        if name not in {operation for operation, _ in WHOLE_CONFIG.values()}
        for field in unset_fields(op, sent.get(op, []))
    }
    assert sorted(missing) == sorted(UNREACHED)
    assert all(UNREACHED.values())


@pytest.mark.anyio
@pytest.mark.parametrize("tool", WHOLE_CONFIG)
async def test_a_config_takes_every_field_of_its_request(tool: str) -> None:
    name, arguments = WHOLE_CONFIG[tool]
    op = OPERATIONS[name]
    for field, place in op.places().items():
        if place != "path" and field not in arguments:
            given: Any = "production" if place == "query" else None
            found: Sent = {}
            with suppress(Enough):
                await SPECS[tool].fn(Platform("hosted", found), **arguments, config={field: given})
            assert found[op][0].get(field, "absent") == given


def unset_fields(op: type[Operation[Any]], requests: list[Json]) -> Iterator[str]:
    """Paths of declared fields that none of these requests sets."""
    names = {field.alias or name: field for name, field in op.model_fields.items()}
    for name, place in op.places().items():
        if place != "path":
            yield from _unset(_annotation(names[name]), [r[name] for r in requests if name in r], name)


def _unset(node: Any, values: list[Any], at: str) -> Iterator[str]:
    objects = [cast(Json, value) for value in values if isinstance(value, dict)]
    if any(PROBE.items() <= each.items() for each in objects):
        return
    core = _bare(node)
    if not values:
        yield at
    elif get_origin(core) is list:
        yield from _unset(get_args(core)[0], [item for value in values for item in value], f"{at}.*")
    elif get_origin(core) is dict:
        yield from _unset(get_args(core)[1], [item for each in objects for item in each.values()], f"{at}.*")
    elif get_origin(core) in (Union, UnionType):
        arms = [arm for arm in get_args(core) if arm not in (NoneType, Unknown)]
        for arm in arms:
            fits = [value for value in values if isinstance(value, dict) is _is_model(arm) and _tagged(arm, value)]
            yield from _unset(arm, fits, f"{at}<{getattr(_bare(arm), '__name__', arm)}>") if _is_model(arm) else ()
    elif _is_model(core):
        for name, field in cast(type[BaseModel], core).model_fields.items():
            wire = field.alias or name
            yield from _unset(_annotation(field), [each[wire] for each in objects if wire in each], f"{at}.{wire}")


def _bare(node: Any) -> Any:
    while get_origin(node) is Annotated or (get_origin(node) in (Union, UnionType) and len(_arms(node)) == 1):
        node = get_args(node)[0] if get_origin(node) is Annotated else _arms(node)[0]
    return node


def _arms(node: Any) -> list[Any]:
    return [arm for arm in get_args(node) if arm is not NoneType]


def _is_model(node: Any) -> bool:
    core = _bare(node)
    return isinstance(core, type) and issubclass(core, BaseModel)


def _tagged(arm: Any, value: Any) -> bool:
    """Whether an object's tags are those of this arm of a union."""
    fields = cast(type[BaseModel], _bare(arm)).model_fields if _is_model(arm) else {}
    tags = {name: get_args(f.annotation) for name, f in fields.items() if get_origin(f.annotation) is Literal}
    return all(value.get(name) in allowed for name, allowed in tags.items())


def _annotation(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
