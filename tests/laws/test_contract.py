"""The contract against the platform's published facts: every operation, both directions, field by field.

Our side is read from the models' own fields, so that a changed model is a changed law. Three rules besides equality:

* An enumeration may be open (`Known`) where the facts close it; its values must be the same.
* Where the facts publish `X-Input` and `X-Output`, we have one model. It is compared with both; what only one of them
  has is an allowance below.
* The last arm of our unions, `Unknown`, has no counterpart: it takes what newer platforms send.
"""

import random
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, cast, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from callwright.contract import all_operations
from callwright.contract.common import Empty, Known, Unknown, Wire, null_is_refused
from callwright.contract.operation import Blob, Operation
from tests.contract.facts import OPENAPI, SCHEMAS, Schema, fact, resolve, success

OPERATIONS = [op for op in all_operations() if op.measured]
SCALARS = {str: "string", SecretStr: "string", int: "integer", float: "number", bool: "boolean"}

LATER = "newer clients do not read the answer without it"
SOUND = "answers have it; newer platforms take it in requests too, so one model serves both"
OURS = "ours: rehearsals are kept as conversations and listed when asked for"
WORKFLOW = "published for test runs only; current clients send and read it here"
ALLOWED = {
    "AgentSummary.voice_id: not theirs": LATER,
    "AgentSummary.updated_at_unix_secs: not theirs": LATER,
    "AgentSummary.archived: not theirs": LATER,
    "Conversation.has_auxiliary_audio: not theirs": LATER,
    "ConversationMetadata.cost_fiat: not theirs": LATER,
    "FileDocument.filename: not theirs": LATER,
    "HiddenAgent.id: not theirs": LATER,
    "Workflow.prevent_subagent_loops: not theirs": LATER,
    "SystemTool.tool_call_sound: not theirs": SOUND,
    "SystemTool.tool_call_sound_behavior: not theirs": SOUND,
    "ClientTool.tool_call_sound: not theirs": SOUND,
    "ClientTool.tool_call_sound_behavior: not theirs": SOUND,
    "ClientTool.execution_mode: not theirs": SOUND,
    "WebhookTool.tool_call_sound: not theirs": SOUND,
    "WebhookTool.tool_call_sound_behavior: not theirs": SOUND,
    "WebhookTool.execution_mode: not theirs": SOUND,
    "PlatformSettings.safety: not theirs": "read-only; ignored in requests, so that what was read can be sent back",
    "Conversation.simulated: not theirs": OURS,
    "ConversationSummary.simulated: not theirs": OURS,
    "ListConversations.include_simulated: not theirs": OURS,
    "CreateAgent.workflow: not theirs": WORKFLOW,
    "UpdateAgent.workflow: not theirs": WORKFLOW,
    "CreatePhoneNumber.provider: required": "it tells the two kinds of import apart, which one operation serves",
    "GetDocumentContent: answers a Blob": "the platform answers the text as text/html",
}
UNTYPED = {"Agent.workflow": "AgentWorkflowRequestModel"}
"""Published without a type, typed by us: compared with this schema instead."""

TAGS = ("type", "provider", "system_tool_type", "result_type", "trigger_type")

Metadata = tuple[Any, ...]
Pairs = set[tuple[object, int]]


def is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def settle(kind: Any, marks: Metadata = ()) -> tuple[Any, Metadata, bool]:
    """A type of ours without its wrapping; and whether null is one of its values."""
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return settle(inner, (*more, *marks))
    if get_origin(kind) in (Union, UnionType):
        arms = [arm for arm in get_args(kind) if arm is not NoneType]
        null = len(arms) < len(get_args(kind)) and not any(null_is_refused(mark) for mark in marks)
        arms = [arm for arm in arms if arm is not Unknown]
        if len(arms) == 1:
            inner, found, deeper = settle(arms[0])
            return inner, (*found, *marks), null or deeper
        return tuple(arms), marks, null
    return kind, marks, False


def settle_fact(schema: Schema) -> tuple[Schema, bool]:
    """A published schema without references and null; and whether null was one of its values."""
    schema = resolve(schema)
    if isinstance(kinds := schema.get("type"), list):
        [kind] = [k for k in cast(list[str], kinds) if k != "null"]
        return {**schema, "type": kind}, True
    arms = cast(list[Schema], schema.get("oneOf") or schema.get("anyOf") or [])
    rest = [arm for arm in arms if arm.get("type") != "null"]
    if len(rest) == 1:
        inner, null = settle_fact(rest[0])
        return inner, null or len(rest) < len(arms)
    return ({"oneOf": rest} if rest else schema), len(rest) < len(arms)


