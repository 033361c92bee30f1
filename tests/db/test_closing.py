"""The end of a server waits, bounded, for work on the database, and leaves no connection, no task and no socket."""

import asyncio
import threading
from itertools import count
from pathlib import Path

import anyio
import anyio.to_thread
import psycopg
import pytest
from filelock import FileLock
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from callwright.app import App
from callwright.db.database import Database
from callwright.db.in_flight import Closed
from callwright.db.migrations import Component
from callwright.engine.jobs import Jobs
from tests.peers import serving
from tests.transports import settings

from .postgresql import fresh

pytestmark = pytest.mark.anyio

SCHEMA = {"test": Component({"0001_item": "CREATE TABLE item (id INTEGER PRIMARY KEY)"})}
NUMBERS = count()
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}


class Place:
    """A database of its own for one test."""

    def __init__(self, kind: str, url: str, conninfo: str, path: Path) -> None:
        self.kind, self.url, self._conninfo, self._path = kind, url, conninfo, path

    def connections(self) -> int:
        """Open ones of this process, as the system or the server counts them."""
        if self.kind == "sqlite":
            return len(open_files(self._path))
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(self._conninfo) as db:
            return int((db.execute(others).fetchone() or (0,))[0])

    async def has_none(self) -> None:
        """Soon: PostgreSQL takes a moment to notice that a client is gone."""
        with anyio.fail_after(10 if self.kind == "postgresql" else 0.001):
            while self.connections():  # noqa: ASYNC110
                await anyio.sleep(0.01)


def open_files(path: Path) -> list[str]:
    """Of a SQLite database, in this process."""
    found: list[str] = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(fd.readlink()))
        except OSError:  # it was that of the listing
            continue
    return [name for name in found if name.startswith(str(path))]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        if not Path("/proc/self/fd").exists():
            pytest.skip("open files are counted where the system lists them")
        return Place("sqlite", f"sqlite:///{tmp_path / 'data.db'}", "", tmp_path / "data.db")
    conninfo = request.getfixturevalue("running")
    return Place("postgresql", fresh(conninfo, f"closing{next(NUMBERS)}"), conninfo, tmp_path)


class Held:
    """Work that a thread begins, and ends when the test says so."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = anyio.Event(), threading.Event(), False

    def work(self, db: Connection) -> None:
        db.execute(text("CREATE TABLE held (id INTEGER)"))
        anyio.from_thread.run_sync(self.begun.set)
        assert self.go_on.wait(30)
        self.ended = True


async def refusing(database: Database) -> None:
    """Waits until `database` begins nothing more: from then on it is being closed."""
    with anyio.fail_after(60):
        while True:
            try:
                await database.read(lambda db: db.execute(text("SELECT 1")))
            except Closed:
                return


async def test_closing_waits_for_work_whose_task_was_cancelled(place: Place) -> None:
    database, held = Database(place.url, SCHEMA, closing=30), Held()
    task = asyncio.create_task(database.write(held.work))
    await held.begun.wait()
    task.cancel()
    await asyncio.wait([task])
    ended: list[bool] = []

    def close() -> None:
        database.close()
        ended.append(held.ended)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, close)
        await refusing(database)
        held.go_on.set()
    assert ended == [True]
    await place.has_none()
    again = Database(place.url, SCHEMA)
    await again.read(lambda db: db.execute(text("SELECT * FROM held")))  # it was committed
    again.close()


async def test_a_statement_that_does_not_end_is_broken_off(place: Place) -> None:
    database = Database(place.url, SCHEMA, closing=0.05)
    begun = anyio.Event()

    def endless(db: Connection) -> None:
        anyio.from_thread.run_sync(begun.set)
        db.execute(text(ENDLESS[place.kind]))

    async def run() -> None:
        with pytest.raises(DBAPIError, match=r"interrupted|cancel"):
            await database.read(endless)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await begun.wait()
        with anyio.fail_after(60):
            await anyio.to_thread.run_sync(database.close)
    await place.has_none()


async def test_what_does_not_end_at_all_is_told_and_closes_its_connection_itself(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    database, held = Database(place.url, SCHEMA, closing=0.05), Held()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(database.write, held.work)
        await held.begun.wait()
        await anyio.to_thread.run_sync(database.close)
        assert "The database is closed, while 1 threads still work on it." in caplog.text
        assert place.connections() > 0
        held.go_on.set()
    await place.has_none()


async def test_a_server_ends_after_its_handlers_and_before_the_database(tmp_path: Path) -> None:
    app, held, order = App(settings(tmp_path), "embedded"), Held(), list[str]()
    database = await app.database()

    async def handler(scope: object, receive: object, send: object) -> None:
        try:
            await database.write(held.work)
        finally:
            for _ in range(9):  # as one that still tells somebody that it ends
                await asyncio.sleep(0)
            order.append("handler")

    async def close() -> None:
        await app.close()
        order.append("app")

    async with serving(handler, grace=0) as url:
        client = await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2]))
        await client.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await held.begun.wait()
    order.append("server")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(close)
        await refusing(database)
        order.append("thread")
        held.go_on.set()
    assert order == ["handler", "server", "thread", "app"]
    with anyio.fail_after(60):
        while True:  # the connection is closed: its end, or a reset
            try:
                await client.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                break
    await client.aclose()
    assert open_files(tmp_path) == []


async def test_a_server_that_is_cancelled_gives_its_port_back() -> None:
    async def nothing(scope: object, receive: object, send: object) -> None: ...

    port = 0
    with anyio.CancelScope() as scope:
        async with serving(nothing) as url:
            port = int(url.rpartition(":")[2])
            scope.cancel()
            await anyio.sleep_forever()
    with pytest.raises(OSError, match="connection"):
        await anyio.connect_tcp("127.0.0.1", port)


async def test_an_app_that_is_closed_while_it_is_cancelled_closes_everything(tmp_path: Path) -> None:
    app = App(settings(tmp_path), "embedded")
    await app.api()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await app.close()
    assert open_files(tmp_path) == []


async def test_a_database_whose_opening_was_cancelled_is_closed(tmp_path: Path) -> None:
    app = App(settings(tmp_path), "embedded")
    path = tmp_path / "callwright.db"
    with FileLock(f"{path}.migrate.lock", mode=0o600):
        opening = asyncio.create_task(app.database())
        with anyio.fail_after(60):
            while len(open_files(path)) < 2:  # noqa: ASYNC110  # until a thread waits for the lock, which tells nobody
                await asyncio.sleep(0.01)
        opening.cancel()
        await asyncio.wait([opening])
        closing = asyncio.create_task(app.close())
    await closing
    assert open_files(tmp_path) == []


async def test_a_job_that_another_one_starts_at_its_end_is_ended_too() -> None:
    jobs, ended = Jobs(), list[str]()
    begun = anyio.Event()

    async def second() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("second")

    async def first() -> None:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            jobs.start(second(), "second")
            await asyncio.sleep(0)
            ended.append("first")

    jobs.start(first(), "first")
    await begun.wait()
    with anyio.fail_after(2):
        await jobs.aclose()
    assert sorted(ended) == ["first", "second"]
