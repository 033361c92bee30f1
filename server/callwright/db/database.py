"""The database: many readers, one writer, and transactions in worker threads.

A rule reads, decides and writes, and no other write may come in between. So there is one writer at a time, on either
database: SQLite allows no more, and on PostgreSQL a write transaction begins with a lock. Writers queue in this
process; only another *process* can make them wait, and on SQLite that wait is bounded by `busy_timeout`. The lock is
taken at BEGIN, so a transaction never has to upgrade its lock and fail half way.

SQLite 3.7.0 to 3.51.2 can corrupt a WAL when two connections checkpoint at once: no connection checkpoints by itself.
A process that has written enough checkpoints, if it gets the file lock that only one process can hold.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio.to_thread
from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from . import connecting
from .connecting import pragma
from .copies import keep_copy
from .erasing import Retries, begin_anew, erased, remove_copies, watch
from .faults import DiskFull, NotOpened, NotWritable, in_words
from .in_flight import Closed, InFlight
from .migrations import Component, migrate, plan

T = TypeVar("T")
CHECKPOINT_EVERY = 200  # writes; keeps the WAL under about 10 MB with two processes
CHECKPOINT_AT_LAST = 2_000  # writes of a process that is busy all the time: each checkpoint makes its writers wait
BUSY_SECONDS = 0.1  # between two writes of such a process, at most
ERASING_MS = 500  # how long a deletion waits for readers before the checkpoint is left to a thread
MIGRATING, WRITING = 7203114, 7203115  # ids of our advisory locks in PostgreSQL
CLOSING_SECONDS = 3.0  # how long `close` waits for running transactions before it interrupts their statements
BROKEN_OFF_SECONDS = 1.0  # how long it waits after the interruption
LOOK_SECONDS = 5.0  # between two looks of readers whether a file that could only be read can be written again

log = logging.getLogger(__name__)


class Database:
    """Runs `work(connection)` in a transaction, in a worker thread. Construct it off the event loop: it may migrate.

    What is wrong with storage is raised as one of the errors in `faults`.
    """

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
        self._url, self.path = url, Path(parsed.database or "")
        self._components, self._readers = components, readers
        self._reading = anyio.CapacityLimiter(readers)
        self._writing = anyio.CapacityLimiter(1)
        self._in_flight, self._closing = InFlight(), closing
        self._writes, self._now, self._wrote_at = 0, now, now()
        self._opening, self._looked_at = threading.Lock(), now()
        self._retries = Retries(lambda: self._checkpoint(ERASING_MS))
        self.why_read_only: str | None = None
        """Why the file can only be read; None if it can be written. It is looked at again when somebody writes."""
        with in_words():
            self._open()

    def _open(self) -> None:
        if not self.sqlite:
            reading = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
            self._reader = connecting.postgresql(self._url, self._readers, reading)
            self._writer = connecting.postgresql(self._url, 1, f"SELECT pg_advisory_xact_lock({WRITING})")
            with self._disposed_on_error():
                self._prepare_server()
            return
        try:
            with in_words():
                self._open_file()
        except (NotWritable, NotOpened, DiskFull) as fault:
            if not self.path.is_file():
                raise
            self._open_to_read(fault)

    def _open_file(self) -> None:
        connecting.make_private(self.path)
        self._reader = connecting.sqlite(self._url, self._readers, "BEGIN", query_only=True)
        self._writer = connecting.sqlite(self._url, 1, "BEGIN IMMEDIATE")
        watch(self._writer)
        with self._disposed_on_error():
            self._prepare_file()

    def _open_to_read(self, fault: NotWritable | NotOpened | DiskFull) -> None:
        why = "the disk is full" if isinstance(fault, DiskFull) else fault.why
        self._reader = self._writer = connecting.read_only(self.path, self._readers, why)
        with self._disposed_on_error(), self._reader.connect() as db:
            if plan(db, self._components):
                raise NotWritable(f"{why}, and it must be brought to this version first")
        self.why_read_only = why
        log.warning("The database can only be read (%s): every change is refused. %s", why, self.path)

    @contextmanager
    def _disposed_on_error(self) -> Generator[None]:
        try:
            yield
        except BaseException:
            self._dispose()
            raise

    def _dispose(self) -> None:
        self._reader.dispose()
        self._writer.dispose()

    def _may_write_again(self) -> None:
        """Open a file anew that could only be read. Raises NotWritable if that is still so."""
        with self._opening:
            if self.why_read_only is None:
                return
            before = self._reader
            before.dispose()  # SQLite would open the file again as its other connections in this process have it
            try:
                with in_words():
                    self._open_file()
            except (NotWritable, NotOpened, DiskFull) as fault:
                self._reader = self._writer = before
                why = "the disk is full" if isinstance(fault, DiskFull) else fault.why
                raise NotWritable(why) from None
            self.why_read_only = None
            log.warning("The database can be written again.")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Raises Closed once `close` has begun, as `write` does."""
        return await anyio.to_thread.run_sync(self._read, work, limiter=self._reading)

    async def write(self, work: Callable[[Connection], T], *, flush: bool = True) -> T:
        """Commits when `work` returns, rolls back when it raises; both even if the caller is cancelled meanwhile.

        `flush`: the commit is on the disk when this returns. Without it every process sees the commit at once, and the
        death of a process loses nothing, but a power failure may lose the latest commits, in their order.
        """
        run = self._in_transaction if flush else self._unflushed
        done = await anyio.to_thread.run_sync(self._written, run, work, limiter=self._writing)
        if self.sqlite and self._checkpoint_is_due():
            await anyio.to_thread.run_sync(self._checkpoint, limiter=self._writing)
        return done

    def close(self) -> None:
        """Refuse new transactions, wait for the running ones, and close all connections. Call it off the event loop.

        The wait is bounded: after `closing` seconds running statements are interrupted. A thread that continues even
        then is logged, and closes its connection when it ends.
        """
        if self._retries.waits and not self._checkpoint(ERASING_MS):
            log.warning("What was deleted stays in %s-wal until the last process on it ends.", self.path)
        self._retries.stop()
        self._in_flight.refuse()
        if self._in_flight.wait(self._closing):
            self._in_flight.interrupt()
            if left := self._in_flight.wait(min(self._closing, BROKEN_OFF_SECONDS)):
                log.error("The database is closed, while %d threads still work on it.", left)
        self._dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        if self.why_read_only and self._now() > self._looked_at + LOOK_SECONDS:
            self._looked_at = self._now()
            with suppress(NotWritable):
                self._may_write_again()
        with in_words(reads=True):
            return self._in_transaction(self._reader, work)

    def _written(self, run: Callable[[Engine, Callable[[Connection], T]], T], work: Callable[[Connection], T]) -> T:
        if self.why_read_only:
            self._may_write_again()
        with in_words():
            return run(self._writer, work)

    def _in_transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with self._in_flight.connection(engine) as db:
            begin_anew(db)
            with db.begin():
                done = work(db)
            if self.sqlite:
                self._erase(db)
            return done

    def _unflushed(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        with self._in_flight.connection(engine) as db:
            begin_anew(db)
            if not self.sqlite:
                with db.begin():
                    db.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    return work(db)
            # In WAL mode the file stays consistent without a flush at each commit; the next flushed commit includes
            # this one.
            pragma(db, "synchronous=NORMAL")
            try:
                with db.begin():
                    done = work(db)
            finally:
                pragma(db, "synchronous=FULL")
            self._erase(db)
            return done

    def _erase(self, db: Connection) -> None:
        """Take what the transaction deleted out of the other files. What cannot be done now is tried again."""
        what = erased(db)
        if what == "all":
            remove_copies(self.path)
        if what != "nothing" and not self._truncated(db, ERASING_MS):
            self._retries.start()

    def _prepare_server(self) -> None:
        with self._writer.begin() as db:
            # Replicas may start together; the lock is held until the end of the transaction.
            db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            if what := plan(db, self._components):
                if not what.empty:
                    log.warning(
                        "The database is migrated. No copy of it is kept, as one is of a SQLite file: that is done with"
                        " pg_dump, before a new version is started."
                    )
                migrate(db, self._components, what)

    def _prepare_file(self) -> None:
        with self._reader.connect() as db:
            wal = pragma(db, "journal_mode") == "wal"
            ready = not plan(db, self._components) and wal
        if not ready:
            with FileLock(f"{self.path}.migrate.lock", mode=0o600):
                with self._writer.connect() as db:
                    pragma(db, "journal_mode=WAL")
                # No other write can come between here and the commit: the backup is the state before the migration.
                with self._writer.begin() as db:
                    if what := plan(db, self._components):
                        if not what.empty:
                            keep_copy(self.path)
                        migrate(db, self._components, what)
        frames = Path(f"{self.path}-wal")
        if frames.exists() and frames.stat().st_size:  # another process may have died before it erased something
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

    def _checkpoint(self, wait_ms: int = connecting.BUSY_MS) -> bool:
        """Whether the log is empty now, so that nothing deleted is left in it."""
        try:
            with self._in_flight.connection(self._writer) as db:
                return self._truncated(db, wait_ms)
        except PoolTimeout:
            return False  # a long transaction
        except Closed:
            return True  # SQLite does it when the last connection closes

    def _truncated(self, db: Connection, wait_ms: int) -> bool:
        """TRUNCATE, because deleted data would stay readable in the old frames. What was committed stays so.

        `wait_ms`: how long readers and writers of other processes are waited for.
        """
        try:
            with FileLock(f"{self.path}.checkpoint.lock", timeout=0, mode=0o600):
                pragma(db, f"busy_timeout={wait_ms}")
                try:
                    found = connecting.row(db, "wal_checkpoint(TRUNCATE)")
                finally:
                    pragma(db, f"busy_timeout={connecting.BUSY_MS}")
        except Timeout:
            return False  # another process checkpoints, perhaps only what was there before
        except (sqlite3.Error, OSError) as exc:
            log.warning("The write-ahead log is not emptied yet: %s.", exc)
            return False
        return found is not None and not found[0]
