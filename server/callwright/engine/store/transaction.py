"""The transaction of one workspace, through which rules read and write, and the origin of its request."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from ...clock import NewId
from ...net.guard import AllowList
from ..schema.missing import not_found
from .vault import Vault


@dataclass(frozen=True)
class RequestOrigin:
    """The origin of a request: base URL, web page, and whether it carried the API key."""

    base: str = ""
    """Scheme and host under which the engine was reached, as in `https://voice.example:8765`."""
    page: str | None = None
    """The `Origin` header of a request from a web page; None for other clients."""
    has_key: bool = True
    """Whether the request carried the API key. Without it, only handlers marked `public` answer."""


KEY_HOLDER = RequestOrigin()


@dataclass(frozen=True)
class Tx:
    """One transaction of one workspace, with the dependencies of a rule: vault, time, new ids, allow list, origin."""

    db: Connection
    workspace: str
    vault: Vault
    now_ms: int
    new_id: NewId
    allow: AllowList
    origin: RequestOrigin = KEY_HOLDER

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return self.now_ms // 1000

    def own(self, table: Table, **equal: object) -> ColumnElement[bool]:
        """The condition for rows of this workspace whose columns equal these values."""
        return and_(table.c.workspace == self.workspace, *(table.c[name] == value for name, value in equal.items()))

    def one(self, table: Table, id: str) -> RowMapping:
        """The row of this workspace with this id. Raises NotFound with the message of `table` (see `missing.py`)."""
        row = self.db.execute(select(table).where(self.own(table, id=id))).mappings().one_or_none()
        if row is None:
            raise not_found(table, id)
        return row
