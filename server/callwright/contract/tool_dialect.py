"""One spelling for a tool: editors and guides write lists where the API has maps.

An editor writes `[{"id": "city", "type": "string", "required": true, "value_type": "llm_prompt", ...}]`, the API
`{"properties": {"city": {"type": "string", ...}}, "required": ["city"]}`. Works on plain JSON, before any model is
built. Nothing that was given is changed in place; what has another shape than expected is left to the models.
"""

import re
from typing import Any, cast

from ..secrecy import is_secret_header
from .agent.system_spelling import system_kind, system_tool
from .merge import Json

_SOURCES = {"llm_prompt": "description", "dynamic_variable": "dynamic_variable", "constant": "constant_value"}
"""Where a value comes from: the editor's word, and the field that says it."""
_LISTS = ("path_params_schema", "query_params_schema", "request_headers", "request_body_schema")
_PLACEHOLDER_HOST = re.compile(r"\byour-(?:sub)?domain\b", re.IGNORECASE)


def normalise_tool(tool: Any) -> tuple[Any, list[str]]:
    """The tool as the API spells it; and what was written differently or cannot work, in words for its author."""
    notes: list[str] = []
    if not isinstance(tool, dict):
        return tool, notes
    config = cast(Json, tool)
    if kind := system_kind(config):
        return system_tool(kind, config), notes
    if "id" in config:
        notes.append(f"id {config['id']} is not read; a new tool gets its own.")
        config = {k: v for k, v in config.items() if k != "id"}
    if isinstance(config.get("api_schema"), dict):
        config = config | {"api_schema": _request(cast(Json, config["api_schema"]), notes)}
    if "parameters" in config:
        config = config | {"parameters": _body(config["parameters"], "parameters", notes)}
    notes += [f"{place} is a placeholder and must be filled in." for place in placeholders(config)]
    return config, notes + _in_the_clear(_object(config.get("api_schema")))


def editors(tool: Any) -> bool:
    """Whether a tool is written as editors do."""
    found = _object(tool)
    schema = _object(found.get("api_schema"))
    body, parameters = _object(schema.get("request_body_schema")), _object(found.get("parameters"))
    places = [*(schema.get(name) for name in _LISTS), body.get("properties"), parameters.get("properties")]
    return any(isinstance(place, list) for place in places)


def placeholders(tool: Any) -> list[str]:
    """Where a tool still says `your-domain` or `YOUR SECRET`: pasted from a guide, and useless until filled in."""
    schema = _object(_object(tool).get("api_schema"))
    found = ["api_schema.url"] if _PLACEHOLDER_HOST.search(str(schema.get("url", ""))) else []
    for name, value in _object(schema.get("request_headers")).items():
        if str(_object(value).get("secret_id", "")).upper().startswith("YOUR"):
            found.append(f"api_schema.request_headers.{name}")
    return found


def _request(schema: Json, notes: list[str]) -> Json:
    changed: Json = {}
    if (path := _named(schema.get("path_params_schema"))) is not None:
        changed["path_params_schema"] = {name: _property(p, editor=True) for name, p in path}
        notes += [f"{name} stands in the path, so it is required." for name, p in path if p.get("required") is False]
    if (query := _named(schema.get("query_params_schema"))) is not None:
        changed["query_params_schema"] = _properties(query) if query else None
    headers = schema.get("request_headers")
    if isinstance(headers, list):
        changed["request_headers"] = _headers(cast(list[Any], headers))
    notes += [f"api_schema.{name} was a list; it became a map by name." for name in changed if schema[name]]
    if "request_body_schema" in schema:
        changed["request_body_schema"] = _body(schema["request_body_schema"], "api_schema.request_body_schema", notes)
    result = schema | changed
    notes += _unmatched(result)
    return result


def _unmatched(schema: Json) -> list[str]:
    in_url = set(re.findall(r"{([^{}]+)}", str(schema.get("url", ""))))
    described = set(_object(schema.get("path_params_schema")))
    notes = [
        f"{name} stands in the url, but path_params_schema does not say what it is." for name in in_url - described
    ]
    return sorted(notes + [f"{name} is in path_params_schema, but not in the url." for name in described - in_url])


def _in_the_clear(schema: Json) -> list[str]:
    """What others could read on the way, or in the tool."""
    notes = ["api_schema.url is not encrypted; use https."] if str(schema.get("url")).startswith("http://") else []
    for name, value in _object(schema.get("request_headers")).items():
        if is_secret_header(name) and isinstance(value, str) and "{{" not in value:
            notes.append(f"api_schema.request_headers.{name} holds its value in the clear; store it as a secret.")
    return notes


def _headers(headers: list[Any]) -> Any:
    """The editor's headers by name; the list as it was where one of them has no name."""
    found: Json = {}
    for header in headers:
        given = _object(header)
        if not isinstance(given.get("name"), str):
            return headers
        if "secret_id" in given:
            value: Any = {"secret_id": given["secret_id"]}
        elif "variable_name" in given:
            value = {"variable_name": given["variable_name"]}
        else:
            value = given.get("value")
        found[given["name"]] = value
    return found


def _body(schema: Any, at: str, notes: list[str]) -> Any:
    given = schema if not isinstance(schema, list) else {"type": "object", "properties": cast(list[Any], schema)}
    if not isinstance(given, dict):
        return cast(Any, schema)
    found = _property(cast(Json, given))
    if found != schema:
        notes.append(f"{at} was written in an editor's way; lists of properties became maps by name.")
    return found


def _property(given: Json, *, editor: bool = False) -> Json:
    """A property without what only an editor reads: its name, and whether it is required, stand in its parent."""
    inside = given.get("properties")
    editor = editor or isinstance(inside, list) or isinstance(given.get("required"), bool) or "value_type" in given
    found = _plain(given) if editor else dict(given)
    if (children := _named(inside)) is not None:
        found |= _properties(children)
    elif isinstance(inside, dict):
        inner = cast(Json, inside).items()
        found["properties"] = {name: _property(cast(Json, p)) if isinstance(p, dict) else p for name, p in inner}
    if isinstance(given.get("items"), dict):
        found["items"] = _property(cast(Json, given["items"]), editor=editor)
    return found


def _plain(given: Json) -> Json:
    """Without the editor's words, empty sources, and sources other than the chosen one."""
    chosen = _SOURCES.get(str(given.get("value_type")))
    dropped = {"id", "value_type", *(name for name in _SOURCES.values() if chosen and name != chosen)}
    dropped |= {name for name in ("dynamic_variable", "constant_value") if given.get(name) == ""}
    if isinstance(given.get("required"), bool):
        dropped.add("required")
    found = {k: v for k, v in given.items() if k not in dropped}
    if isinstance(found.get("description"), str):
        found["description"] = found["description"].strip()
    return found


def _named(properties: Any) -> list[tuple[str, Json]] | None:
    """An editor's list by name; None where it is none, or would lose one of two of the same name."""
    if not isinstance(properties, list):
        return None
    items = [_object(item) for item in cast(list[Any], properties)]
    names = [item.get("id") for item in items]
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        return None
    return [(item["id"], item) for item in items]


def _properties(named: list[tuple[str, Json]]) -> Json:
    required = [name for name, p in named if p.get("required") is True]
    found: Json = {"properties": {name: _property(p, editor=True) for name, p in named}}
    return found | ({"required": required} if required else {})


def _object(value: Any) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}
