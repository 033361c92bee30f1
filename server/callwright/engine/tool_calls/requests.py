"""Builds the request of a webhook tool from the model's arguments, constants and dynamic variables.

Every value stays within its position: one path segment, one query parameter, one header line, one property of the body.
Where the request goes is approved with the tool: a variable in the host has the value that the tool itself sets for
it, and takes another from a caller, an agent or the answer of a tool only where a person approved that origin. This
module sends nothing and knows no secrets.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode

from ...contract.merge import JsonView
from ...contract.paths import at
from ...net.headers import line, settable
from ...secrecy import is_secret_header
from ..dialogue.arguments import literal
from ..dialogue.destinations import PLACE, Hosts, beginning, hosts_of
from ..dialogue.tools import LITERALS, kind_of
from ..dialogue.variables import MissingVariables, Variables, substitute, written

MASKED = "***"

_ABSENT = object()


@dataclass(frozen=True)
class Prepared:
    """A request that is ready to be sent. `details` is its description in the transcript."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    secret_headers: Mapping[str, str]
    """Header name to the id of the secret in it."""
    auth_connection_id: str | None
    """The auth connection whose header is sent in addition; it overrides a header that the tool sets."""
    body: str | None
    details: JsonView


def build(config: JsonView, arguments: JsonView, variables: Variables) -> Prepared:
    """Build the request of `config`, a webhook tool; `variables` override the tool's own placeholders.

    Raises ValueError, worded for the model, for a variable without a value, a value of the wrong type, and a value that
    would change another part of the request.
    """
    api: JsonView = config["api_schema"]
    own: JsonView = at(config, "dynamic_variables", "dynamic_variable_placeholders") or {}
    source = _Source(arguments, {name: value for name, value in {**own, **variables}.items() if value is not None})
    try:
        path = _plain(api.get("path_params_schema") or {}, source)
        query = _plain(at(api, "query_params_schema", "properties") or {}, source)
        body = _body(api.get("request_body_schema"), source)
        url = _address(api["url"], path, source.variables, hosts_of(config, variables))
        headers, secrets = _headers(api.get("request_headers") or {}, source.variables)
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
        "".join([body or "", *(value for _, value in headers)]).encode()
    except UnicodeEncodeError:
        raise ValueError("A value holds half a character. Nothing was sent.") from None
    except MissingVariables as missing:
        names = ", ".join(missing.names)
        raise ValueError(f"The tool needs dynamic variables that have no value: {names}. Nothing was sent.") from None
    if body is not None and not any(name.lower() == "content-type" for name in (*dict(headers), *secrets)):
        headers.append(("Content-Type", "application/json"))
    shown = {name: MASKED if is_secret_header(name) else value for name, value in headers}
    method = str(api.get("method") or "GET")
    details = {
        "type": "webhook",
        "method": method,
        "url": url,
        "headers": shown | dict.fromkeys(secrets, MASKED),
        "path_params": path,
        "query_params": query,
        "body": body,
    }
    login: str | None = at(api, "auth_connection", "auth_connection_id")
    return Prepared(method, url, headers, secrets, login, body, details)


@dataclass(frozen=True)
class _Source:
    """The sources of values."""

    arguments: JsonView
    variables: Variables

    def plain(self, name: str, schema: JsonView, given: object) -> Any:
        """A plain value from the source that its schema names. Raises MissingVariables, ValueError."""
        constant = schema.get("constant_value")
        if variable := schema.get("dynamic_variable") or (schema.get("is_system_provided") and f"system__{name}"):
            value = self._variable(variable)
        elif constant not in (None, ""):
            value = substitute(constant, self.variables) if isinstance(constant, str) else constant
        elif given is None:
            return _ABSENT
        else:
            value = given
        try:
            return literal(value, schema)
        except ValueError as wrong:
            raise ValueError(f"{name}: {wrong} Nothing was sent.") from None

    def _variable(self, name: str) -> object:
        if name not in self.variables:
            raise MissingVariables([name])
        return self.variables[name]


def _plain(properties: Mapping[str, JsonView], source: _Source) -> dict[str, str]:
    found = {name: source.plain(name, schema, source.arguments.get(name)) for name, schema in properties.items()}
    return {name: written(value) for name, value in found.items() if value is not _ABSENT}


def _body(schema: JsonView | None, source: _Source) -> str | None:
    if schema is None:
        return None
    filled = _filled("body", {"type": "object", **schema}, source.arguments, source)
    return json.dumps({} if filled is _ABSENT else filled, ensure_ascii=False, allow_nan=False)


def _filled(name: str, schema: JsonView, given: object, source: _Source) -> Any:
    kind = kind_of(schema)
    if kind in LITERALS:
        return source.plain(name, schema, given)
    if kind == "object":
        inner: JsonView = cast(JsonView, given) if isinstance(given, Mapping) else dict[str, Any]()
        properties: Mapping[str, JsonView] = schema.get("properties") or {}
        made = {key: _filled(key, child, inner.get(key), source) for key, child in properties.items()}
        kept = {key: value for key, value in made.items() if value is not _ABSENT}
        return kept if kept or given is not None else _ABSENT
    if kind == "array" and isinstance(given, list):
        items: JsonView = schema.get("items") or {}
        made = [_filled(name, items, one, source) for one in cast(list[object], given)]
        return [value for value in made if value is not _ABSENT]
    return _ABSENT if given is None else given


def _address(template: str, path: Mapping[str, str], variables: Variables, hosts: Hosts) -> str:
    """The URL without the schema's query. A variable may hold the host, or the beginning of the URL."""
    whole, _, query = template.partition("#")[0].partition("?")
    base, rest = beginning(whole, hosts)
    segments = [_segment(segment, path, variables) for segment in rest.split("/")] if rest else []
    address = base + "/".join(segments)
    return f"{address}?{_filled_in(query, path, variables)}" if query else address


def _segment(template: str, path: Mapping[str, str], variables: Variables) -> str:
    """One path segment, escaped: no value can add a separator, move up the path or remove the segment."""
    filled = _filled_in(template, path, variables)
    if filled != template and unquote(filled) in ("", ".", ".."):
        places = ", ".join(place[0] for place in PLACE.finditer(template))
        raise ValueError(f"The value of {places} is empty or only dots; it would change where the request goes.")
    return filled


def _filled_in(template: str, path: Mapping[str, str], variables: Variables) -> str:
    return PLACE.sub(lambda place: quote(_value(place, path, variables), safe=""), template)


def _value(place: re.Match[str], path: Mapping[str, str], variables: Variables) -> str:
    """Raises MissingVariables; ValueError for a placeholder without a path parameter."""
    if name := place["variable"]:
        if name not in variables:
            raise MissingVariables([name])
        return written(variables[name])
    if place["name"] not in path:
        raise ValueError(f"Nothing fills {place[0]} in the URL of the tool.")
    return path[place["name"]]


def _headers(given: Mapping[str, str | JsonView], variables: Variables) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Headers with known values, and headers that carry a secret."""
    headers: list[tuple[str, str]] = []
    secrets: dict[str, str] = {}
    for name, value in given.items():
        if not settable(name):
            raise ValueError(f"The tool sets the header {name!r:.80}, which cannot be set.")
        if isinstance(value, str):
            headers.append((name, line(name, substitute(value, variables))))
        elif "secret_id" in value:
            secrets[name] = value["secret_id"]
        else:
            headers.append((name, line(name, substitute(f"{{{{{value['variable_name']}}}}}", variables))))
    return headers, secrets
