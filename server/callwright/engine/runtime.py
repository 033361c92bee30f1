"""Dependencies of the engine (database, vault, models, clock, jobs): made once by the app, passed to each handler."""

from dataclasses import dataclass, field

import anyio

from ..clock import NewId, NowMs, Sleep, new_id, now_ms
from ..db.database import Database
from ..net.guard import NOTHING_PRIVATE, AllowList
from .jobs import Jobs, process_name
from .models.routing import Models
from .store.transaction import KEY_HOLDER, RequestOrigin
from .store.vault import Vault
from .tokens import Tokens
from .unit import OnFinished, Unit


@dataclass(frozen=True)
class Engine:
    """The dependencies of the embedded platform's app."""

    database: Database
    vault: Vault
    models: Models
    allow: AllowList = NOTHING_PRIVATE
    clock: NowMs = now_ms
    ids: NewId = new_id
    jobs: Jobs = field(default_factory=Jobs)
    tokens: Tokens = field(default_factory=Tokens)
    sleep: Sleep = anyio.sleep
    holder: str = field(default_factory=process_name)
    """The name of this process in the leases of the conversations that it holds."""
    on_finished: OnFinished | None = None

    async def aclose(self) -> None:
        """Stop the background jobs. The database and the models stay open: the code that opened them closes them."""
        await self.jobs.aclose()

    def unit(self, workspace: str, origin: RequestOrigin = KEY_HOLDER) -> Unit:
        return Unit(
            self.database, workspace, self.vault, self.clock, self.ids, self.allow, self.models, self.jobs, self.tokens,
            origin, self.on_finished,
        )  # fmt: skip
