"""What the database promises by itself: transactions, steps, private files, and that what was deleted is gone."""

import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count as count_from
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from callwright.db.database import CHECKPOINT_AT_LAST, CHECKPOINT_EVERY, Database
from callwright.db.migrations import Component, NewerDatabase, Sql

pytestmark = pytest.mark.anyio

Steps = dict[str, str | Sql]
ONE: Steps = {
    "0001_item": "CREATE TABLE item (id INTEGER PRIMARY KEY, payload TEXT); CREATE INDEX by_payload ON item (payload);"
}
SIZE = "ALTER TABLE item ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE item SET size = length(payload);"
TWO: Steps = {**ONE, "0002_size": SIZE}


@contextmanager
def opened(folder: Path, steps: Steps = ONE, seconds: float = 1.0) -> Generator[Database]:
    """`seconds`: from one write to the next, as the database sees it."""
    times = count_from(0.0, seconds)
    database = Database(f"sqlite:///{folder / 'in' / 'data.db'}", {"test": Component(steps)}, now=lambda: next(times))
    try:
        yield database
    finally:
        database.close()


def add(id: int, payload: str = "p") -> Callable[[Connection], None]:
    def work(db: Connection) -> None:
        db.execute(text("INSERT INTO item (id, payload) VALUES (:id, :payload)"), {"id": id, "payload": payload})

    return work


def count(db: Connection) -> int:
    return db.execute(text("SELECT count(*) FROM item")).scalar_one()


async def test_an_older_database_is_brought_up_to_date_with_what_is_in_it(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as database:
        await database.write(add(1, "four"))
    for _ in range(2):  # the second time nothing is to be done
        with opened(tmp_path, TWO) as database:
            rows = await database.read(lambda db: db.execute(text("SELECT id, payload, size FROM item")).all())
            assert [tuple(row) for row in rows] == [(1, "four", 4)]


async def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with opened(tmp_path, TWO) as database:
        await database.write(add(1, "four"))
    with (
        pytest.raises(NewerDatabase, match="it has the step test/0002_size, which this one does not know"),
        opened(tmp_path, ONE),
    ):
        pass
    with opened(tmp_path, TWO) as database:
        assert await database.read(count) == 1


async def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path, ONE) as database:
        await database.write(add(1, "four"))
    broken: Steps = {**ONE, "0002_broken": "ALTER TABLE item ADD COLUMN a TEXT; DROP TABLE nothing;"}
    with pytest.raises(OperationalError, match="nothing"), opened(tmp_path, broken):
        pass
    with opened(tmp_path, TWO) as database:
        assert await database.read(count) == 1


async def test_components_have_steps_of_their_own(tmp_path: Path) -> None:
    one, other = Component(ONE), Component({"0001_other": "CREATE TABLE other (id INTEGER)"})
    where = f"sqlite:///{tmp_path / 'data.db'}"
    Database(where, {"test": one}).close()
    database = Database(where, {"test": one, "other": other})
    assert await database.read(lambda db: db.execute(text("SELECT count(*) FROM other")).scalar_one()) == 0
    database.close()


async def test_work_that_raises_is_rolled_back(tmp_path: Path) -> None:
    def fails(db: Connection) -> None:
        add(1)(db)
        raise ValueError("half way")

    with opened(tmp_path) as database:
        with pytest.raises(ValueError, match="half way"):
            await database.write(fails)
        assert await database.read(count) == 0


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with opened(tmp_path) as database, pytest.raises(OperationalError, match="readonly"):
        await database.read(add(1))


async def test_an_error_does_not_tell_the_values(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        with pytest.raises(Exception, match="constraint") as caught:  # noqa: PT012
            for _ in range(2):
                await database.write(add(1, "canary-4711"))
        assert "canary" not in str(caught.value)


async def test_readers_see_one_moment_while_others_write(tmp_path: Path) -> None:
    entered, written = anyio.Event(), anyio.Event()

    def twice(db: Connection) -> tuple[int, int]:
        before = count(db)
        anyio.from_thread.run_sync(entered.set)
        anyio.from_thread.run(written.wait)
        return before, count(db)

    seen: list[tuple[int, int]] = []
    with opened(tmp_path) as database:

        async def reads() -> None:
            seen.append(await database.read(twice))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reads)
            await entered.wait()
            await database.write(add(1))
            written.set()
        assert await database.read(count) == 1
    assert seen == [(0, 0)]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
