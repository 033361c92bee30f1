"""Which function implements which operation, and how far. The engine's twin of `tools/toolset.py`."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from ..accounts.principals import DEFAULT_WORKSPACE
from ..clock import NewId, NowMs
from ..contract.merge import Json
from ..contract.operation import Operation
from ..db.database import Database
from ..net.guard import AllowList
from .jobs import Jobs
from .models.routing import Models
from .schema.missing import not_found
from .store.vault import Vault
from .tokens import Tokens

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Op = TypeVar("Op", bound=Operation[Any])
Emit = Callable[[Json], Awaitable[None]]
"""Sends the next value of a streamed answer."""
OnFinished = Callable[["Unit", Json], Awaitable[None]]
"""Gets each conversation of a client that is over, whole and with its analysis, before anything of it is deleted."""


@dataclass(frozen=True)
class Asker:
    """Whoever sent a request."""

    base: str = ""
    """Scheme and host under which the engine was reached, as in `https://voice.example:8765`."""
    page: str | None = None
    """The `Origin` of the web page that asks; None where none does."""
    has_key: bool = True
    """Without a key only what is marked `public` is answered."""


KEY_HOLDER = Asker()


@dataclass(frozen=True)
class Tx:
    """One transaction of one workspace, and what a rule may use in it."""

    db: Connection
    workspace: str
    vault: Vault
    now_ms: int
    new_id: NewId
    allow: AllowList
    asker: Asker = KEY_HOLDER

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


@dataclass(frozen=True)
class Unit:
    """What a handler gets that also waits for the network: transactions of its own, never open across an `await`."""

    database: Database
    workspace: str
    vault: Vault
    clock: NowMs
    new_id: NewId
    allow: AllowList
    models: Models
    jobs: Jobs
    tokens: Tokens
    asker: Asker = KEY_HOLDER
    on_finished: OnFinished | None = None

    @property
    def is_tenants(self) -> bool:
        """Whether this is the workspace of somebody else than the operator."""
        return self.workspace != DEFAULT_WORKSPACE

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.database.read(lambda db: work(self._tx(db)))

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self.database.write(lambda db: work(self._tx(db)))

    def _tx(self, db: Connection) -> Tx:
        return Tx(db, self.workspace, self.vault, self.clock(), self.new_id, self.allow, self.asker)


@dataclass(frozen=True)
class Implementation:
    """A handler, and how real it is: `missing` is empty where nothing is, and `proof` names the test that shows it."""

    fn: Callable[..., Any]
    proof: str
    missing: str
    public: bool = False

    @property
    def waits(self) -> bool:
        return inspect.iscoroutinefunction(self.fn)


@dataclass(frozen=True)
class Handlers:
    by_operation: dict[type[Operation[Any]], Implementation] = field(
        default_factory=dict[type[Operation[Any]], Implementation]
    )

    def implements(self, op: type[Op], *, proof: str, missing: str = "", public: bool = False) -> Callable[[F], F]:
        """Bind a function to an operation.

        It gets a `Tx` (or, if it is async, a `Unit`) and the operation; one whose answer is a stream gets an `Emit`
        as well, and answers nothing. `proof`: name of a test that reads the effect back by another route. `missing`:
        what it does not do yet. `public`: asked without a key too, about one agent; it must look at the asker itself.
        """

        def bind(fn: F) -> F:
            self.by_operation[op] = Implementation(fn, proof, missing, public)
            return fn

        return bind
