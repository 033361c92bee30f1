"""Tracks the threads that work on connections, so that closing can wait for them."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine

from ..contract.errors import Unavailable

CANCEL_SECONDS = 1.0
"""The longest wait for a PostgreSQL server to accept the cancellation of a statement."""


class Closed(Unavailable):
    """The database is closed or closing."""

    code = "database_closed"

    def __init__(self) -> None:
        super().__init__("The database is closed, because the server is ending.")


class InFlight:
    """The set of working threads. A cancelled task leaves its thread running, and the thread its transaction."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: set[Any] = set()
        self._threads = 0
        self._closed = False

    @contextmanager
    def connection(self, engine: Engine) -> Generator[Connection]:
        """A connection for this thread, returned to its pool at the end, or closed if the pool is. Raises Closed."""
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
        """Refuse new work from now on."""
        with self._changed:
            self._closed = True

    def wait(self, seconds: float) -> int:
        """Wait until no thread works, or for `seconds`. Returns how many threads still work."""
        with self._changed:
            self._changed.wait_for(lambda: self._threads == 0, seconds)
            return self._threads

    def interrupt(self) -> None:
        """Cancel the statements that run now; their work fails and is rolled back."""
        with self._changed:
            running = list(self._connections)
        for connection in running:
            with suppress(Exception):  # the statement has ended, or its server is gone
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
