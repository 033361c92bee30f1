"""The contract against the platform's published facts: every operation, both directions, field by field.

Our side is read from the models' own fields, so that a changed model is a changed law. Rules besides equality:

* An enumeration may be open (`Known`) where the facts close it; its values must be the same.
* Where the facts publish `X-Input` and `X-Output`, we have one model. It is compared with both; what only one of them
  has is an allowance below, named after the class that declares it.
* The last arm of our unions, `Unknown`, has no counterpart: it takes what newer platforms send.
* A `Blob` is a binary text in a multipart body, and an answer without a JSON schema.

`python -m tests.laws.differences` prints the deliberate differences, each with its reason.
"""

from collections.abc import Iterator
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from callwright.contract import all_operations
from callwright.contract.common import Empty, Known, Unknown, Wire, null_is_refused
from callwright.contract.operation import Blob, Operation
from tests.contract.facts import SCHEMAS, Schema, fact, resolve, success

OPERATIONS = [op for op in all_operations() if op.measured]
SCALARS = {str: "string", SecretStr: "string", int: "integer", float: "number", bool: "boolean", Blob: "string"}

LATER = "newer clients do not read the answer without it"
SOUND = "answers have it; newer platforms take it in requests too, so one model serves both"
OURS = "ours: rehearsals are kept as conversations and listed when asked for"
WORKFLOW = "published for test runs only; current clients send and read it here"
UPLOAD = "the published body leaves out the file that it is about; clients send it under this name"
ALLOWED = {
    "McpServerConfig.request_headers{}: arm variable_name is not theirs": "an update sets it, so it is answered with it",
    "AgentSummary.voice_id: string, not theirs": LATER,
    "AgentSummary.updated_at_unix_secs: integer, not theirs": LATER,
    "AgentSummary.archived: boolean, not theirs": LATER,
    "ListAgents.archived: boolean or null, not theirs": "newer clients and platforms leave archived agents out with it",
    "SecretUse.mcp_servers: array, not theirs": "ours: whoever deletes a secret must know these users too",
    "BatchCall.total_calls_finished: integer, not theirs": LATER,
    "BatchCall.retry_count: integer, not theirs": LATER,
    "BatchCall.telephony_call_config: TelephonyCallConfig, not theirs": LATER,
    "BatchCall.branch_id: string or null, not theirs": LATER,
    "BatchCall.branch_name: string or null, not theirs": LATER,
    "BatchCall.environment: string or null, not theirs": LATER,
    "BatchCall.timezone: string or null, not theirs": LATER,
    "BatchCall.target_concurrency_limit: integer or null, not theirs": LATER,
    "BatchCall.whatsapp_params: object or null, not theirs": LATER,
    "Conversation.has_auxiliary_audio: boolean, not theirs": LATER,
    "ConversationMetadata.cost_fiat: number or null, not theirs": LATER,
    "FileDocument.filename: string, not theirs": LATER,
    "HiddenAgent.id: string, not theirs": LATER,
    "InvocationSummary.cancelled_count: integer, not theirs": LATER,
    "LlmPrice.price_per_message: number, not theirs": LATER,
    "SessionToken.conversation_id: string, not theirs": LATER,
    "StoredToolPage.has_more: boolean, not theirs": LATER,
    "StoredToolPage.next_cursor: string or null, not theirs": LATER,
    "Workflow.prevent_subagent_loops: boolean, not theirs": LATER,
    "Tool.tool_call_sound: string or null, not theirs": SOUND,
    "Tool.tool_call_sound_behavior: string, not theirs": SOUND,
    "OuterTool.execution_mode: string, not theirs": SOUND,
    "PlatformSettings.safety: Safety, not theirs": "read-only; ignored in requests, so that what was read can be sent back",
    "Conversation.simulated: boolean, not theirs": OURS,
    "ConversationSummary.simulated: boolean, not theirs": OURS,
    "ListConversations.include_simulated: boolean, not theirs": OURS,
    "CreateAgent.workflow: Workflow or null, not theirs": WORKFLOW,
    "UpdateAgent.workflow: Workflow or null, not theirs": WORKFLOW,
    "UploadAvatar.avatar_file: string, not theirs": UPLOAD,
    "CreateFileDocument.file: string, not theirs": UPLOAD,
    "CreatePhoneNumber.provider: required": "it tells the two kinds of import apart, which one operation serves",
    "GetDocumentContent: answers a Blob": "the platform answers the text as text/html",
    "StreamSimulation: answers a Stream": "the platform answers piece by piece; published as one object without fields",
}
UNTYPED = {"Agent.workflow": "AgentWorkflowRequestModel"}
"""Published without a type, typed by us: compared with this schema instead."""

TAGS = ("type", "provider", "system_tool_type", "result_type", "trigger_type", "source")

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
    if not rest:
        return schema | ({"enum": [schema["const"]]} if "const" in schema else {}), False
    values = [settle_fact(arm)[0].get("enum") for arm in rest]
    if all(values):  # enumerations side by side are one
        return {"type": "string", "enum": [value for some in values for value in some or ()]}, len(rest) < len(arms)
    return {"oneOf": rest}, len(rest) < len(arms)


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
        if theirs.get("type") != "object" or ("additionalProperties" in theirs and "properties" not in theirs):
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
        values_of = theirs.get("additionalProperties", {})
        yield from differences(args[1], (), {} if values_of is True else values_of, f"{at}{{}}", seen)
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
        return {list: "array", dict: "object"}.get(get_origin(model), SCALARS.get(model, str(model)))
    for name, field in model.model_fields.items():
        kind, marks, _ = settle(field.annotation, tuple(field.metadata))
        known = [mark.values for mark in marks if isinstance(mark, Known)]
        if name in TAGS and (get_origin(kind) is Literal or known):
            return "|".join(map(str, known[0] if known else get_args(kind)))
    fields = model.model_fields
    return ",".join(sorted([name for name, field in fields.items() if field.is_required()] or fields))


