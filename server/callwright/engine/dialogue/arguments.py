"""The arguments that a model wrote for a tool: parsed, checked against the tool's schema, converted to its types."""

from collections.abc import Sequence
from typing import Any, cast

from ...contract.merge import JsonView
from .coercion import coerce
from .record import json_object
from .tools import LITERALS, Tool, kind_of

_MOST_PROBLEMS = 10


def read_arguments(text: str, tool: Tool) -> dict[str, Any]:
    """Arguments unknown to the tool are dropped at every level; null counts as absent.

    System tools and MCP servers check their own arguments: for those only the required ones are checked here. Raises
    ValueError that lists every problem, worded for the model.
    """
    given = json_object(text)
    if given is None:
        raise ValueError("The arguments are not a JSON object.")
    if tool.type in ("system", "mcp"):
        if missing := [name for name in tool.required if name not in given]:
            raise ValueError(f"Missing arguments: {', '.join(missing)}.")
        return given
    problems: list[str] = []
    found = _object(given, tool.properties, tool.required, "", problems)
    if problems:
        raise ValueError(" ".join(problems[:_MOST_PROBLEMS]))
    return found


def literal(value: object, schema: JsonView) -> Any:
    """A plain value converted to the type of its schema; a string is kept unchanged. Raises ValueError."""
    if isinstance(value, str) and (schema.get("type") or "string") == "string":
        coerce(value, {"enum": schema.get("enum")})
        return value
    return coerce(value, schema)


def _object(
    given: JsonView, properties: JsonView, required: Sequence[str], at: str, problems: list[str]
) -> dict[str, Any]:
    if missing := [at + name for name in required if given.get(name) is None]:
        problems.append(f"Missing arguments: {', '.join(missing)}.")
    return {
        name: _value(given[name], schema, at + name, problems)
        for name, schema in properties.items()
        if given.get(name) is not None
    }


def _value(value: object, schema: JsonView, at: str, problems: list[str]) -> Any:
    kind = kind_of(schema)
    if kind in LITERALS:
        try:
            return literal(value, schema)
        except ValueError as wrong:
            problems.append(f"{at}: {wrong}")
    elif kind == "object":
        if isinstance(value, dict):
            inner = cast(dict[str, Any], value)
            return _object(inner, schema.get("properties") or {}, schema.get("required") or (), f"{at}.", problems)
        problems.append(f"{at}: {value!r:.80} is not an object.")
    elif kind == "array":
        if isinstance(value, list):
            items: JsonView = schema.get("items") or {}
            return [_value(one, items, f"{at}[{n}]", problems) for n, one in enumerate(cast(list[object], value))]
        problems.append(f"{at}: {value!r:.80} is not a list.")
    else:
        return value  # a type from a newer contract
    return None
