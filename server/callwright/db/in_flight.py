"""Work that threads do on connections, so that closing can wait for it."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine

from ..contract.errors import Unavailable

CANCEL_SECONDS = 1.0
"""How long a PostgreSQL server may take to hear that a statement is to be broken off."""


class Closed(Unavailable):
    """The database was closed, or is about to be."""

    code = "database_closed"

    def __init__(self) -> None:
        super().__init__("The database is closed, because the server is ending.")


class InFlight:
    """Which threads work. A task that is cancelled leaves its thread behind, and the thread its transaction."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: set[Any] = set()
        self._threads = 0
        self._closed = False

    @contextmanager
    def connection(self, engine: Engine) -> Generator[Connection]:
        """A connection for this thread. It goes back to its pool, or is closed where that is closed. Raises Closed."""
        with self._changed:
            if self._closed:
                raise Closed
            self._threads += 1
        try:
            with engine.connect() as db, self._known(db.connection.dbapi_connection):
                try:
                    yield db
                finally:
                    if self._closed:
                        db.detach()
        finally:
            with self._changed:
                self._threads -= 1
                self._changed.notify_all()

    def refuse(self) -> None:
        """From now on nothing begins."""
        with self._changed:
            self._closed = True

    def wait(self, seconds: float) -> int:
        """Until nothing is done any more, or for so long. Gives how many threads still work."""
        with self._changed:
            self._changed.wait_for(lambda: self._threads == 0, seconds)
            return self._threads

    def interrupt(self) -> None:
        """Breaks off the statements that run now; their work fails, and is rolled back."""
        with self._changed:
            running = list(self._connections)
        for connection in running:
            with suppress(Exception):  # it has ended meanwhile, or its server is gone
                if isinstance(connection, sqlite3.Connection):
                    connection.interrupt()
                else:
                    connection.cancel_safe(timeout=CANCEL_SECONDS)

    @contextmanager
    def _known(self, connection: Any) -> Generator[None]:
        with self._changed:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._connections.discard(connection)
