"""Names inside a document that a tool was given: mistyped ones are refused, new ones are passed on and named."""

import difflib
from collections.abc import Iterator
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.describe import odd_values, strangers
from ..contract.operation import Operation
from .text import short

_SHOWN = 8
"""Known values that are named where none is close."""
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


def unknown_values(op: Operation[Any]) -> list[str]:
    """What `op` sets to a value that the contract does not name, in words: a newer platform, or an endpoint of the
    operator's own, may know it, so it is sent."""
    return [
        f"{path} is {short(str(value))!r}, which is no known value. {_meant(str(value), [str(each) for each in known])}"
        for path, value, known in odd_values(type(op), op.body() or {})
    ]


def _meant(value: str, known: list[str]) -> str:
    near = difflib.get_close_matches(value, known, 1, _CLOSE)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known[:_SHOWN])}."


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
