"""What a full, a read-only and a damaged disk do: a sentence instead of a change, and reading goes on."""

import subprocess
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest
from mcp import Client

from callwright.app import App
from callwright.commands.doctor import examine, report
from callwright.http_server.health import Readiness
from tests.commands.test_cli import environment
from tests.disks import Disk, small_disk
from tests.engine.helpers import http
from tests.transports import facts, reach, settings, text
from tests.warm import callwright, python

pytestmark = pytest.mark.anyio

FULL = (
    "The disk that holds the database is full, so that changes are refused and only reading works. Make room there"
    " (callwright doctor names the folder), and try again; no restart is needed."
)
ADA = {"name": "Ada", "prompt": "Help. " * 2000}


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Disk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Generator[None]:
    yield
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def names(client: Client) -> list[str]:
    found = facts(await client.call_tool("list_agents", {}))
    return sorted(row["name"] for row in found["agents"])


async def until_refused(client: Client) -> str:
    """What is said when nothing more fits. A log that has grown already takes a few more changes."""
    while not (answer := await client.call_tool("create_agent", ADA)).is_error:
        pass
    return text(answer)


async def test_a_full_disk_refuses_changes_in_words_and_takes_them_again_without_a_restart(disk: Disk) -> None:
    app = App(settings(disk.root / "home"), "embedded")
    async with reach(app) as (client, _), http(await app.engine()) as wire:
        await client.call_tool("create_agent", {**ADA, "name": "Before"})
        disk.fill()
        assert (await until_refused(client)).startswith(FULL)
        refused = await wire.post("/v1/convai/agents/create", json={"conversation_config": {}, "name": "x" * 100_000})
        assert (refused.status_code, refused.json()["detail"]) == (507, {"status": "disk_full", "message": FULL})
        assert "Before" in await names(client)
        disk.empty()
        await client.call_tool("create_agent", {**ADA, "name": "After"})
        assert {"Before", "After"} <= set(await names(client))
    await app.close()


CRASH = """
import anyio, os, sys
from pathlib import Path
from callwright.app import App
from callwright.contract.agents import CreateAgent
from callwright.settings import Settings
async def main():
    app = App(Settings(home=Path(sys.argv[1])), "embedded")
    app.state_key
    api = await app.api()
    await api.send(CreateAgent.model_validate({"conversation_config": {}, "name": "Before"}))
    os._exit(9)
anyio.run(main)
"""


def crashed(home: Path) -> None:
    """A process that has stored an agent dies, and leaves its log behind."""
    done = subprocess.run([*python(), "-c", CRASH, str(home)], check=False)
    assert done.returncode == 9
    assert (home / "callwright.db-wal").stat().st_size


async def test_after_a_crash_on_a_full_disk_it_starts_and_reads(disk: Disk) -> None:
    home = settings(disk.root / "home").home
    crashed(home)
    disk.fill()
    app = App(settings(home), "embedded")
    async with reach(app) as (client, _):
        assert await names(client) == ["Before"]
        assert (await until_refused(client)).startswith(FULL)
        disk.empty()
        await client.call_tool("create_agent", {**ADA, "name": "After"})
        assert "After" in await names(client)
    await app.close()


@pytest.mark.parametrize("ended", ["cleanly", "by a crash"])
async def test_a_disk_that_can_only_be_read_is_read_and_written_again_later(
    disk: Disk, ended: str, caplog: pytest.LogCaptureFixture
) -> None:
    home = settings(disk.root / "home").home
    if ended == "cleanly":
        before = App(settings(home), "embedded")
        async with reach(before) as (client, _):
            await client.call_tool("create_agent", {**ADA, "name": "Before"})
        await before.close()
    else:
        crashed(home)
    disk.read_only(on=True)
    app = App(settings(home), "embedded")
    async with reach(app) as (client, _):
        assert await names(client) == ["Before"]
        assert "The database can only be read (Read-only file system): every change is refused." in caplog.text
        assert text(await client.call_tool("create_agent", ADA)) == (
            "The database cannot be written (Read-only file system), so that changes are refused. Let the user who runs"
            " this program write the file and its folder (callwright doctor names them), and try again; no restart is"
            " needed. Nothing was changed."
        )
        assert (await Readiness(app)())["database"] == "can only be read"
        disk.read_only(on=False)
        await client.call_tool("create_agent", {**ADA, "name": "After"})
        assert await names(client) == ["After", "Before"]
    await app.close()


async def test_a_home_that_cannot_be_made_is_said_to_be_so(disk: Disk) -> None:
    disk.read_only(on=True)
    app = App(settings(Path("relative") / "x", own_database_url=f"sqlite:///{disk.root}/new.db"), "embedded")
    async with reach(app) as (client, _):
        said = text(await client.call_tool("list_agents", {}))
    assert said.startswith("The database cannot be written (Read-only file system), so")


DAMAGE = {
    "header": (0, "the file is no database"),
    "first page": (100, "a part cannot be read"),
}


@pytest.mark.parametrize("where", DAMAGE)
async def test_a_damaged_database_is_said_to_be_so(tmp_path: Path, where: str) -> None:
    chosen = settings(tmp_path / "home")
    offset, why = DAMAGE[where]
    with (chosen.home / "callwright.db").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 3000)
    app = App(chosen, "embedded")
    said = (
        f"The database is damaged ({why}). End the program, keep the file (callwright doctor names it) and those"
        " beside it aside, and put a backup in its place."
    )
    async with reach(app) as (client, _):
        assert text(await client.call_tool("list_agents", {})) == f"{said} Nothing was changed."
    await app.close()
    command = [*callwright(), "engine", "--port", "0"]
    done = await anyio.run_process(command, env=environment(chosen.home), check=False)
    assert (done.returncode, done.stderr.decode()) == (2, f"callwright: {said}\n")


def test_the_doctor_names_the_damage_and_the_file(tmp_path: Path) -> None:
    chosen = settings(tmp_path / "home")
    file = chosen.home / "callwright.db"
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 2)
        opened.write(b"\xff" * (size // 4))
    told = report(examine(App(chosen, "embedded")))
    assert f"SQLite in the data folder, {file}: The database is damaged (" in told
    assert "Not ready" in told


def test_the_doctor_tells_of_little_room_and_of_none(disk: Disk) -> None:
    chosen = settings(disk.root / "home")
    assert f"{chosen.home} can be written, but its disk has only" in report(examine(App(chosen, "embedded")))
    disk.fill()
    assert "No space left on device" in report(examine(App(chosen, "embedded")))
