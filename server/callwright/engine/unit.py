"""The unit of work of an async handler: database access and network dependencies for one request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from ..accounts.principals import DEFAULT_WORKSPACE
from ..clock import NewId, NowMs
from ..contract.merge import Json
from ..db.database import Database
from ..net.guard import AllowList
from .jobs import Jobs
from .models.routing import Models
from .store.transaction import KEY_HOLDER, RequestOrigin, Tx
from .store.vault import Vault
from .tokens import Tokens

OnFinished = Callable[["Unit", Json], Awaitable[None]]
"""Called with each finished client conversation, its transcript and analysis included, before any of it is deleted."""

T = TypeVar("T")


@dataclass(frozen=True)
class Unit:
    """The unit of work of an async handler. Each `read` or `write` is a transaction, never open across an `await`."""

    database: Database
    workspace: str
    vault: Vault
    clock: NowMs
    new_id: NewId
    allow: AllowList
    models: Models
    jobs: Jobs
    tokens: Tokens
    origin: RequestOrigin = KEY_HOLDER
    on_finished: OnFinished | None = None

    @property
    def is_tenants(self) -> bool:
        """Whether the workspace belongs to a tenant, not to the operator."""
        return self.workspace != DEFAULT_WORKSPACE

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.database.read(lambda db: work(self._tx(db)))

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self.database.write(lambda db: work(self._tx(db)))

    def _tx(self, db: Connection) -> Tx:
        return Tx(db, self.workspace, self.vault, self.clock(), self.new_id, self.allow, self.origin)