def differences(ours: Any, marks: Metadata, theirs: Schema, at: str, seen: Pairs) -> Iterator[str]:
    ours, marks, our_null = settle(ours, marks)
    theirs, null = settle_fact(theirs)
    if not theirs:
        if at in UNTYPED:
            yield from differences(ours, marks, SCHEMAS[UNTYPED[at]], at, seen)
        elif ours not in (object, Empty):
            yield f"{at}: typed by us only"
        return
    if our_null != null:
        yield f"{at}: null allowed by {'us' if our_null else 'them'} only"
    if isinstance(ours, tuple) or "oneOf" in theirs:
        yield from arms_differ(ours, theirs, at, seen)
    elif is_model(ours):
        if theirs.get("type") != "object" or "additionalProperties" in theirs:
            yield f"{at}: an object by us only"
        elif (ours, id(theirs.get("properties"))) not in seen:
            seen.add((ours, id(theirs.get("properties"))))
            yield from fields_differ(ours, theirs, seen)
    else:
        yield from plain_differ(ours, marks, theirs, at, seen)


def plain_differ(ours: Any, marks: Metadata, theirs: Schema, at: str, seen: Pairs) -> Iterator[str]:
    """Lists, maps, enumerations and scalars."""
    origin, args = get_origin(ours), get_args(ours)
    open_values = next((list(mark.values) for mark in marks if isinstance(mark, Known)), None)
    values = list(args) if origin is Literal else open_values
    if values != theirs.get("enum"):
        yield f"{at}: enum {values} != {theirs.get('enum')}"
    if origin is list and theirs["type"] == "array":
        yield from differences(args[0], (), theirs["items"], f"{at}[]", seen)
    elif origin is dict and theirs["type"] == "object":
        yield from differences(args[1], (), theirs.get("additionalProperties", {}), f"{at}{{}}", seen)
    else:
        plain: Any = cast(Any, type(args[0])) if origin is Literal else ours
        kind = SCALARS.get(plain, str(plain))
        if kind != theirs.get("type"):
            yield f"{at}: {kind} != {theirs.get('type')}"


def arms_differ(ours: Any, theirs: Schema, at: str, seen: Pairs) -> Iterator[str]:
    """Arms are paired by what tells them apart: their type, their tag, or what they require."""
    arms: tuple[Any, ...] = cast(tuple[Any, ...], ours) if isinstance(ours, tuple) else (ours,)
    mine = {our_key(arm): arm for arm in arms}
    facts = {their_key(arm): arm for arm in theirs.get("oneOf", [theirs])}
    if len(mine) != len(arms):
        yield f"{at}: arms of ours that cannot be told apart"
    yield from (f"{at}: no arm {key}" for key in facts.keys() - mine.keys())
    yield from (f"{at}: arm {key} is not theirs" for key in mine.keys() - facts.keys())
    for key in mine.keys() & facts.keys():
        yield from differences(mine[key], (), facts[key], f"{at}<{key}>", seen)


def our_key(arm: Any) -> str:
    model, _, _ = settle(arm)
    if not is_model(model):
        return SCALARS.get(model, str(model))
    for name, field in model.model_fields.items():
        kind, marks, _ = settle(field.annotation, tuple(field.metadata))
        known = [mark.values for mark in marks if isinstance(mark, Known)]
        if name in TAGS and (get_origin(kind) is Literal or known):
            return "|".join(map(str, known[0] if known else get_args(kind)))
    return ",".join(sorted(name for name, field in model.model_fields.items() if field.is_required()))


def their_key(arm: Schema) -> str:
    arm = resolve(arm)
    for name, schema in arm.get("properties", {}).items():
        if name in TAGS and (values := settle_fact(schema)[0].get("enum")):
            return "|".join(values)
    return ",".join(sorted(arm.get("required", []))) if "properties" in arm else arm["type"]


def fields_differ(model: type[BaseModel], theirs: Schema, seen: Pairs) -> Iterator[str]:
    model.model_rebuild()  # resolves names of models that stand further down
    yield from named_differ(model.__name__, dict(model.model_fields), theirs, seen)


def named_differ(name: str, mine: dict[str, FieldInfo], theirs: Schema, seen: Pairs) -> Iterator[str]:
    facts = cast(dict[str, Schema], theirs.get("properties", {}))
    yield from (f"{name}.{field}: missing" for field in facts.keys() - mine.keys())
    yield from (f"{name}.{field}: not theirs" for field in mine.keys() - facts.keys())
    for field in mine.keys() & facts.keys():
        if mine[field].is_required() != (field in theirs.get("required", [])):
            yield f"{name}.{field}: required"
        at = f"{name}.{field}"
        yield from differences(mine[field].annotation, tuple(mine[field].metadata), facts[field], at, seen)


