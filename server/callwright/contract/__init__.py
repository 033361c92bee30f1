"""The platform's REST API, written down once, as data: operations, what they answer, what can go wrong.

One module a resource; modules are imported when first asked for, because nobody needs all of them at start.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

from .operation import Operation

RESOURCES = (
    "agents",
    "widget",
    "conversations",
    "agent_tools",
    "destinations",
    "knowledge_base",
    "agent_tests",
    "phone_numbers",
    "calls",
    "workspace",
    "secrets",
    "auth_connections",
    "mcp_servers",
    "llms",
    "voices",
    "pronunciation_dictionaries",
)


def operations(resource: str) -> Iterator[type[Operation[Any]]]:
    """The operations of one resource, in the order of its file."""
    for thing in vars(import_module(f"{__name__}.{resource}")).values():
        if isinstance(thing, type) and issubclass(thing, Operation) and "path" in thing.__dict__:
            yield cast(type[Operation[Any]], thing)


def all_operations() -> list[type[Operation[Any]]]:
    return [op for resource in RESOURCES for op in operations(resource)]
