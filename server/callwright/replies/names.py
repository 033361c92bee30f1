"""Check names in the documents among a tool's arguments: refuse mistyped ones, pass on and report new ones."""

import difflib
from collections.abc import Iterator
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.operation import Operation
from ..contract.walk import odd_values, spelt, strangers
from .text import short

_SHOWN = 8
"""Known values that an error lists if none of them is close to the given one."""
_CLOSE = 0.8
"""Similarity from which on a name counts as mistyped: `sped` means `speed`, but `max_silence` not `max_tokens`."""


def names_in(arguments: dict[str, Any]) -> frozenset[str]:
    """The keys inside the values of the arguments, without those of documents that the tool reads elsewhere."""
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
    """Texts about values in `op` that the contract does not list. They are sent nevertheless, because a newer platform,
    or the operator's own endpoint, may know them."""
    return [
        f"{spelt(path)} is {short(str(value))!r}, which is no known value."
        f" {_meant(str(value), [str(each) for each in known])}"
        for path, value, known in odd_values(type(op), op.body() or {})
    ]


def _meant(value: str, known: list[str]) -> str:
    near = difflib.get_close_matches(value, known, 1, _CLOSE)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known[:_SHOWN])}."


def unknown_names(op: Operation[Any], given: frozenset[str]) -> list[str]:
    """Paths of `op` with names that are in `given` but not in the contract; a newer platform may know them.

    Raises ToolError if a name is close to a known one that the same object lacks.
    """
    if not given:
        return []
    unknown: list[str] = []
    mistyped: list[str] = []
    for path, _, known in strangers(type(op), op.body() or {}):
        name = str(path[-1])
        if name not in given:
            continue
        near = difflib.get_close_matches(name, known, 1, _CLOSE)
        if near:
            mistyped.append(f"Unknown name {spelt(path)!r}; did you mean {near[0]!r}?")
        else:
            unknown.append(spelt(path))
    if mistyped:
        raise ToolError(" ".join([*mistyped[:5], "Nothing was sent. describe_config tells the names."]))
    return unknown
