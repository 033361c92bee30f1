"""Keyset paging: a cursor holds where the last page ended, so that a page costs the same however deep it lies."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Column, Connection, RowMapping, Select, tuple_

from ..contract.errors import BadRequest


def page(
    db: Connection,
    query: Select[Any],
    *,
    by: Column[Any],
    id: Column[str],
    descending: bool,
    size: int,
    cursor: str | None,
) -> tuple[Sequence[RowMapping], str | None]:
    """Rows of `query` in the order of (`by`, `id`), and the cursor of the next page where there is one.

    A cursor of another list, or made up, is a BadRequest.
    """
    kind = f"{by.table.name}.{by.name}.{'desc' if descending else 'asc'}"
    place = tuple_(by, id)
    found = query.order_by(by.desc(), id.desc()) if descending else query.order_by(by, id)
    if cursor:
        after = _read(cursor, kind)
        found = found.where(place < after if descending else place > after)
    rows = db.execute(found.limit(size + 1)).mappings().all()
    if len(rows) <= size:
        return rows, None
    last = rows[size - 1]
    return rows[:size], _write(kind, last[by.name], last[id.name])


def _write(kind: str, value: object, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, value, id]).encode()).decode().rstrip("=")


def _read(cursor: str, kind: str) -> tuple[Any, str]:
    try:
        raw: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_for, value, id = cast(list[Any], raw)
    except (ValueError, TypeError, binascii.Error):
        made_for, value, id = None, None, None
    if made_for != kind or not isinstance(value, str | int) or not isinstance(id, str):
        raise BadRequest("This cursor belongs to another list. Leave it out to begin with the first page.")
    return value, id
