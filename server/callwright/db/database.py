"""The database: many readers, one writer, and transactions in worker threads.

A rule reads, decides and writes, and no other write may come in between. So there is one writer at a time, on either
database: SQLite allows no more, and on PostgreSQL a write transaction begins with a lock. Writers queue in this
process; only another *process* can make them wait, and on SQLite that wait is bounded by `busy_timeout`. The lock is
taken at BEGIN, so a transaction never has to upgrade its lock and fail half way.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL when two connections checkpoint at once: no connection checkpoints by itself.
A process that has written enough checkpoints, if it gets the file lock that only one process can hold.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio.to_thread
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from .copies import keep_copy
from .in_flight import Closed, InFlight
from .migrations import Component, migrate, plan

T = TypeVar("T")
CHECKPOINT_EVERY = 200  # writes; keeps the WAL under about 10 MB with two processes
CHECKPOINT_AT_LAST = 2_000  # writes of a process that is busy all the time: each checkpoint makes its writers wait
BUSY_SECONDS = 0.1  # between two writes of such a process, at most
WAL_BYTES = 4_000_000  # left by short-lived processes, which never reach that count, for the next process to checkpoint
MIGRATING, WRITING = 7203114, 7203115  # ids of our advisory locks in PostgreSQL
BUSY_MS = 10_000  # shorter than the deadline of a call, so that a busy database is an error and not a hang
CLOSING_SECONDS = 3.0  # how long `close` waits for running transactions before it interrupts their statements
BROKEN_OFF_SECONDS = 1.0  # how long it waits after the interruption

log = logging.getLogger(__name__)


class Database:
    """Runs `work(connection)` in a transaction, in a worker thread. Construct it off the event loop: it may migrate."""

    def __init__(
        self,
        url: str,
        components: Mapping[str, Component],
        *,
        readers: int = 4,
        closing: float = CLOSING_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises NewerDatabase for a database of a newer version, and NotCopied if the backup before a migration fails.

        `closing`: seconds that `close` waits for running transactions. `now`: seconds, from any moment on.
        """
        parsed = make_url(url)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self._path = parsed.database or ""
        if self.sqlite:
            _make_private(Path(self._path))
        if self.sqlite:
            self._reader = _sqlite(url, readers, "BEGIN", query_only=True)
            self._writer = _sqlite(url, 1, "BEGIN IMMEDIATE")
        else:
            self._reader = _postgresql(url, readers, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._writer = _postgresql(url, 1, f"SELECT pg_advisory_xact_lock({WRITING})")
        self._reading = anyio.CapacityLimiter(readers)
        self._writing = anyio.CapacityLimiter(1)
        self._in_flight, self._closing = InFlight(), closing
        self._writes, self._now, self._wrote_at = 0, now, now()
        try:
            self._prepare(components)
        except BaseException:
            self.close()
            raise

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Raises Closed once `close` has begun, as `write` does."""
        return await anyio.to_thread.run_sync(self._in_transaction, self._reader, work, limiter=self._reading)

    async def write(self, work: Callable[[Connection], T], *, flush: bool = True) -> T:
        """Commits when `work` returns, rolls back when it raises; both even if the caller is cancelled meanwhile.

        `flush`: the commit is on the disk when this returns. Without it every process sees the commit at once, and the
        death of a process loses nothing, but a power failure may lose the latest commits, in their order.
        """
        run = self._in_transaction if flush else self._unflushed
        done = await anyio.to_thread.run_sync(run, self._writer, work, limiter=self._writing)
        if self.sqlite and self._checkpoint_is_due():
            await anyio.to_thread.run_sync(self._checkpoint, limiter=self._writing)
        return done

    def close(self) -> None:
        """Refuse new transactions, wait for the running ones, and close all connections. Call it off the event loop.

        The wait is bounded: after `closing` seconds running statements are interrupted. A thread that continues even
        then is logged, and closes its connection when it ends.
        """
        self._in_flight.refuse()
        if self._in_flight.wait(self._closing):
            self._in_flight.interrupt()
            if left := self._in_flight.wait(min(self._closing, BROKEN_OFF_SECONDS)):
                log.error("The database is closed, while %d threads still work on it.", left)
        self._reader.dispose()
        self._writer.dispose()

    def _in_transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with self._in_flight.connection(engine) as db, db.begin():
            return work(db)

    def _unflushed(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with self._in_flight.connection(engine) as db:
            if not self.sqlite:
                with db.begin():
                    db.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    return work(db)
            # In WAL mode the file stays consistent without a flush at each commit; the next flushed commit includes
            # this one.
            _pragma(db, "synchronous=NORMAL")
            try:
                with db.begin():
                    return work(db)
            finally:
                _pragma(db, "synchronous=FULL")

    def _prepare(self, components: Mapping[str, Component]) -> None:
        if self.sqlite:
            self._prepare_file(components)
            return
        with self._writer.begin() as db:
            # Replicas may start together; the lock is held until the end of the transaction.
            db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            if what := plan(db, components):
                if not what.empty:
                    log.warning(
                        "The database is migrated. No copy of it is kept, as one is of a SQLite file: that is done with"
                        " pg_dump, before a new version is started."
                    )
                migrate(db, components, what)

    def _prepare_file(self, components: Mapping[str, Component]) -> None:
        with self._reader.connect() as db:
            wal = _pragma(db, "journal_mode") == "wal"
            ready = not plan(db, components) and wal
        if not ready:
            with FileLock(f"{self._path}.migrate.lock", mode=0o600):
                with self._writer.connect() as db:
                    _pragma(db, "journal_mode=WAL")
                # No other write can come between here and the commit: the backup is the state before the migration.
                with self._writer.begin() as db:
                    if what := plan(db, components):
                        if not what.empty:
                            keep_copy(Path(self._path))
                        migrate(db, components, what)
        frames = Path(f"{self._path}-wal")
        if frames.exists() and frames.stat().st_size > WAL_BYTES:
            self._checkpoint()

    def _checkpoint_is_due(self) -> bool:
        """Count a write. Where many conversations write all the time, few of them should wait for a checkpoint."""
        now = self._now()
        busy, self._wrote_at = now - self._wrote_at < BUSY_SECONDS, now
        self._writes += 1
        if self._writes < (CHECKPOINT_AT_LAST if busy else CHECKPOINT_EVERY):
            return False
        self._writes = 0
        return True

    def _checkpoint(self) -> None:
        """TRUNCATE, because deleted data would stay readable in the old frames of the WAL."""
        try:
            lock = FileLock(f"{self._path}.checkpoint.lock", timeout=0, mode=0o600)
            with lock, self._in_flight.connection(self._writer) as db:
                _pragma(db, "wal_checkpoint(TRUNCATE)")
        except Timeout:
            return  # another process checkpoints
        except Closed:
            return  # SQLite does it when the last connection closes


def _pragma(db: Connection, pragma: str) -> object:
    """Run outside a transaction: SQLAlchemy begins one for every statement that it executes itself."""
    found = cast(Any, db.connection.dbapi_connection).execute(f"PRAGMA {pragma}").fetchone()
    return found[0] if found else None


def _make_private(path: Path) -> None:
    """Restrict the file to this user, even one that was copied here; SQLite gives its WAL the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _postgresql(url: str, size: int, begin: str) -> Engine:
    # pre_ping: a restarted server or a firewall leaves dead connections in the pool.
    return _beginning(
        create_engine(url, pool_size=size, max_overflow=0, hide_parameters=True, pool_pre_ping=True), begin
    )


def _sqlite(url: str, size: int, begin: str, *, query_only: bool = False) -> Engine:
    # hide_parameters: the text of an IntegrityError must not carry values.
    engine = create_engine(url, pool_size=size, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # the driver must not begin by itself
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "wal_autocheckpoint=0",
            f"query_only={int(query_only)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return _beginning(engine, begin)


def _beginning(engine: Engine, begin: str) -> Engine:
    """Begin every transaction with this statement."""

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql(begin)

    return engine
