"""One transaction of one workspace: what a rule reads and writes through."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from ...clock import NewId
from ...net.guard import AllowList
from ..schema.missing import not_found
from .vault import Vault


@dataclass(frozen=True)
class RequestOrigin:
    """Whoever sent a request."""

    base: str = ""
    """Scheme and host under which the engine was reached, as in `https://voice.example:8765`."""
    page: str | None = None
    """The `Origin` of the web page that asks; None where none does."""
    has_key: bool = True
    """Without a key only what is marked `public` is answered."""


KEY_HOLDER = RequestOrigin()


@dataclass(frozen=True)
class Tx:
    """One transaction of one workspace, and what a rule may use in it."""

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
        """The rows of this workspace, and of them only those whose columns have these values."""
        return and_(table.c.workspace == self.workspace, *(table.c[name] == value for name, value in equal.items()))

    def one(self, table: Table, id: str) -> RowMapping:
        """The row of this workspace with this id. Raises NotFound in the words that `table` was made with."""
        row = self.db.execute(select(table).where(self.own(table, id=id))).mappings().one_or_none()
        if row is None:
            raise not_found(table, id)
        return row
