"""What the embedded platform runs on: made once by the app, and handed to everything that answers."""

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
    """What the app runs on."""

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
    """Of the conversations that this process holds."""
    on_finished: OnFinished | None = None

    async def aclose(self) -> None:
        """Stops what goes on after its answer. The database and the models are closed by who opened them."""
        await self.jobs.aclose()

    def unit(self, workspace: str, origin: RequestOrigin = KEY_HOLDER) -> Unit:
        return Unit(
            self.database, workspace, self.vault, self.clock, self.ids, self.allow, self.models, self.jobs, self.tokens,
            origin, self.on_finished,
        )  # fmt: skip
