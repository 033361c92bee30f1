"""Backups of a SQLite file, one before each migration, so that a person can return to the previous version."""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from .. import __version__
from ..contract.errors import Unavailable

KEPT = 3
"""Backups of one file. The oldest are removed, because they may still contain data that was deleted since."""

log = logging.getLogger(__name__)


class NotCopied(Unavailable):
    """The backup before a migration could not be written, so the migration was not run."""

    code = "database_not_copied"


def keep_copy(path: Path) -> Path:
    """Copy the current file to `<name>.before-<version>`, readable by this user alone. Raises NotCopied.

    The caller holds the write lock. A backup of the same version is replaced: it comes from a start whose migration did
    not complete. The file gets its final name only when it is complete.
    """
    copy = path.with_name(f"{path.name}.before-{__version__}")
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        # SQLite writes into an existing empty file, which keeps its mode.
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as db:
            db.execute("VACUUM INTO ?", [str(unfinished)])
        _flush(unfinished)
        os.replace(unfinished, copy)
    except (OSError, sqlite3.Error) as exc:
        unfinished.unlink(missing_ok=True)
        raise NotCopied(
            f"The database {path} was not brought to version {__version__}, because no copy of it could be kept"
            f" before ({exc}). Make room for {path.stat().st_size // 1_000_000 + 1} MB in its folder, and start again."
        ) from None
    for old in copies_of(path)[:-KEPT]:
        old.unlink(missing_ok=True)
    log.warning(
        "The database is brought to version %s. As it was before, it is kept in %s (the last %d such copies are), until"
        " something is deleted, which it would still hold; to go back, end the program, and put that file in the place"
        " of %s.", __version__, copy, KEPT, path.name,
    )  # fmt: skip
    return copy


def copies_of(path: Path) -> list[Path]:
    """From the oldest to the newest."""
    return sorted(path.parent.glob(f"{path.name}.before-*"), key=lambda each: each.stat().st_mtime_ns)


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
