"""Databases of earlier versions are brought to this one, whole or not at all; those of later ones are refused."""

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import create_engine
from sqlalchemy import text as sql

from callwright import __version__
from callwright.db.copies import KEPT, NotCopied
from callwright.db.database import Database
from callwright.db.migrations import Component, NewerDatabase, statements
from callwright.engine.schema.tables import SCHEMA as ENGINE
from callwright.ledger.tables import SCHEMA as LEDGER
from tests.transports import facts, reach, text
from tests.warm import callwright

from .filled import answers, app_on
from .kept import SCHEMAS, answered, load_postgresql, load_sqlite
from .migrating import with_added
from .postgresql import fresh

pytestmark = pytest.mark.anyio

FILE = "callwright.db"
ADDED = "ALTER TABLE tool ADD COLUMN size INTEGER; UPDATE tool SET size = 7; CREATE INDEX tool_by_size ON tool (size)"
NUMBERS = count()


@pytest.fixture
def url(running: str) -> str:
    return fresh(running, f"migrated{next(NUMBERS)}")


def lost(before: Any, now: Any, place: str = "") -> list[str]:
    """Where an answer of before is not part of that of now, which may say more."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [at for key in before for at in lost(before[key], now.get(key), f"{place}/{key}")]  # pyright: ignore
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):  # pyright: ignore
        pairs = enumerate(zip(before, now, strict=True))  # pyright: ignore
        return [at for number, pair in pairs for at in lost(*pair, f"{place}/{number}")]  # pyright: ignore
    return [] if before == now else [f"{place}: {before!r} is now {now!r}"]


def query(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(statement).fetchall()


async def reads_back(home: Path, **chosen: Any) -> None:
    """What a kept database holds is answered as it was, and its sealed values open: a change in it is taken back."""
    app = app_on(home, **chosen)
    assert lost(answered("numbered"), await answers(app)) == []
    async with reach(app, says="yes") as (client, _):
        [agent] = facts(await client.call_tool("list_agents", {"search": "Night"}))["agents"]
        log = facts(await client.call_tool("list_changes", {"target": agent["agent_id"]}))["changes"]
        [update] = [change for change in log if change["tool"] == "update_agent"]
        await client.call_tool("undo_change", {"change_id": update["change_id"]})
        asked = await client.call_tool("get_agent", {"agent_id": agent["agent_id"]})
    assert "You answer for a shop." in text(asked)
    await app.close()


async def test_a_database_with_numbered_steps_opens_and_reads_back(tmp_path: Path) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    await reads_back(tmp_path)
    rows = query(tmp_path / FILE, "SELECT component, step, name FROM schema_step ORDER BY component, step")
    assert rows[:2] == [("engine", 1, "core/0001_tables"), ("engine", 2, "core/0002_vault_check")]
    assert {(component, name) for component, _, name in rows} == {
        (component, name) for component, schema in SCHEMAS.items() for name in schema.steps
    }


async def test_a_database_with_numbered_steps_reads_back_on_postgresql(tmp_path: Path, url: str) -> None:
    load_postgresql(url)
    await reads_back(tmp_path, own_database_url=url)


def test_a_database_is_migrated_once(tmp_path: Path) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()
    [copy] = tmp_path.glob("*.before-*")
    copy.unlink()
    Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()
    assert list(tmp_path.glob("*.before-*")) == []


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "named"])
def test_a_step_added_to_any_part_is_applied_to_an_existing_database(tmp_path: Path, numbered: bool) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    if not numbered:
        Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()
    Database(f"sqlite:///{tmp_path / FILE}", with_added(ADDED)).close()
    assert query(tmp_path / FILE, "SELECT size FROM tool") == [(7,)]
    # A program that knows numbers alone sees that there are more than it knows.
    found = query(tmp_path / FILE, "SELECT component, MAX(step) FROM schema_step GROUP BY component")
    assert found == [("engine", len(ENGINE.steps) + 1), ("ledger", len(LEDGER.steps) + 1)]


def test_the_file_is_copied_before_it_is_migrated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    before = query(tmp_path / FILE, "SELECT * FROM agent"), query(tmp_path / FILE, "SELECT * FROM schema_step")
    Database(f"sqlite:///{tmp_path / FILE}", with_added(ADDED)).close()
    copy = tmp_path / f"{FILE}.before-{__version__}"
    assert (query(copy, "SELECT * FROM agent"), query(copy, "SELECT * FROM schema_step")) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600 or os.name != "posix"
    assert f"As it was before, it is kept in {copy}" in caplog.text
    os.replace(copy, tmp_path / FILE)  # as the log says, once nobody has the file open
    Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()


def test_the_oldest_copies_go(tmp_path: Path) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    for age in range(KEPT + 2):
        old = tmp_path / f"{FILE}.before-0.0.{age}"
        old.touch()
        os.utime(old, (age, age))
    Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()
    kept = {file.name.partition("before-")[2] for file in tmp_path.glob("*.before-*")}
    assert kept == {__version__, *(f"0.0.{age}" for age in range(3, KEPT + 2))}


def test_what_cannot_be_copied_is_not_migrated(tmp_path: Path) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    (tmp_path / f"{FILE}.before-{__version__}").mkdir()  # so that the copy cannot get its name
    with pytest.raises(NotCopied, match=r"was not brought to version .* Make room for 1 MB in its folder"):
        Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS)
    assert [row[1] for row in query(tmp_path / FILE, "PRAGMA table_info(schema_step)")] == ["component", "step"]
    assert list(tmp_path.glob("*.unfinished")) == []


def test_a_new_database_is_not_copied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS).close()
    assert (list(tmp_path.glob("*before*")), caplog.text) == ([], "")


def test_postgresql_is_migrated_without_a_copy_and_the_log_says_so(url: str, caplog: pytest.LogCaptureFixture) -> None:
    load_postgresql(url)
    Database(url, SCHEMAS).close()
    assert "No copy of it is kept, as one is of a SQLite file: that is done with pg_dump" in caplog.text


NEWER = [
    (
        "UPDATE schema_step SET name = 'voice/0001_lines' WHERE component = 'engine' AND step = 3",
        "engine/voice/0001_lines",
    ),
    ("INSERT INTO schema_step (component, step, name) VALUES ('voice', 1, '0001_lines')", "voice/0001_lines"),
]


@pytest.mark.parametrize(("change", "step"), NEWER, ids=["step", "component"])
async def test_a_database_of_a_newer_version_is_refused_in_words(tmp_path: Path, change: str, step: str) -> None:
    app = app_on(tmp_path)
    await app.database()
    await app.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute(change)
    before = query(tmp_path / FILE, "SELECT * FROM schema_step")
    said = f"it has the step {step}, which this one does not know, and this is version {__version__}."
    with pytest.raises(NewerDatabase, match=said):
        await app.database()
    async with reach(app) as (client, _):
        refused = await client.call_tool("list_agents", {})
    assert refused.is_error
    assert said in text(refused)
    assert "Update callwright, or point CALLWRIGHT_HOME" in text(refused)
    await app.close()
    told = await anyio.run_process([*callwright(), "approve"], check=False, env=program(tmp_path))
    assert (told.returncode, told.stdout) == (2, b"")
    assert told.stderr.startswith(b"callwright: The database is of a newer version of callwright: ")
    assert query(tmp_path / FILE, "SELECT * FROM schema_step") == before


def program(home: Path) -> dict[str, str]:
    return {"CALLWRIGHT_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}


def test_numbers_beyond_those_that_were_ever_given_are_of_a_newer_version_too(tmp_path: Path) -> None:
    load_sqlite("numbered", tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("INSERT INTO schema_step VALUES ('engine', 15)")
    with pytest.raises(NewerDatabase, match="it has step 15 of engine, which this one does not know"):
        Database(f"sqlite:///{tmp_path / FILE}", SCHEMAS)


def killed(url: str, *, every: int) -> int:
    """Migrates, killed before each statement in turn, or before `every` so many of them; gives how often."""
    command = [sys.executable, str(Path(__file__).with_name("migrating.py")), url, ADDED, str(every)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
@pytest.mark.parametrize("kept", [True, False], ids=["numbered", "empty"])
def test_a_migration_that_is_killed_is_completed_by_the_next_start(tmp_path: Path, kept: bool) -> None:
    if kept:
        load_sqlite("numbered", tmp_path / FILE)
    assert killed(f"sqlite:///{tmp_path / FILE}", every=1 if kept else 9) > (15 if kept else 5)
    assert query(tmp_path / FILE, "SELECT size FROM tool") == ([(7,)] if kept else [])
    assert query(tmp_path / FILE, "PRAGMA integrity_check") == [("ok",)]
    assert query(tmp_path / FILE, "SELECT note FROM ledger_change WHERE note IS NOT NULL") == []
    if kept:
        [copy] = tmp_path.glob("*.before-*")
        assert len(query(copy, "SELECT * FROM agent")) == 2
        assert [row[1] for row in query(copy, "PRAGMA table_info(schema_step)")] == ["component", "step"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
@pytest.mark.parametrize("kept", [True, False], ids=["numbered", "empty"])
def test_a_migration_that_is_killed_is_completed_on_postgresql_too(url: str, kept: bool) -> None:
    if kept:
        load_postgresql(url)
    assert killed(url, every=1 if kept else 9) > (10 if kept else 5)
    engine = create_engine(url)
    with engine.connect() as db:
        assert db.execute(sql("SELECT size FROM tool")).scalars().all() == ([7] if kept else [])
        assert db.execute(sql("SELECT count(*) FROM ledger_change WHERE note IS NOT NULL")).scalar_one() == 0
    engine.dispose()


RELEASED = {
    "engine/core/0001_tables": "3efeda8c38fb 3efeda8c38fb",
    "engine/core/0002_vault_check": "6d6d1fb0a7dc 6d6d1fb0a7dc",
    "engine/agent_tests/0001_tests_and_runs": "314563fe10b9 314563fe10b9",
    "engine/mcp_servers/0001_servers": "935d22dc2193 935d22dc2193",
    "engine/agent_tools/0001_tools": "ba7d1074dac9 ba7d1074dac9",
    "engine/knowledge/0001_indexes_and_chunks": "c735adf6e03a c735adf6e03a",
    "engine/access/0001_tokens": "a431109e6ff8 a431109e6ff8",
    "engine/widget/0001_avatars": "fc9aeeb7e09c fc9aeeb7e09c",
    "engine/batch_calls/0001_batches": "9f76c4073a49 9f76c4073a49",
    "engine/batch_calls/0002_configuration": "da6d4b81f68a da6d4b81f68a",
    "engine/workspace/0001_documents": "d6e15e1c617a d6e15e1c617a",
    "engine/live/0001_conversations_and_leases": "a58908645619 a58908645619",
    "engine/live/0002_turns": "b2f58f1b5afe b2f58f1b5afe",
    "engine/pronunciation/0001_dictionaries": "5e7429e830e0 5e7429e830e0",
    "engine/auth_connections/0001_connections": "57e3f6db3a7a 57e3f6db3a7a",
    "engine/destinations/0001_approved": "e01bebe25b29 e01bebe25b29",
    "ledger/0001_changes_and_approvals": "dcecc73d6c9d dcecc73d6c9d",
    "ledger/0002_calls_and_entered_values": "ac9eb412181f ac9eb412181f",
}
"""Steps of released versions, and a digest of what each runs on SQLite and on PostgreSQL. A line is added with each new
step. None is ever changed: databases exist that have had it."""


def test_released_steps_stay_as_they_are() -> None:
    def digest(step: Any, dialect: str) -> str:
        return hashlib.sha256("\0".join(statements(step, dialect)).encode()).hexdigest()[:12]

    found = {
        f"{component}/{name}": f"{digest(step, 'sqlite')} {digest(step, 'postgresql')}"
        for component, schema in SCHEMAS.items()
        for name, step in schema.steps.items()
    }
    assert found == RELEASED


def test_steps_may_differ_between_the_databases(tmp_path: Path, url: str) -> None:
    from callwright.db.migrations import Sql

    step = Sql("CREATE TABLE which AS SELECT 'sqlite' AS name", "CREATE TABLE which AS SELECT 'postgresql' AS name")
    for where, name in ((f"sqlite:///{tmp_path / FILE}", "sqlite"), (url, "postgresql")):
        Database(where, {"test": Component({"0001_which": step})}).close()
        engine = create_engine(where)
        with engine.connect() as db:
            assert db.execute(sql("SELECT name FROM which")).scalar_one() == name
        engine.dispose()
