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

SHARED = "shared"


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
def migrated(conninfo: str) -> Generator[str]:
    """The URL of a database that is migrated and empty. One serves all tests, one after the other: to empty it is
    quicker than to make another one, and what connections read of its layout stays read."""
    url = _made_once(conninfo)
    try:
        yield url
    finally:
        with psycopg.connect(f"{conninfo} dbname={SHARED}", autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET session_replication_role = replica")  # no order between the tables
            connection.execute(_forgetting(conninfo))


@cache
def _made_once(conninfo: str) -> str:
    _execute(conninfo, f"CREATE DATABASE {SHARED}")
    url = _url(conninfo, SHARED)
    Database(url, SCHEMAS).close()
    return url


@cache
def _forgetting(conninfo: str) -> bytes:
    """The statements that delete every row but those that say how far the database is migrated."""
    with psycopg.connect(f"{conninfo} dbname={SHARED}") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return "; ".join(f"DELETE FROM {name}" for (name,) in tables if name != "schema_step").encode()


def _execute(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement.encode())


def _url(conninfo: str, database: str) -> str:
    known = conninfo_to_dict(conninfo)
    return f"postgresql+psycopg://{known['user']}@/{database}?host={known['host']}"