def their_key(arm: Schema) -> str:
    arm = resolve(arm)
    for name, schema in arm.get("properties", {}).items():
        if name in TAGS and (values := settle_fact(schema)[0].get("enum")):
            return "|".join(values)
    return ",".join(sorted(arm.get("required") or arm["properties"])) if "properties" in arm else arm["type"]


def fields_differ(model: type[BaseModel], theirs: Schema, seen: Pairs) -> Iterator[str]:
    model.model_rebuild()  # resolves names of models that stand further down
    name = model.__name__
    mine = {field.alias or attribute: field for attribute, field in model.model_fields.items()}
    facts = cast(dict[str, Schema], theirs.get("properties", {}))
    yield from (f"{name}.{field}: missing" for field in facts.keys() - mine.keys())
    for field in mine.keys() - facts.keys():
        yield f"{declarer(model, field)}.{field}: {described(mine[field])}, not theirs"
    for field in mine.keys() & facts.keys():
        if mine[field].is_required() != (field in theirs.get("required", [])):
            yield f"{name}.{field}: required"
        at = f"{name}.{field}"
        yield from differences(mine[field].annotation, tuple(mine[field].metadata), facts[field], at, seen)


def described(field: FieldInfo) -> str:
    """The type of a field that has no counterpart, so that a change of it is seen, too."""
    kind, _, null = settle(field.annotation, tuple(field.metadata))
    return f"{kind.__name__ if is_model(kind) else our_key(kind)}{' or null' if null else ''}"


def declarer(model: type[BaseModel], field: str) -> str:
    """The class that says this field; its name without parameters, where it is generic."""
    found = [cls for cls in model.__mro__ if field in get_annotations(cls)]
    return found[-1].__name__.split("[")[0] if found else model.__name__


def body_of(op: type[Operation[Any]]) -> Schema:
    """The published body; where it is a union, all fields of its arms, and what each of them requires."""
    content = fact(op).get("requestBody", {}).get("content", {})
    media_type = "multipart/form-data" if op.multipart() else "application/json"
    body = settle_fact(content[media_type]["schema"])[0] if content else {}
    arms = [settle_fact(arm)[0] for arm in cast(list[Schema], body.get("oneOf", [body]))]
    properties: dict[str, Schema] = {}
    for arm in arms:
        for name, schema in cast(dict[str, Schema], arm.get("properties", {})).items():
            known = properties.get(name)
            tag = known is not None and "enum" in known
            properties[name] = {**known, "enum": known["enum"] + schema["enum"]} if known and tag else schema
    required = set[str].intersection(*(set(arm.get("required", [])) for arm in arms))
    return {"properties": properties, "required": sorted(required)}


def compare(op: type[Operation[Any]], seen: Pairs | None = None) -> Iterator[str]:
    seen = set() if seen is None else seen
    params = {p["name"]: p for p in fact(op)["parameters"] if p["in"] != "header"}
    body = body_of(op)
    theirs = {
        "properties": {name: p["schema"] for name, p in params.items()} | body["properties"],
        "required": [name for name, p in params.items() if p["required"]] + body["required"],
    }
    yield from fields_differ(op, theirs, seen)
    places = dict.fromkeys(body["properties"], "body") | {name: p["in"] for name, p in params.items()}
    for name, place in places.items():
        ours = "body" if op.places().get(name) == "file" else op.places().get(name, place)
        if ours != place:
            yield f"{op.__name__}.{name}: travels in {ours}, not in {place}"
    yield from answers_differ(op, seen)


def answers_differ(op: type[Operation[Any]], seen: Pairs) -> Iterator[str]:
    status, schema = success(op)
    if op.streams():
        yield f"{op.__name__}: answers a Stream"
    elif (op.answer() is Blob) != (schema is None):
        yield f"{op.__name__}: answers {'a Blob' if op.answer() is Blob else op.answer()}"
    elif (op.answer() is None) != (status == 204):
        yield f"{op.__name__}: answers {op.answer()} with {status}"
    elif schema is not None and status != 204:
        yield from differences(op.answer(), (), schema, f"{op.__name__}>", seen)


def all_differences(seen: Pairs | None = None) -> set[str]:
    """Every difference of every operation; `seen` collects which model was compared with what."""
    seen = set() if seen is None else seen
    return {difference for op in OPERATIONS for difference in compare(op, seen)}


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


def table() -> str:
    """The deliberate differences by their reasons, for people."""
    lines = [f"{len(ALLOWED)} deliberate differences in {len(OPERATIONS)} operations"]
    for reason in dict.fromkeys(ALLOWED.values()):
        lines += ["", reason, *(f"    {name}" for name, why in sorted(ALLOWED.items()) if why == reason)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())  # noqa: T201
