"""Which module answers which route. Known from a file, so that a process imports what it is asked for and no more."""

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
    "rag_indexes",
    "llms",
    "voices",
    "pronunciation_dictionaries",
    "calls",
    "batch_calls",
    "workspace",
)
"""Modules of `rules`; each holds its handlers under its own name."""


class RouteEntry(TypedDict):
    """Where a path leads."""

    modules: dict[str, str]
    """By method."""
    public: bool
    """Whether one of them is asked without a key, by the pages of other hosts."""


Routes = dict[str, RouteEntry]
"""By path."""


def handlers_of(module: str) -> Handlers:
    return getattr(import_module(f"callwright.engine.rules.{module}"), module)


def all_handlers() -> list[Handlers]:
    """Everything; the slow way round, for tables and tests."""
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


def built() -> Routes:
    """The routes as they were shipped."""
    return json.loads(files("callwright.engine.http").joinpath("routes.json").read_bytes())


@cache
def implementation(module: str, method: str, path: str) -> tuple[type[Operation[Any]], Implementation]:
    """The operation of a route, and what carries it out."""
    group = handlers_of(module).by_operation
    return next((op, made) for op, made in group.items() if (op.method, op.path) == (method, path))
