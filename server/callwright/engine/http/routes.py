"""The table of routes and their modules, read from a file, so that a process imports only the modules it needs."""

import json
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, TypedDict

from ...contract.operation import Operation
from ..handlers import Handlers, Implementation

RESOURCES = (
    "agents",
    "access",
    "widget",
    "conversations",
    "simulations",
    "knowledge_base",
    "phone_numbers",
    "secrets",
    "auth_connections",
    "agent_tests",
    "agent_test_runs",
    "mcp_servers",
    "agent_tools",
    "destinations",
    "rag_indexes",
    "llms",
    "voices",
    "pronunciation_dictionaries",
    "calls",
    "batch_calls",
    "workspace",
)
"""Modules of `rules`. Each has its `Handlers` in a variable named like the module."""


class RouteEntry(TypedDict):
    """The entry of one path."""

    modules: dict[str, str]
    """Modules of `rules` by HTTP method."""
    public: bool
    """Whether one of its operations is answered without the API key, also to web pages of other hosts."""


Routes = dict[str, RouteEntry]
"""Entries by path."""


def handlers_of(module: str) -> Handlers:
    return getattr(import_module(f"callwright.engine.rules.{module}"), module)


def all_handlers() -> list[Handlers]:
    """The handlers of every resource. It imports all modules, which is slow: for generated tables and tests."""
    return [handlers_of(module) for module in RESOURCES]


def snap() -> Routes:
    """The routes, from the handlers. `scripts/snap` writes them into routes.json, and a test compares."""
    found: Routes = {}
    for module in RESOURCES:
        for op, made in handlers_of(module).by_operation.items():
            way = found.setdefault(op.path, RouteEntry(modules={}, public=False))
            way["modules"][op.method] = module
            way["public"] |= made.public
    return found


@cache
def built() -> Routes:
    """The routes in the packaged routes.json. They are read once and shared."""
    return json.loads(files("callwright.engine.http").joinpath("routes.json").read_bytes())


@cache
def implementation(module: str, method: str, path: str) -> tuple[type[Operation[Any]], Implementation]:
    """The operation of a route, and its implementation."""
    group = handlers_of(module).by_operation
    return next((op, made) for op, made in group.items() if (op.method, op.path) == (method, path))