async def test_only_this_user_may_read_the_files(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        for number in range(CHECKPOINT_EVERY):  # so that the file of the lock is there too
            await database.write(add(number))
        modes = {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in (tmp_path / "in").iterdir()}
    assert {"data.db", "data.db-wal"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}
    assert oct(stat.S_IMODE((tmp_path / "in").stat().st_mode)) == "0o700"


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
async def test_a_database_that_was_copied_here_is_made_private(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "in" / "data.db").chmod(0o644)
    with opened(tmp_path):
        assert oct(stat.S_IMODE((tmp_path / "in" / "data.db").stat().st_mode)) == "0o600"


async def test_what_was_deleted_is_not_in_any_file_after_a_checkpoint(tmp_path: Path) -> None:
    def bytes_of_files() -> bytes:
        return b"".join(file.read_bytes() for file in (tmp_path / "in").iterdir())

    with opened(tmp_path) as database:
        for id in range(3):
            await database.write(add(id, f"canary-{id} " * 3000))
        assert b"canary-1" in bytes_of_files()
        await database.write(lambda db: db.execute(text("DELETE FROM item WHERE id = 1")))
        for _ in range(CHECKPOINT_EVERY - 4):
            await database.write(lambda db: db.execute(text("UPDATE item SET payload = payload WHERE id = -1")))
        found = bytes_of_files()
    assert b"canary-1" not in found
    assert b"canary-2" in found


async def test_a_process_that_writes_all_the_time_checkpoints_late_and_once_it_rests(tmp_path: Path) -> None:
    def sizes() -> int:
        return (tmp_path / "in" / "data.db-wal").stat().st_size

    with opened(tmp_path, seconds=0.0) as database:
        for number in range(CHECKPOINT_AT_LAST - 1):
            await database.write(add(number), flush=False)
        assert sizes() > CHECKPOINT_AT_LAST * 4096
        await database.write(add(-1), flush=False)
        assert sizes() == 0
    with opened(tmp_path) as database:
        for number in range(CHECKPOINT_EVERY):
            await database.write(add(-2 - number), flush=False)
        assert sizes() == 0


async def test_what_short_lived_processes_left_is_checkpointed_by_the_next(tmp_path: Path) -> None:
    """None of them writes often enough to do it, and an idle one keeps the file open."""
    wal = tmp_path / "in" / "data.db-wal"
    with opened(tmp_path):
        sizes: list[int] = []
        for id in range(6):
            with opened(tmp_path) as short:
                await short.write(add(id, "x" * 1_500_000))
                sizes.append(wal.stat().st_size)
    assert max(sizes) < 4_000_000


async def test_settings_of_every_connection(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "wal_autocheckpoint")

    def settings(db: Connection) -> list[object]:
        count(db)
        return [db.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

    with opened(tmp_path) as database:
        assert await database.read(settings) == ["wal", 2, 1, 1, 0]
        assert await database.write(settings) == ["wal", 2, 1, 1, 0]


async def test_a_commit_that_is_not_flushed_is_seen_at_once_and_the_next_one_is_flushed(tmp_path: Path) -> None:
    def level(db: Connection) -> int:
        return db.exec_driver_sql("PRAGMA synchronous").scalar_one()

    def failing(_: Connection) -> None:
        raise ValueError("no more paper")

    full, normal = 2, 1
    with opened(tmp_path) as one, opened(tmp_path) as two:
        await one.write(add(1), flush=False)
        assert await two.read(count) == 1
        assert (await one.write(level, flush=False), await one.write(level)) == (normal, full)
        with pytest.raises(ValueError, match="no more paper"):
            await one.write(failing, flush=False)
        assert await one.write(level) == full
