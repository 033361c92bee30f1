"""The handlers of stored tools."""

import re
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import RowMapping, delete, insert, select, update

from ...contract.agent_tools import (
    CreateTool,
    DeleteTool,
    GetTool,
    ListToolDependents,
    ListTools,
    ToolWrite,
    UpdateTool,
)
from ...contract.common import Empty
from ...contract.dependents import DependentAgentPage
from ...contract.errors import InUse, InvalidRequest, Problem, body_problem
from ...contract.merge import Json, with_defaults
from ...contract.references import references_in
from ...contract.tool_dialect import placeholders
from ..checks.configuration import missing_references, unsafe_urls
from ..handlers import Handlers
from ..schema import defaults
from ..schema.agent_tools import tool
from ..schema.defaults import OWNER
from ..store.dependents import dependent_agents
from ..store.destinations import forget_destinations
from ..store.transaction import Tx
from ..store.uses import agents_using, forget_uses, replace_uses, tests_using

agent_tools = Handlers()

_USAGE = "usage statistics: conversations call tools, and their calls are not counted yet"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The form of function names that language models accept."""
_LITERALS = ("string", "boolean", "integer", "number")
_SOURCES = "description (the model fills it in), dynamic_variable, constant_value or is_system_provided"
_SCHEMAS = ("path_params_schema", "query_params_schema", "request_body_schema")


@agent_tools.implements(CreateTool, proof="test_a_tool_reads_back_as_it_was_created")
def create_tool(tx: Tx, op: CreateTool) -> Json:
    """Create a tool. The answer also has `warnings`, beyond the contract, if the tool was rewritten or cannot work."""
    new, config = tx.new_id("tool"), _checked(tx, op)
    row = {"workspace": tx.workspace, "id": new, "name": config["name"], "created_ms": tx.now_ms, "document": config}
    tx.db.execute(insert(tool).values(**row))
    replace_uses(tx, "tool", new, references_in(config))
    return _answer(tx.one(tool, new), op.warnings)


@agent_tools.implements(ListTools, proof="test_tools_are_listed_newest_first", missing=_USAGE)
def list_tools(tx: Tx, _: ListTools) -> Json:
    found = select(tool).where(tx.own(tool)).order_by(tool.c.created_ms.desc(), tool.c.id.desc())
    rows = tx.db.execute(found).mappings()
    return {"tools": [_answer(row) for row in rows], "has_more": False, "next_cursor": None}


@agent_tools.implements(GetTool, proof="test_a_tool_reads_back_as_it_was_created", missing=_USAGE)
def get_tool(tx: Tx, op: GetTool) -> Json:
    return _answer(tx.one(tool, op.tool_id))


@agent_tools.implements(UpdateTool, proof="test_an_update_replaces_the_whole_tool")
def update_tool(tx: Tx, op: UpdateTool) -> Json:
    tx.one(tool, op.tool_id)
    config = _checked(tx, op)
    this = tx.own(tool, id=op.tool_id)
    tx.db.execute(update(tool).where(this).values(name=config["name"], document=config))
    replace_uses(tx, "tool", op.tool_id, references_in(config))
    return _answer(tx.one(tool, op.tool_id), op.warnings)


@agent_tools.implements(DeleteTool, proof="test_deleting_a_tool_in_use_names_the_agents")
def delete_tool(tx: Tx, op: DeleteTool) -> Empty:
    name = tx.one(tool, op.tool_id)["name"]
    if users := [*agents_using(tx, "tool", op.tool_id), *tests_using(tx, "tool", op.tool_id)]:
        named = ", ".join(f"{shown!r} ({id})" for id, shown, _ in users[:10])
        raise InUse("tool_in_use", f"Tool {name!r} is used by {named}. Take it out there first.")
    tx.db.execute(delete(tool).where(tx.own(tool, id=op.tool_id)))
    forget_uses(tx, "tool", op.tool_id)
    forget_destinations(tx, "tool", op.tool_id)
    return Empty()


@agent_tools.implements(ListToolDependents, proof="test_the_agents_that_use_a_tool_are_listed_page_by_page")
def list_dependents(tx: Tx, op: ListToolDependents) -> DependentAgentPage:
    tx.one(tool, op.tool_id)
    return dependent_agents(tx, "tool", op.tool_id, size=op.page_size, cursor=op.cursor)


def _checked(tx: Tx, op: ToolWrite[Any]) -> Json:
    """The complete configuration of a tool, as it is stored. Raises InvalidRequest with all its problems."""
    config: Json = (op.body() or {})["tool_config"]
    config = with_defaults(config, defaults.TOOLS.get(config["type"], {}))
    document = {"tool_config": config}
    problems = [
        *missing_references(tx, document),
        *unsafe_urls(document, tx.allow),
        *_unnamed(config),
        *_unfilled(config),
        *_sourceless(config),
    ]
    if problems:
        raise InvalidRequest(problems)
    return config


def _unnamed(config: Json) -> Iterator[Problem]:
    if not _NAME.fullmatch(str(config.get("name", ""))):
        said = "A tool's name has 1 to 64 letters, digits, _ and -, as models demand"
        yield body_problem(("tool_config", "name"), said, "string_pattern_mismatch")


def _unfilled(config: Json) -> Iterator[Problem]:
    """The problem of a placeholder in the URL's host. Placeholders for secrets are reported as missing secrets."""
    if "api_schema.url" in placeholders(config):
        said = "The host is a placeholder; put your own in its place"
        yield body_problem(("tool_config", "api_schema", "url"), said, "placeholder")


