"""Arguments of a tool: the published schema, the strict model that checks them, and the texts of their errors."""

import difflib
import json
import re
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from ..contract.errors import ApiError, RateLimited, Unauthorized, Unavailable
from ..replies.parts import PARTS, Paths
from ..replies.text import short, visible

_REMEDY: tuple[tuple[type[ApiError], str], ...] = (
    (Unauthorized, " Check ELEVENLABS_API_KEY, then restart the server."),
    (RateLimited, " Wait, then call again."),
    (Unavailable, " Nothing was changed: call again in a moment."),
)
_DOUBT = " Whether it was carried out is not known: look before you repeat it."


_ROUTE = re.compile(r"GET /v1/convai/([a-z/-]+) lists (them|an agent's)")
_LISTED_BY = {
    "agent-testing": "list_agent_tests",
    "agents": "list_agents",
    "batch-calling/workspace": "list_batch_calls",
    "conversations": "list_conversations",
    "knowledge-base": "list_documents",
    "mcp-servers": "list_mcp_servers",
    "phone-numbers": "list_phone_numbers",
    "secrets": "list_secrets",
    "test-invocations": "list_test_invocations",
    "tools": "list_tools",
}
"""Route in error texts of the embedded platform, which are written for REST clients -> tool for the model."""
_LISTS = {
    "agent": "list_agents",
    "document": "list_documents",
    "mcp_server": "list_mcp_servers",
    "phone number": "list_phone_numbers",
    "secret": "list_secrets",
    "test": "list_agent_tests",
    "tool": "list_tools",
}
_MISSING = re.compile(rf"There is no ({'|'.join(_LISTS)}) '[^']*'\.")
_PLACE = re.compile(r"(?:^|(?<=; ))(?:body|query|path)\.(?=\w)")
"""The part of a request that holds a field; irrelevant to a model, so it is left out of error texts."""


DRY_RUN = "dry_run"
_DryRun = Annotated[bool, Field(description="Plan only.")]


def sealed(model: type[BaseModel], *, plans: bool, parts: bool) -> type[BaseModel]:
    """A copy of the arguments model in which an unknown argument is an error.

    `plans`: add an argument for a dry run. `parts`: add an argument that selects parts of the whole answer.
    """
    added: dict[str, Any] = {DRY_RUN: (_DryRun, False)} if plans else {}
    added |= {PARTS: (Paths, None)} if parts else {}
    closed = {"extra": "forbid"}
    return create_model(model.__name__, __base__=model, __module__=model.__module__, __cls_kwargs__=closed, **added)


def decoded(arguments: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The arguments with JSON text parsed, because some models send objects and lists as text.

    Only arguments that take no string are parsed, and only valid JSON. The SDK's own parsing would also turn the text
    `null` of an optional string into an absent value.
    """
    return {name: _decoded(value, model.model_fields.get(name)) for name, value in arguments.items()}


def _decoded(value: Any, field: FieldInfo | None) -> Any:
    if not isinstance(value, str) or field is None:
        return value
    if not any(kind in (list, dict) for kind in _kinds(field.annotation)):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _kinds(annotation: Any) -> list[Any]:
    """`Annotated[list[str], ...] | None` -> list, NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for arm in get_args(annotation) for kind in _kinds(arm)]
    return [origin or annotation]


def spoken(error: ApiError | ValidationError, known: dict[str, FieldInfo] | None = None, *, began: bool = False) -> str:
    """The text of an error: what was wrong, what is allowed and what to do next, without the value itself.

    `known`: the tool's arguments, if the error is about them. `began`: a change was sent before the error.
    """
    if isinstance(error, ApiError):
        remedy = next((text for kind, text in _REMEDY if isinstance(error, kind)), "")
        if began and isinstance(error, Unavailable):
            remedy = "" if _DOUBT in str(error) else _DOUBT
        said = _PLACE.sub("", _ROUTE.sub(_list_tool, visible(str(error))))
        return f"{_MISSING.sub(_with_list_tool, said)}{remedy}"
    problems = error.errors(include_input=False, include_url=False)
    return " ".join(_problem(p["type"], p["loc"], p["msg"], known or {}) for p in problems[:5])


def _list_tool(route: re.Match[str]) -> str:
    return f"{_LISTED_BY.get(route[1], 'The list tool')} shows {route[2]}"


def _with_list_tool(missing: re.Match[str]) -> str:
    return f"{missing[0]} {_LISTS[missing[1]]} shows them."


def _problem(kind: str, loc: tuple[int | str, ...], msg: str, known: dict[str, FieldInfo]) -> str:
    name = short(".".join(map(str, loc)), 200)
    if kind == "extra_forbidden" and len(loc) == 1:
        near = difflib.get_close_matches(name, [*known], 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}."
        return f"Unknown argument {name!r}; {hint}"
    if kind == "missing":
        return f"{name} is required."
    if kind == "string_pattern_mismatch" and name in known and (wanted := _description(known[name])):
        wanted = wanted.removesuffix(".")
        return (
            f"{name} does not fit; wanted: {wanted[:1].lower() if wanted[1:2].islower() else wanted[:1]}{wanted[1:]}."
        )
    said = re.sub("a valid dictionary( or instance of \\w+)?", "an object", msg).removesuffix(".")
    return f"{name}: {said[:1].lower()}{said[1:]}."


def _description(field: FieldInfo) -> str | None:
    """The description of an argument; pydantic keeps that of an optional one on the type in the union with None."""
    arms = [field, *(mark for arm in get_args(field.annotation) for mark in get_args(arm))]
    return next((arm.description for arm in arms if isinstance(arm, FieldInfo) and arm.description), None)


_SHOWN = ("description", "type", "enum", "items")
"""The schema keywords that are published, in the order with the fewest tokens; a model pays for them in every turn. The
other keywords (patterns, lengths, ranges, defaults) were a third of the tokens. The strict model checks them: a
description names a range that matters, and an error names one that was violated.
"""


def published(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a model sees. An optional argument is absent, never null, because hosts refuse unions."""
    properties = cast(dict[str, dict[str, Any]], schema.get("properties", {}))
    shown: dict[str, Any] = {"type": "object", "properties": {n: _lean(_one_arm(p)) for n, p in properties.items()}}
    return shown | ({"required": schema["required"]} if schema.get("required") else {})


def takes_document(schema: dict[str, Any]) -> bool:
    """Whether an argument of a published schema is an object, or a list of them."""
    arguments = cast(dict[str, dict[str, Any]], schema["properties"]).values()
    return any("object" in (node.get("type"), node.get("items", {}).get("type")) for node in arguments)


def _one_arm(node: dict[str, Any]) -> dict[str, Any]:
    arms = [arm for arm in node.get("anyOf", []) if arm != {"type": "null"}]
    if len(arms) != 1:
        return node
    return {k: v for k, v in node.items() if k not in ("anyOf", "default")} | arms[0]


def _lean(node: dict[str, Any]) -> dict[str, Any]:
    kept = {k: node[k] for k in _SHOWN if k in node}
    return kept | ({"items": _lean(kept["items"])} if isinstance(kept.get("items"), dict) else {})


def untitled(node: Any) -> Any:
    """A schema without the generated titles, which repeat the names; for output schemas."""
    if isinstance(node, list):
        return [untitled(item) for item in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    items = cast(dict[str, Any], node).items()
    return {k: untitled(v) for k, v in items if not (k == "title" and isinstance(v, str))}
