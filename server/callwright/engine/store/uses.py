"""References between resources, such as an agent and its documents, tools and secrets. Deletes check them first."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from sqlalchemy import Column, Select, Table, delete, insert, select

from ...contract.dependents import AgentDependent, DependentAgent
from ..schema.agent_tests import agent_test
from ..schema.agent_tools import tool
from ..schema.tables import agent, uses
from .transaction import Tx


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


def replace_uses(tx: Tx, kind: str, id: str, references: Iterable[Reference]) -> None:
    """Replace the stored references of one resource by `references`."""
    forget_uses(tx, kind, id)
    rows = [
        {"workspace": tx.workspace, "user_kind": kind, "user_id": id, "target_kind": k, "target_id": t}
        for k, t in sorted({(reference.kind, reference.id) for reference in references})
    ]
    if rows:
        tx.db.execute(insert(uses), rows)


def forget_uses(tx: Tx, kind: str, id: str) -> None:
    tx.db.execute(delete(uses).where(tx.own(uses, user_kind=kind, user_id=id)))


def users_of(tx: Tx, kind: str, id: str) -> dict[str, list[str]]:
    """Sorted ids of the resources that use a resource, by kind."""
    found = (
        select(uses.c.user_kind, uses.c.user_id)
        .where(tx.own(uses, target_kind=kind, target_id=id))
        .order_by(uses.c.user_kind, uses.c.user_id)
    )
    users: dict[str, list[str]] = {}
    for row in tx.db.execute(found):
        users.setdefault(row.user_kind, []).append(row.user_id)
    return users


class User(NamedTuple):
    """An agent that uses a resource. `created`: Unix seconds."""

    id: str
    name: str
    created: int

    def shown(self) -> AgentDependent:
        return DependentAgent(id=self.id, name=self.name, created_at_unix_secs=self.created, access_level="admin")


def agents_using(tx: Tx, kind: str, id: str) -> list[User]:
    """The agents that use a resource, oldest first."""
    return agents_using_each(tx, kind, [id])[id]


def agents_using_each(tx: Tx, kind: str, ids: Iterable[str]) -> dict[str, list[User]]:
    """The agents that use each of several resources, such as those of a page, in one query."""
    users: dict[str, list[User]] = {id: [] for id in ids}
    found = (
        select(uses.c.target_id, agent.c.id, agent.c.name, agent.c.created_ms)
        .join(uses, (uses.c.workspace == agent.c.workspace) & (uses.c.user_id == agent.c.id))
        .where(tx.own(uses, user_kind="agent"))
        .where(uses.c.target_kind == kind, uses.c.target_id.in_(users))
        .order_by(agent.c.created_ms, agent.c.id)
    )
    for row in tx.db.execute(found):
        users[row.target_id].append(User(row.id, row.name, row.created_ms // 1000))
    return users


def tools_using(tx: Tx, kind: str, id: str) -> list[tuple[str, str, int]]:
    """The stored tools that use a resource, oldest first: id, name and creation time."""
    return _named(tx, tool, select_users(tx, tool, kind, id))


def tests_using(tx: Tx, kind: str, id: str) -> list[tuple[str, str, int]]:
    """The stored tests that use a resource, oldest first: id, name and creation time."""
    return _named(tx, agent_test, select_users(tx, agent_test, kind, id))


def select_users(tx: Tx, table: Table, kind: str, id: str) -> Select[Any]:
    """The unordered query for id, name and `created_ms` of the rows of `table` that use a resource.

    The name of `table` is the kind of its rows.
    """
    columns: list[Column[Any]] = [table.c.id, table.c.name, table.c.created_ms]
    return (
        select(*columns)
        .join(uses, (uses.c.workspace == table.c.workspace) & (uses.c.user_id == table.c.id))
        .where(tx.own(uses, user_kind=table.name))
        .where(uses.c.target_kind == kind, uses.c.target_id == id)
    )


def _named(tx: Tx, table: Table, users: Select[Any]) -> list[tuple[str, str, int]]:
    rows = tx.db.execute(users.order_by(table.c.created_ms, table.c.id))
    return [(row.id, row.name, row.created_ms // 1000) for row in rows]


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