def _sourceless(config: Json) -> Iterator[Problem]:
    """Problems for values without a source, and for values with two."""
    for at, value, is_item in _literals(config):
        given = [name for name in ("description", "dynamic_variable", "is_system_provided") if value.get(name)]
        given += ["constant_value"] if value.get("constant_value") not in (None, "") else []
        if not given and not is_item:
            yield body_problem(("tool_config", *at), f"Say where the value comes from: {_SOURCES}", "missing_source")
        elif len(given) > 1:
            yield body_problem(
                ("tool_config", *at), f"A value comes from one source, not from {' and '.join(given)}", "two_sources"
            )


def _literals(config: Json) -> Iterator[tuple[tuple[str, ...], Json, bool]]:
    """Every plain value of a tool: its path, its definition, and whether it is a list's item.

    Newer kinds of tools may use these names for other data: values of another shape are skipped.
    """
    api = _object(config.get("api_schema"))
    for name in _SCHEMAS:
        schema = _object(api.get(name))
        wrapped: Json = {"properties": schema} if name == "path_params_schema" else schema
        skipped = 1 if name == "path_params_schema" else 0
        for at, value, is_item in _below(wrapped, (), is_item=False):
            yield ("api_schema", name, *at[skipped:]), value, is_item
    for at, value, is_item in _below(_object(config.get("parameters")), (), is_item=False):
        yield ("parameters", *at), value, is_item


def _below(node: Json, at: tuple[str, ...], *, is_item: bool) -> Iterator[tuple[tuple[str, ...], Json, bool]]:
    if node.get("type") in _LITERALS:
        yield at, node, is_item
    for name, child in _object(node.get("properties")).items():
        yield from _below(_object(child), (*at, "properties", name), is_item=False)
    if items := _object(node.get("items")):
        yield from _below(items, (*at, "items"), is_item=True)


def _object(node: Any) -> Json:
    return cast(Json, node) if isinstance(node, dict) else {}


def _answer(row: RowMapping, warnings: list[str] | None = None) -> Json:
    shown: Json = {
        "id": row["id"],
        "tool_config": row["document"],
        "access_info": OWNER.model_dump(),
        # Tool calls of conversations are not counted yet.
        "usage_stats": {"total_calls": 0, "avg_latency_secs": 0.0},
    }
    return shown | ({"warnings": warnings} if warnings else {})
