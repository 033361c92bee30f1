"""What clients of the SDK check of each answer, they check here as well, but at a lower price.

A client asks for the list of tools at its first call, compiles the output schema of the tool, checks that it is a
schema, and then validates the answer with it. Each test has a client of its own, and the schemas are the same for all
of them: `surface.json`, of which `tests/laws/test_surface.py` shows that servers publish it. So one process compiles
each of them once, and no client asks for the list only for this.
"""

import json
from functools import cache
from typing import Any, cast

import jsonschema
import jsonschema_rs
from mcp.client.session import ClientSession
from mcp.types import SERVER_INFO_META_KEY, CallToolResult
from referencing import Registry

from callwright.surface import built

SERVER = "callwright"


def check_each_schema_once() -> None:
    """Replace `Draft202012Validator.check_schema` by one that remembers. What it refuses is refused every time."""
    validator = cast(Any, jsonschema.Draft202012Validator)
    check = validator.check_schema
    quickly = jsonschema_rs.Draft202012Validator(validator.META_SCHEMA)

    @cache
    def passes(schema: str) -> None:
        # The two engines agree on everything but the dialect of regular expressions.
        if '"pattern' in schema or not quickly.is_valid(json.loads(schema)):
            check(json.loads(schema))

    def once(schema: Any, **more: Any) -> None:
        if more:
            check(schema, **more)
        else:
            passes(json.dumps(schema))

    validator.check_schema = once


def compile_each_schema_once() -> None:
    """Give sessions with our server the compiled output schema of each tool that they call."""
    session = cast(Any, ClientSession)
    validate = session.validate_tool_result

    async def validated(self: Any, name: str, result: CallToolResult) -> None:
        if name not in self._tool_output_schemas and name in _published() and _told_by(self, result) == SERVER:
            self._tool_output_schemas[name] = _published()[name]
            if _published()[name] is not None:
                self._tool_output_validators.setdefault(name, _compiled(name))
        await validate(self, name, result)

    session.validate_tool_result = validated


def _told_by(session: Any, result: CallToolResult) -> str | None:
    """The name of the server: it is in each result, and in older revisions in the answer that begins a session."""
    if session.server_info:
        return session.server_info.name
    return (result.meta or {}).get(SERVER_INFO_META_KEY, {}).get("name")


@cache
def _published() -> dict[str, Any]:
    return {entry["tool"]["name"]: entry["tool"].get("outputSchema") for entry in built()}


@cache
def _compiled(name: str) -> Any:
    """As a session compiles it."""
    schema = _published()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=Registry())
