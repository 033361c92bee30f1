"""Homes of servers under test: in memory where the machine has room for it, and migrated once for all of them."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from callwright.app import App
from callwright.settings import Settings

MEMORY = Path("/dev/shm")
"""A file system in memory, as Linux has it. A flush to the disk costs nothing there."""
ROOM = 2 << 30
"""Bytes that must be free there: the profiles of browsers and the data of a PostgreSQL server are large."""


def keep_in_memory() -> None:
    """Let this process, and those that inherit its environment, make temporary files in memory.

    A choice that the environment made already (`TMPDIR`) stays.
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("TMPDIR", str(MEMORY))


def put_database_into(home: Path) -> None:
    """Copy an empty database of the newest version into `home`, unless one is there: a server need not migrate then."""
    file = home / "callwright.db"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(0o600)
        file.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    """The database of a server that was started and stopped once. No key was made for it: each home has its own."""
    with tempfile.TemporaryDirectory() as folder, start_blocking_portal() as portal:
        app = App(Settings(home=Path(folder)), "embedded")
        portal.call(app.database)
        portal.call(app.close)
        return (Path(folder) / "callwright.db").read_bytes()
