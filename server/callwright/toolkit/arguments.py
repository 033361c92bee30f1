"""Arguments of a tool: the published schema, the strict model that checks them, and the texts of their errors."""

import difflib
import json
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from ..contract.errors import (
    DOUBT,
    LONGEST_MESSAGE,
    TELL_WHAT_TO_DO,
    ApiError,
    InvalidRequest,
    Problem,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from ..replies.parts import PARTS, Paths
from ..replies.text import short, visible

_REMEDY: tuple[tuple[type[ApiError], str], ...] = (
    (Unauthorized, " Check ELEVENLABS_API_KEY, then restart the server."),
    (RateLimited, " Wait, then call again."),
    (Unavailable, " Nothing was changed: call again in a moment."),
)

_LISTS = {
    "agent": "list_agents shows them.",
    "auth connection": "list_auth_connections shows them.",
    "batch": "list_batch_calls shows them.",
    "conversation": "list_conversations shows them.",
    "document": "list_documents shows them.",
    "MCP server": "list_mcp_servers shows them.",
    "phone number": "list_phone_numbers shows them.",
    "pronunciation dictionary": "list_pronunciation_dictionaries shows them.",
    "secret": "list_secrets shows them.",
    "test": "list_agent_tests shows them.",
    "test invocation": "list_test_invocations shows an agent's.",
    "tool": "list_tools shows them.",
}
"""Remedy by the resource of an error about an id that nothing has. A hosted platform does not tell the resource, and
what it says is shown as it is.
"""

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
        if error.code in TELL_WHAT_TO_DO:
            remedy = " Nothing was changed."
        if began and isinstance(error, Unavailable):
            remedy = "" if error.in_doubt else f" {DOUBT}"
        return f"{visible(_said(error))}{remedy}"
    problems = error.errors(include_input=False, include_url=False)
    return " ".join(_problem(p["type"], p["loc"], p["msg"], known or {}) for p in problems[:5])


def _said(error: ApiError) -> str:
    if isinstance(error, InvalidRequest):
        return "; ".join(map(_refused, error.problems))[:LONGEST_MESSAGE]
    if error.listing and (listed := _LISTS.get(error.listing.resource)):
        return f"{error.message} {listed}"
    return str(error)


def _refused(problem: Problem) -> str:
    """A problem at its place, without the part of the request that holds the field: to a model it is irrelevant."""
    place = problem["loc"]
    if len(place) > 1 and place[0] in ("body", "query", "path"):
        place = place[1:]
    said, listed = f"{'.'.join(map(str, place))}: {problem['msg']}", _LISTS.get(problem.get("resource", ""))
    return f"{said} {listed}" if listed else said


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
    said = "input should be an object" if kind in ("dict_type", "model_type") else msg.removesuffix(".")
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
