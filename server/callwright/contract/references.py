"""References between resources: which other resources a configuration document names, and where."""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast


class Reference(NamedTuple):
    """A reference in a configuration: the kind and id of its target, and its place."""

    kind: str
    """`document`, `secret`, `tool`, `agent`, `test`, `mcp_server`, `auth_connection`
    or `pronunciation_dictionary`."""
    id: str
    at: tuple[str | int, ...]


_LISTS = {"tool_ids": "tool", "additional_tool_ids": "tool", "mcp_server_ids": "mcp_server"}
_FIELDS = {
    "secret_id": "secret",
    "agent_id": "agent",
    "tool_id": "tool",
    "auth_connection_id": "auth_connection",
    "pronunciation_dictionary_id": "pronunciation_dictionary",
}
_NAMED_BY_PEOPLE = {("dynamic_variable_placeholders",), ("request_headers",)}
"""Maps whose keys are names chosen by users: a variable may be called `agent_id` without being a reference."""


def references_in(node: object, at: tuple[str | int, ...] = ()) -> Iterator[Reference]:
    """All references in a configuration document, at any depth."""
    if isinstance(node, list):
        key = str(at[-1]) if at else ""
        for place, item in enumerate(cast(list[object], node)):
            here = (*at, place)
            if key in _LISTS and isinstance(item, str):
                yield Reference(_LISTS[key], item, here)
            elif key in ("knowledge_base", "additional_knowledge_base") and isinstance(item, dict):
                yield Reference("document", str(cast(dict[str, Any], item).get("id")), here)
            elif key == "attached_tests" and isinstance(item, dict):
                yield Reference("test", str(cast(dict[str, Any], item).get("test_id")), here)
            yield from references_in(cast(object, item), here)
    elif isinstance(node, dict):
        for name, value in cast(dict[str, Any], node).items():
            if name in _FIELDS and isinstance(value, str) and at[-1:] not in _NAMED_BY_PEOPLE:
                yield Reference(_FIELDS[name], value, (*at, name))
            yield from references_in(value, (*at, name))
