"""One SQLite file under several processes: a desktop assistant and an editor, both of which may die at any moment."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = os.environ.get("SECONDS_OF_WRITING", "2")
"""How long two processes write against each other. The short form is for every change, a long one from time to time."""
KILLS = os.environ.get("KILLS", "25")
WAL_LIMIT = 12_000_000

WRITER = Path(__file__).with_name("writer.py")


def start(folder: Path, *args: str) -> "subprocess.Popen[bytes]":
    what, *rest = args
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (folder / f"{rest[0]}.out").open("wb") as out, (folder / f"{rest[0]}.err").open("wb") as err:
        command = [sys.executable, str(WRITER), what, f"sqlite:///{folder / 'data.db'}", *rest]
        return subprocess.Popen(command, stdout=out, stderr=err, env=env)


def acknowledged(folder: Path) -> set[str]:
    """What the writers were told is stored."""
    assert [file.read_text() for file in folder.glob("*.err") if file.stat().st_size] == []
    return {line for file in folder.glob("*.out") for line in file.read_text().splitlines()}


def stored(folder: Path) -> set[str]:
    """What is in the file, read without any of our code; the file must be sound."""
    db = sqlite3.connect(folder / "data.db")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = {row[0] for row in db.execute("SELECT id FROM item")}
    db.close()
    return found


def test_two_processes_write_at_once_and_every_row_is_there(tmp_path: Path) -> None:
    writers = [start(tmp_path, "write", name, SECONDS) for name in ("a", "b")]
    wal, largest = tmp_path / "data.db-wal", 0
    for writer in writers:
        while writer.poll() is None:
            largest = max(largest, wal.stat().st_size if wal.exists() else 0)
            try:
                writer.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        assert writer.returncode == 0, (tmp_path / "a.err").read_text() + (tmp_path / "b.err").read_text()
    ids = acknowledged(tmp_path)
    assert stored(tmp_path) == ids
    assert {id.partition("-")[0] for id in ids} == {"a", "b"}
    assert 0 < largest < WAL_LIMIT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    bystander = start(tmp_path, "write", "bystander", "600")
    try:
        assert start(tmp_path, "killed", KILLS).wait(120) == 0
    finally:
        bystander.kill()
        bystander.wait()
    ids, found = acknowledged(tmp_path), stored(tmp_path)
    assert ids <= found
    killed = {id.partition("-")[0] for id in found} - {"bystander"}
    assert len(killed) == int(KILLS)
    # A writer that was killed between its commit and its word has one row more than it said.
    assert len(found - ids) <= int(KILLS) + 1
