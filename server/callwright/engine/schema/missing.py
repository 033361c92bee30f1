"""What is said where a resource is not there: one sentence for each table, which its definition carries."""

from typing import Any

from sqlalchemy import Table

from ...contract.errors import NotFound


def called(resource: str, listed: str) -> dict[str, Any]:
    """The `info` of a table: what a row of it is called, and where such rows are listed."""
    return {"resource": resource, "listed": listed}


def not_found(table: Table, id: str) -> NotFound:
    return NotFound(f"No {table.info['resource']} {id!r}. GET {table.info['listed']}.")
