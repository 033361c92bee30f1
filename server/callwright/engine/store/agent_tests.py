"""Rows of tests."""

from sqlalchemy import RowMapping, select

from ..schema.agent_tests import agent_test
from .transaction import Tx


def tests_by_id(tx: Tx, ids: list[str]) -> dict[str, RowMapping]:
    """Those that exist, in the order of `ids`."""
    found = select(agent_test).where(tx.own(agent_test), agent_test.c.id.in_(set(ids)))
    rows = {row["id"]: row for row in tx.db.execute(found).mappings()}
    return {id: rows[id] for id in ids if id in rows}
