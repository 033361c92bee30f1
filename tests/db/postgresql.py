"""A real PostgreSQL server in a temporary folder, where its programs are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from callwright.db.database import Database

from .kept import SCHEMAS


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: on PATH, or where Debian puts it."""
    if found := shutil.which("pg_ctl"):
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return installed[-1].parent if installed else None


@contextmanager
def server(programs: Path) -> Generator[str]:
    """Gives the conninfo of a server that listens on a socket in its own folder. It keeps nothing safe: no fsync."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    owner = _not_root(folder)
    data = folder / "data"

    def run(name: str, *args: str) -> None:
        done = subprocess.run(
            [programs / name, "-D", data, *args], cwd=folder, capture_output=True, text=True, check=False, **owner
        )
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        # Names are ordered as a person would, unlike in SQLite: paging must not depend on it.
        order = ("--locale-provider=icu", "--icu-locale=en-US")
        run("initdb", "-A", "trust", "-U", "callwright", "-E", "UTF8", "--locale=C.UTF-8", *order, "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=40"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"host={folder} user=callwright dbname=postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _not_root(folder: Path) -> dict[str, Any]:
    """The server refuses to run as root: somebody else owns the folder then."""
    if os.geteuid() != 0:
        return {}
    import pwd  # POSIX only, as root is

    other = next(user for name in ("postgres", "nobody") for user in pwd.getpwall() if user.pw_name == name)
    os.chown(folder, other.pw_uid, other.pw_gid)
    return {"user": other.pw_uid, "group": other.pw_gid}


def fresh(conninfo: str, schema: str) -> str:
    """Makes an empty schema, which is quicker than a database; gives a URL whose connections see nothing else."""
    _execute(conninfo, f"CREATE SCHEMA {schema}")
    return f"{_url(conninfo, 'postgres')}&options=-csearch_path%3D{schema}"


@contextmanager
def migrated(conninfo: str, name: str) -> Generator[str]:
    """The URL of a database that is migrated and empty: it is quicker to copy one than to migrate it."""
    _execute(conninfo, f"CREATE DATABASE {name} TEMPLATE {_template(conninfo)} STRATEGY file_copy")
    try:
        yield _url(conninfo, name)
    finally:
        _execute(conninfo, f"DROP DATABASE {name} (FORCE)")


@cache
def _template(conninfo: str) -> str:
    _execute(conninfo, "CREATE DATABASE template")
    Database(_url(conninfo, "template"), SCHEMAS).close()
    return "template"


def _execute(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement.encode())


def _url(conninfo: str, database: str) -> str:
    known = conninfo_to_dict(conninfo)
    return f"postgresql+psycopg://{known['user']}@/{database}?host={known['host']}"
