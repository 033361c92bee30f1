"""Rows of agent tests, read by id."""

from sqlalchemy import RowMapping, select

from ..schema.agent_tests import agent_test
from .transaction import Tx


def tests_by_id(tx: Tx, ids: list[str]) -> dict[str, RowMapping]:
    """The tests with these ids, in the order of `ids`. Unknown ids are left out."""
    found = select(agent_test).where(tx.own(agent_test), agent_test.c.id.in_(set(ids)))
    rows = {row["id"]: row for row in tx.db.execute(found).mappings()}
    return {id: rows[id] for id in ids if id in rows}
