"""Puts a kept database where a program opens it: as a SQLite file, or into PostgreSQL with the layout it had."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine

from callwright.db.migrations import Component, statements
from callwright.engine.schema.tables import SCHEMA as ENGINE
from callwright.ledger.tables import SCHEMA as LEDGER

from .filled import JSON, RELEASED

NUMBERED = "CREATE TABLE schema_step (component TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (component, step))"
SCHEMAS: dict[str, Component] = {"engine": ENGINE, "ledger": LEDGER}


def answered(name: str) -> JSON:
    """What was answered from a kept database when it was made."""
    return json.loads((RELEASED / f"{name}.json").read_text("utf-8"))


def load_sqlite(name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript((RELEASED / f"{name}.sql").read_text("utf-8"))


def load_postgresql(url: str) -> None:
    """The database with numbered steps: the steps of its time, then its rows."""
    engine = create_engine(url)
    with engine.begin() as to, closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript((RELEASED / "numbered.sql").read_text("utf-8"))
        to.exec_driver_sql(NUMBERED)
        for schema in SCHEMAS.values():
            for name in schema.numbered:
                for statement in statements(schema.steps[name], "postgresql"):
                    to.exec_driver_sql(statement)
        for (table,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            _copy(kept, to, table)
    engine.dispose()


def _copy(kept: sqlite3.Connection, to: Connection, table: str) -> None:
    columns = {name: kind for _, name, kind, *_ in kept.execute(f"PRAGMA table_info({table})")}

    def value(kind: str, found: Any) -> Any:
        return bool(found) if kind == "BOOLEAN" and found is not None else found

    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
    for row in kept.execute(f"SELECT {', '.join(columns)} FROM {table}"):
        to.exec_driver_sql(sql, tuple(value(*each) for each in zip(columns.values(), row, strict=True)))
