"""NotFound errors: the message for each table comes from the table's definition."""

from typing import Any

from sqlalchemy import Table

from ...contract.errors import Listing, NotFound


def called(resource: str, listed: str) -> dict[str, Any]:
    """The `info` of a table: the name of the resource in a row, and the route that lists such resources."""
    return {"resource": resource, "listed": listed}


def not_found(table: Table, id: str) -> NotFound:
    return NotFound(f"No {table.info['resource']} {id!r}.", listing(table))


def listing(table: Table) -> Listing:
    return Listing(table.info["resource"], f"GET {table.info['listed']}.")
