"""References between resources, such as an agent and its documents, tools and secrets. Deletes check them first."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, Table, delete, insert, select

from ...contract.dependents import AgentDependent, DependentAgent
from ...contract.references import Reference
from ..schema.agent_tests import agent_test
from ..schema.agent_tools import tool
from ..schema.tables import agent, uses
from .transaction import Tx


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
