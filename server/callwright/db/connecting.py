"""Engines: how a connection is set up, and with which statement each of its transactions begins."""

import os
import sqlite3
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from .faults import NotWritable

BUSY_MS = 10_000  # shorter than the deadline of a call, so that a busy database is an error and not a hang


def pragma(db: Connection, said: str) -> Any:
    """Run outside a transaction: SQLAlchemy begins one for every statement that it executes itself."""
    return next(iter(row(db, said) or ()), None)


def row(db: Connection, said: str) -> tuple[Any, ...] | None:
    return cast(Any, db.connection.dbapi_connection).execute(f"PRAGMA {said}").fetchone()


def make_private(path: Path) -> None:
    """Restrict the file to this user, even one that was copied here; SQLite gives its WAL the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def postgresql(url: str, size: int, begin: str) -> Engine:
    # pre_ping: a restarted server or a firewall leaves dead connections in the pool.
    return _beginning(
        create_engine(url, pool_size=size, max_overflow=0, hide_parameters=True, pool_pre_ping=True), begin
    )


def sqlite(url: str, size: int, begin: str, *, query_only: bool = False) -> Engine:
    # hide_parameters: the text of an IntegrityError must not carry values.
    engine = create_engine(url, pool_size=size, max_overflow=0, hide_parameters=True)
    return _beginning(_prepared(engine, query_only=query_only), begin)


def read_only(path: Path, size: int, why: str) -> Engine:
    """For a file that cannot be written, and why. Raises NotWritable if it cannot be read, either.

    SQLite reads the frames of a write-ahead log through a third file, which it would have to make. Without frames the
    file is whole by itself, and is read as one that nobody changes.
    """
    frames, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    has_frames = frames.exists() and frames.stat().st_size > 0
    if has_frames and not index.exists():
        raise NotWritable(f"{why}, and what {frames.name} holds can be read only where the folder can be written")
    address = f"file:{quote(str(path))}?mode=ro" + ("" if has_frames else "&immutable=1")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False)

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=size, max_overflow=0, hide_parameters=True
    )
    return _beginning(_prepared(engine, query_only=True), "BEGIN")


def _prepared(engine: Engine, *, query_only: bool) -> Engine:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # the driver must not begin by itself
        for said in (
            f"busy_timeout={BUSY_MS}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "temp_store=MEMORY",
            "wal_autocheckpoint=0",
            f"query_only={int(query_only)}",
        ):
            connection.execute(f"PRAGMA {said}")

    return engine


def _beginning(engine: Engine, begin: str) -> Engine:
    """Begin every transaction with this statement."""

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql(begin)

    return engine
