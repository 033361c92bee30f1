"""Own the database and the embedded platform: open them when they are first needed, and close them in order."""

import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from .clock import NewId, NowMs, Sleep
from .settings import SettingError, Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from .db.database import Database
    from .engine.models.routing import Models
    from .engine.runtime import Engine


class EngineHost:
    """Owner of the resources of the embedded platform. After `aclose` they are opened again when they are needed."""

    def __init__(self, settings: Settings, clock: NowMs, ids: NewId, sleep: Sleep) -> None:
        self._settings, self._clock, self._ids, self._sleep = settings, clock, ids, sleep
        self._opening, self._database_lock = anyio.Lock(), threading.Lock()
        self._db: Database | None = None
        self._models: Models | None = None
        self._engine: Engine | None = None
        self._inside: Starlette | None = None
        """The engine for all workspaces; each workspace has a separate client."""

    async def database(self) -> "Database":
        async with self._opening:
            if self._db is None:
                # In a thread: the first start of a version migrates the database, or waits while another process does.
                return await anyio.to_thread.run_sync(self._open_database)
        return self._db

    async def engine(self) -> "Engine":
        """The engine. Raises WrongKey if the vault's key is not the one with which this database was first used."""
        database = await self.database()
        async with self._opening:
            if self._engine is None:
                self._engine = await self._new_engine(database)
        return self._engine

    async def app(self, admit_key: str | None) -> "Starlette":
        """The platform as an ASGI app, which requires the key `admit_key`, if one is given. Raises WrongKey."""
        from .engine.http.app import build_app, key_holder

        return build_app(await self.engine(), key_holder(admit_key))

    async def workspace(self, name: str) -> "ASGIApp":
        """The platform as an ASGI app, limited to one workspace. Raises WrongKey."""
        from .engine.http.app import build_app, told_inside, within

        engine = await self.engine()
        if self._inside is None:
            self._inside = build_app(engine, told_inside)
        return within(self._inside, name)

    async def aclose(self) -> None:
        """Close the engine before its models, and the database last. If one fails, the others are still closed."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(anyio.to_thread.run_sync, self._close_database)
            for each in (self._models, self._engine):
                if each is not None:
                    closing.push_async_callback(each.aclose)
        self._models = self._engine = self._inside = None

    async def _new_engine(self, database: "Database") -> "Engine":
        from .engine.live.leases import tend
        from .engine.models.routing import models_of
        from .engine.runtime import Engine
        from .engine.store.secrets import claim
        from .engine.store.vault import Vault
        from .engine.store.vault_key import vault_key
        from .net.guard import AllowList

        vault = Vault(await anyio.to_thread.run_sync(vault_key, self._settings))
        await claim(database, vault)
        allow = AllowList.parse(",".join(self._settings.allow_private))
        self._models = models_of(self._settings)
        engine = Engine(database, vault, self._models, allow, self._clock, self._ids, sleep=self._sleep)
        await tend(engine)
        return engine

    def _open_database(self) -> "Database":
        """Runs in a thread, which continues if its caller is cancelled; so the thread itself stores the database."""
        from .db.database import Database
        from .engine.schema.tables import SCHEMA as ENGINE
        from .ledger.tables import SCHEMA as LEDGER

        with self._database_lock:
            try:
                self._db = self._db or Database(self._settings.database_url, {"engine": ENGINE, "ledger": LEDGER})
            except ImportError as exc:
                raise SettingError(
                    "CALLWRIGHT_DATABASE_URL names PostgreSQL, whose driver is not installed:"
                    " install callwright[postgresql]."
                ) from exc
            return self._db

    def _close_database(self) -> None:
        """Runs in a thread, because running transactions may need the event loop to complete."""
        with self._database_lock:
            if self._db is not None:
                self._db.close()
                self._db = None
