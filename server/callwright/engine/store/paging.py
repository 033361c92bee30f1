"""Keyset paging: a cursor holds the end of the last page, so that every page costs the same at any depth."""

import base64
import binascii
import json
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from pydantic_core import from_json
from sqlalchemy import Column, Connection, Integer, RowMapping, Select, bindparam, tuple_

from ...contract.errors import BadRequest

LARGEST = 2**63 - 1
"""The largest value of an integer column."""
NAME_KEY_LENGTH = 150


def search_key(text: str) -> str:
    """The normalized form of a text for search: case, and the way an accent is written, make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def name_key(name: str) -> str:
    """The beginning of a name, normalized for search and order. It is cut, as a cursor of limited size carries it."""
    return search_key(name)[:NAME_KEY_LENGTH]


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

    Raises BadRequest for a cursor of another list, or a made-up one.
    """
    return Paged(query, by=by, id=id, descending=descending).page(db, size, cursor)


class Paged:
    """A query in the order of (`by`, `id`). One that is kept spares most of the time of a page: to make statements."""

    def __init__(self, query: Select[Any], *, by: Column[Any], id: Column[str], descending: bool) -> None:
        self._by, self._id, self._descending = by, id, descending
        self._kind = f"{by.table.name}.{by.name}.{'desc' if descending else 'asc'}"
        ordered = query.order_by(by.desc(), id.desc()) if descending else query.order_by(by, id)
        self._first = ordered.limit(bindparam("rows", type_=Integer))

    @cached_property
    def _next(self) -> Select[Any]:
        after = tuple_(bindparam("after", type_=self._by.type), bindparam("after_id", type_=self._id.type))
        place = tuple_(self._by, self._id)
        return self._first.where(place < after if self._descending else place > after)

    def page(
        self, db: Connection, size: int, cursor: str | None, **given: object
    ) -> tuple[Sequence[RowMapping], str | None]:
        """As the function `page`. `given`: values of the query's own bind parameters."""
        statement, given = self._first, given | {"rows": size + 1}
        if cursor:
            after, after_id = _read(cursor, self._kind, self._by.type.python_type)
            statement, given = self._next, given | {"after": after, "after_id": after_id}
        rows = db.execute(statement, given).mappings().all()
        if len(rows) <= size:
            return rows, None
        last = rows[size - 1]
        return rows[:size], _write(self._kind, last[self._by.name], last[self._id.name])


def _write(kind: str, value: object, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, value, id], ensure_ascii=False).encode()).decode().rstrip("=")


def _read(cursor: str, kind: str, type_: type[Any]) -> tuple[Any, str]:
    try:
        raw: Any = from_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_for, value, id = cast(list[Any], raw)
    except (ValueError, TypeError, binascii.Error):
        made_for, value, id = None, None, ""
    if made_for != kind or not (_storable(value, type_) and _storable(id, str)):
        raise BadRequest("This cursor belongs to another list. Leave it out to begin with the first page.")
    return value, id


def _storable(value: object, type_: type[Any]) -> bool:
    """Whether a cursor's value fits its column. A made-up value must not reach the database: it would raise."""
    if type(value) is not type_:
        return False
    return "\0" not in value if isinstance(value, str) else abs(cast(int, value)) <= LARGEST
