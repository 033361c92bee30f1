"""Build the platform's document of a stored tool from everyday arguments and a plain JSON schema."""

import re
from copy import deepcopy
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.merge import Json, merged
from .documents import put

_PLAIN = ("string", "integer", "number", "boolean")
_KINDS = (*_PLAIN, "object", "array")
_SOURCES = ("dynamic_variable", "constant_value", "is_system_provided")
_SCHEMAS = ("path_params_schema", "query_params_schema", "request_body_schema")
_IN_PATH = re.compile(r"(?<!{){([^{}]+)}(?!})")
_FLAT = {
    "name": ("name",),
    "description": ("description",),
    "kind": ("type",),
    "url": ("api_schema", "url"),
    "method": ("api_schema", "method"),
    "headers": ("api_schema", "request_headers"),
}


def written(stored: Json, config: Json | None, parameters: Json | None, **flat: Any) -> tuple[Json, list[str]]:
    """The whole tool: `stored` with `config` merged in, then the flat arguments; and notes on ignored keywords.

    Raises ToolError if a field is set twice, or the parameters cannot be expressed.
    """
    given = deepcopy(config or {})  # an approved call runs again with the original arguments
    for argument, path in _FLAT.items():
        put(given, path, flat.get(argument), argument)
    tool = merged(_without_nulls(stored), given, whole=("request_headers",))
    if "type" not in tool and "api_schema" in tool:
        tool["type"] = "webhook"
    if "type" not in tool:
        raise ToolError("kind is required: webhook (with url), client or system.")
    if parameters is None:
        return tool, []
    notes: list[str] = []
    schema = _object(parameters, "parameters", notes)
    if tool["type"] == "client":
        return _with_parameters(tool, schema, config, "parameters"), notes
    if tool["type"] != "webhook":
        raise ToolError("parameters are for webhook and client tools; a system tool has its own, in config.params.")
    return _with_parameters(tool, _request(tool, schema), config, "api_schema"), notes


def _without_nulls(node: Any) -> Any:
    """A document without nulls: a tool is replaced whole, so nulls are needless, and look like guarded resets."""
    if isinstance(node, dict):
        return {key: _without_nulls(value) for key, value in cast(Json, node).items() if value is not None}
    return [_without_nulls(item) for item in cast(list[Any], node)] if isinstance(node, list) else node


def _with_parameters(tool: Json, found: Json, config: Json | None, at: str) -> Json:
    """`tool` with its parameters replaced by the converted ones."""
    said: Json = (config or {}).get(at) or {}
    if at == "parameters":
        if said:
            raise ToolError("parameters is also set in config.parameters: say it once.")
        return tool | {at: found}
    if twice := [name for name in _SCHEMAS if name in said]:
        raise ToolError(f"parameters is also set in config.{at}.{twice[0]}: say it once.")
    api: Json = tool.get(at) or {}
    return tool | {at: {name: value for name, value in api.items() if name not in _SCHEMAS} | found}


def _request(tool: Json, schema: Json) -> Json:
    """Assign the parameters to URL, body and query: names in the URL go there, others to the body if there is one."""
    api: Json = tool.get("api_schema") or {}
    properties: Json = schema["properties"]
    required: list[str] = schema.get("required", [])
    in_path = [name for name in _IN_PATH.findall(str(api.get("url", ""))) if name in properties]
    rest = {name: value for name, value in properties.items() if name not in in_path}
    needed = [name for name in required if name in rest]
    has_body = str(api.get("method", "GET")).upper() in ("POST", "PUT", "PATCH")
    for name, value in properties.items():
        if value["type"] not in _PLAIN and not (has_body and name in rest):
            raise ToolError(
                f"parameters.properties.{name}: an address holds only plain values; use method POST for the others."
            )
    found: Json = {"path_params_schema": {name: properties[name] for name in in_path}} if in_path else {}
    if rest:
        others: Json = {"properties": rest} | ({"required": needed} if needed else {})
        found |= {"request_body_schema": {"type": "object", **others}} if has_body else {"query_params_schema": others}
    return found


def _object(schema: Json, at: str, notes: list[str]) -> Json:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or schema.get("type", "object") != "object":
        raise ToolError(f"{at} must be an object's JSON schema: {{type: object, properties: {{…}}, required: […]}}.")
    known = ("type", "properties", "required", "description")
    _note(schema, known, at, notes)
    inside = cast(Json, properties).items()
    found: Json = {
        "type": "object",
        "properties": {name: _property(value, f"{at}.properties.{name}", notes) for name, value in inside},
    }
    return found | {key: schema[key] for key in ("required", "description") if schema.get(key)}


def _property(schema: Any, at: str, notes: list[str]) -> Json:
    given = cast(Json, schema) if isinstance(schema, dict) else {}
    kind = given.get("type")
    if kind not in _KINDS:
        raise ToolError(f"{at}.type must be one of {', '.join(_KINDS)}.")
    if kind == "object":
        return _object(given if "properties" in given else given | {"properties": {}}, at, notes)
    if kind == "array":
        _note(given, ("type", "items", "description"), at, notes)
        items = {"items": _property(given.get("items"), f"{at}.items", notes)}
        return {"type": kind} | items | {k: given[k] for k in ("description",) if given.get(k)}
    _note(given, ("type", "description", "enum", "const", *_SOURCES), at, notes)
    found = {key: given[key] for key in ("type", "description", "enum", *_SOURCES) if given.get(key) is not None}
    if "const" in given:
        found["constant_value"] = given["const"]
        found.pop("description", None)  # no model fills in a constant, so its description has no reader
    return found


def _note(schema: Json, known: tuple[str, ...], at: str, notes: list[str]) -> None:
    notes += [
        f"{at}.{key} is not kept: the platform's schemas have no such word." for key in schema if key not in known
    ]