def body_of(op: type[Operation[Any]]) -> Schema:
    """The published body; where it is a union, all fields of its arms, and what each of them requires."""
    content = fact(op).get("requestBody", {}).get("content", {})
    body = settle_fact(content["application/json"]["schema"])[0] if content else {}
    arms = [settle_fact(arm)[0] for arm in cast(list[Schema], body.get("oneOf", [body]))]
    properties: dict[str, Schema] = {}
    for arm in arms:
        for name, schema in cast(dict[str, Schema], arm.get("properties", {})).items():
            known = properties.get(name)
            tag = known is not None and "enum" in known
            properties[name] = {**known, "enum": known["enum"] + schema["enum"]} if known and tag else schema
    required = set[str].intersection(*(set(arm.get("required", [])) for arm in arms))
    return {"properties": properties, "required": sorted(required)}


def compare(op: type[Operation[Any]]) -> Iterator[str]:
    params = {p["name"]: p for p in fact(op)["parameters"] if p["in"] != "header"}
    body = body_of(op)
    theirs = {
        "properties": {name: p["schema"] for name, p in params.items()} | body["properties"],
        "required": [name for name, p in params.items() if p["required"]] + body["required"],
    }
    yield from named_differ(op.__name__, dict(op.model_fields), theirs, set())
    places = dict.fromkeys(body["properties"], "body") | {name: p["in"] for name, p in params.items()}
    for name, place in places.items():
        if op.places().get(name, place) != place:
            yield f"{op.__name__}.{name}: travels in {op.places()[name]}, not in {place}"
    status, schema = success(op)
    if op.answer() is Blob:
        yield f"{op.__name__}: answers a Blob"
    elif (op.answer() is None) != (status == 204):
        yield f"{op.__name__}: answers {op.answer()} with {status}"
    elif status != 204:
        yield from differences(op.answer(), (), schema, f"{op.__name__}>", set())


def all_differences() -> set[str]:
    return {difference for op in OPERATIONS for difference in compare(op)}


def models() -> list[type[Wire]]:
    """Every model that an operation sends or answers."""
    found: dict[type[Wire], None] = {}

    def walk(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Wire) and kind not in found:
            found[kind] = None
            kind.model_rebuild()
            for field in kind.model_fields.values():
                walk(field.annotation)
        for arg in get_args(kind):
            walk(arg)

    for op in OPERATIONS:
        walk(op.answer())
        for field in op.model_fields.values():
            walk(field.annotation)
    return [model for model in found if model not in (Unknown, Empty)]


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.__name__)
def test_an_operation_is_the_platforms(op: type[Operation[Any]]) -> None:
    assert set(compare(op)) - ALLOWED.keys() == set()


def test_no_allowance_is_left_over_and_they_are_few() -> None:
    assert all_differences() == ALLOWED.keys()
    assert len(ALLOWED) <= 40


def test_the_law_sees_each_of_50_fields_that_is_deleted_or_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [(model, name) for model in models() for name in model.model_fields]
    chosen = random.Random(20261120).sample(every, 50)
    for turn, (model, name) in enumerate(chosen):
        with monkeypatch.context() as change:
            if turn % 2:
                change.delitem(model.__pydantic_fields__, name)
            else:
                change.setitem(model.__pydantic_fields__, name, FieldInfo.from_annotation(bytes))
            assert all_differences() != ALLOWED.keys(), f"{model.__name__}.{name}"
    assert all_differences() == ALLOWED.keys()


def test_the_law_sees_a_parameter_in_the_wrong_place() -> None:
    class Wrong(Operation[None], method="DELETE", path="/v1/convai/knowledge-base/{documentation_id}"):
        documentation_id: int | None = None

    assert set(compare(Wrong)) == {
        "Wrong.documentation_id: integer != string",
        "Wrong.documentation_id: null allowed by us only",
        "Wrong.documentation_id: required",
        "Wrong.force: missing",
        "Wrong: answers None with 200",
    }


def test_every_published_operation_on_secrets_and_phone_numbers_is_there() -> None:
    ours = {(op.method, op.path) for op in OPERATIONS}
    published = {(method.upper(), path) for path, methods in OPENAPI["paths"].items() for method in methods}
    whole = ("/v1/convai/secrets", "/v1/convai/phone-numbers")
    assert {(method, path) for method, path in published - ours if path.startswith(whole)} == set()
