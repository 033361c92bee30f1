"""What was deleted is gone from the files at once: from the write-ahead log, and from copies of the file.

SQLite overwrites what is deleted from the file itself (`secure_delete`), but the log still holds it until a checkpoint
truncates it. Housekeeping does not wait for that, because it deletes nothing that anybody wrote.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Delete, Engine, Update, event

from .copies import copies_of

Erases = Literal["nothing", "log", "all"]
HOUSEKEEPING = {"erases": "nothing"}
"""`info` of a table with ids and times only, or whose rows are moved and not deleted."""
PASSING = {"erases": "log"}
"""`info` of a table of what passes by itself, and is no reason to remove the copies of the file."""
_ORDER: tuple[Erases, ...] = ("nothing", "log", "all")
_NOTE = "callwright.erases"

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 10.0
TOLD_AFTER = 5
"""Failures in a row after which the log says that the text is still there."""

log = logging.getLogger(__name__)


def watch(engine: Engine) -> None:
    """Note on each connection what its transaction has erased: by deletes, and by updates with the option `erases`."""

    @event.listens_for(engine, "after_execute")
    def note(  # pyright: ignore[reportUnusedFunction]
        connection: Connection, statement: Any, _: Any, __: Any, ___: Any, result: Any
    ) -> None:
        if isinstance(statement, Delete):
            said = getattr(statement.table, "info", {}).get("erases", "all")
        elif isinstance(statement, Update):
            said = statement.get_execution_options().get("erases", "nothing")
        else:
            return
        if result.rowcount:
            erase(connection, said)


def erase(connection: Connection, what: Erases = "all") -> None:
    """Let the end of this transaction take what it has replaced out of the other files."""
    connection.info[_NOTE] = max(erased(connection), what, key=_ORDER.index)


def erased(connection: Connection) -> Erases:
    return connection.info.get(_NOTE, "nothing")


def begin_anew(connection: Connection) -> None:
    connection.info.pop(_NOTE, None)


def remove_copies(path: Path) -> None:
    """Copies from before a migration hold everything that was there, and so what was just deleted."""
    gone = [copy for copy in copies_of(path) if _removed(copy)]
    if gone:
        names = ", ".join(copy.name for copy in gone)
        log.warning("Something was deleted, which copies from before a migration still held. Removed: %s.", names)


def _removed(copy: Path) -> bool:
    try:
        copy.unlink()
    except FileNotFoundError:
        return False
    except OSError as exc:
        log.warning("The copy %s still holds what was deleted: it cannot be removed (%s).", copy, exc.strerror)
        return False
    return True


class Retries:
    """Tries again, in a thread of its own, until `attempt` returns True: a reader may hold the log for a while."""

    def __init__(self, attempt: Callable[[], bool]) -> None:
        self._attempt = attempt
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._failures, self._stopped = 0, False

    @property
    def waits(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        with self._lock:
            if self._timer is None and not self._stopped:
                self._failures = 0
                self._wait()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._timer:
                self._timer.cancel()

    def _wait(self) -> None:
        seconds = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**self._failures)
        self._timer = threading.Timer(seconds, self._try)
        self._timer.daemon = True
        self._timer.start()

    def _try(self) -> None:
        done = self._attempt()
        with self._lock:
            self._timer = None
            if done or self._stopped:
                return
            self._failures += 1
            if self._failures == TOLD_AFTER:
                log.warning(
                    "What was deleted is still in the write-ahead log of the database: another process reads it, or the"
                    " disk is full. It is tried again."
                )
            self._wait()
