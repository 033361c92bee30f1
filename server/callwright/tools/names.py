"""Names inside a document that a tool was given: mistyped ones are refused, new ones are passed on and named."""

import difflib
from collections.abc import Iterator
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.describe import strangers
from ..contract.operation import Operation

_CLOSE = 0.8
"""`sped` is meant to be `speed`; `max_silence` need not be `max_tokens`."""


def names_in(arguments: dict[str, Any]) -> frozenset[str]:
    """The keys inside the values of arguments; what a tool reads elsewhere and sends on is not among them."""
    return frozenset(name for value in arguments.values() for name in _keys(value))


def _keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in cast(dict[str, object], node).items():
            yield key
            yield from _keys(value)
    elif isinstance(node, list):
        for item in cast(list[object], node):
            yield from _keys(item)


def unknown_names(op: Operation[Any], given: frozenset[str]) -> list[str]:
    """Paths of `op` whose names are among `given` and not in the contract: a newer platform may know them.

    Raises ToolError where one is close to a known name that the same object does not have.
    """
    if not given:
        return []
    unknown: list[str] = []
    mistyped: list[str] = []
    for path, known in strangers(type(op), op.body() or {}):
        name = path.rpartition(".")[2]
        if name not in given:
            continue
        near = difflib.get_close_matches(name, known, 1, _CLOSE)
        if near:
            mistyped.append(f"Unknown name {path!r}; did you mean {near[0]!r}?")
        else:
            unknown.append(path)
    if mistyped:
        raise ToolError(" ".join([*mistyped[:5], "Nothing was sent. describe_config tells the names."]))
    return unknown
