"""What can be wrong with storage, in words: a full disk, a file that cannot be written, a damaged database."""

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from ..contract.errors import ApiError, Unavailable


class DiskFull(Unavailable):
    """507, which clients do not send again by themselves."""

    status, code = 507, "disk_full"

    def __init__(self) -> None:
        super().__init__(
            "The disk that holds the database is full, so that changes are refused and only reading works. Make room"
            " there (callwright doctor names the folder), and try again; no restart is needed."
        )


class NotWritable(Unavailable):
    code = "database_not_writable"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database cannot be written ({why}), so that changes are refused. Let the user who runs this program"
            " write the file and its folder (callwright doctor names them), and try again; no restart is needed."
        )
        self.why = why


class NotOpened(Unavailable):
    code = "database_not_opened"

    def __init__(self, why: str) -> None:
        super().__init__(f"The database cannot be opened ({why}). callwright doctor names its file.")
        self.why = why


class Damaged(Unavailable):
    code = "database_damaged"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database is damaged ({why}). End the program, keep the file (callwright doctor names it) and those"
            " beside it aside, and put a backup in its place."
        )


class Busy(Unavailable):
    code = "database_busy"

    def __init__(self) -> None:
        super().__init__("Another process has held the database for too long.")


class ServerFault(Unavailable):
    """PostgreSQL does not answer, or takes nothing."""

    code = "database_unavailable"

    def __init__(self, state: str | None) -> None:
        said = f"answers with the state {state}" if state else "does not answer"
        super().__init__(f"The database server {said}.")


@contextmanager
def in_words(*, reads: bool = False) -> Generator[None]:
    """Raise what is wrong with storage as one of the errors above. Defects stay: for `reads` a write is one."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as exc:
        fault = fault_of(exc)
        if fault is None or (reads and isinstance(fault, NotWritable)):
            raise
        raise fault from None


def fault_of(exc: Exception) -> ApiError | None:
    """None for a defect, such as a violated constraint."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    if isinstance(cause, OSError):
        return _of_system(cause)
    state = getattr(cause, "sqlstate", None)
    if isinstance(exc, DBAPIError) and (exc.connection_invalidated or state is None):
        return ServerFault(None) if type(cause).__name__ == "OperationalError" else None
    return _of_postgresql(str(state))


def _of_sqlite(exc: sqlite3.Error) -> ApiError | None:
    code = getattr(exc, "sqlite_errorcode", 0)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
        return DiskFull()
    match code & 0xFF:
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return NotWritable("it can only be read")
        case sqlite3.SQLITE_IOERR:
            return (NotOpened if code in _READING else NotWritable)("the disk reports an error")
        case sqlite3.SQLITE_CANTOPEN:
            return NotOpened("the file, or one that belongs to it, cannot be opened")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Damaged("the file is no database" if code == sqlite3.SQLITE_NOTADB else "a part cannot be read")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Busy()
        case _:
            return None


_READING = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT})


def _of_system(exc: OSError) -> ApiError | None:
    match exc.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return DiskFull()
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return NotWritable(str(exc.strerror))
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.EIO | errno.EMFILE | errno.ENFILE:
            return NotOpened(str(exc.strerror))
        case _:
            return None


def _of_postgresql(state: str) -> ApiError | None:
    if state == "53100":
        return DiskFull()
    if state in ("25006", "42501"):
        return NotWritable("its server allows reading only")
    # Connections, resources, the operator's intervention, its own disk.
    return ServerFault(state) if state[:2] in ("08", "53", "57", "58") and state != "57014" else None
