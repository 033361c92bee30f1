"""Two processes on one database, one of which is killed again and again: what was acknowledged is there, and sound.

Each process is a whole server behind real HTTP, and the clock of each cycle is another, years ahead or behind. A cycle
ends with `kill -9` in the middle of the work; then the file is read without any of our code. After some of them a server
works whose files may not grow, as on a full disk.
"""

import random
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2

from tests.commands.test_cli import environment
from tests.transports import settings

from .campaign import Finding, Json, Report

SHORT, LONG = 4, 200
KEY = "a-key-of-the-campaign"
SECONDS = 60
AT_ONCE = 4
"""Writers at each process."""


@dataclass
class Acknowledged:
    """What the servers have said is done."""

    made: dict[str, str] = field(default_factory=dict[str, str])
    gone: set[str] = field(default_factory=set[str])
    unsure: set[str] = field(default_factory=set[str])
    """Ids whose last request had no answer."""
    odd: list[str] = field(default_factory=list[str])


async def campaign(count: int, seed: int) -> Report:
    chance, report = random.Random(seed), Report()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        home = settings(Path(folder) / "home").home
        known = Acknowledged()
        with _server(home) as bystander:
            for _ in range(count):
                case: Json = {
                    "seed": chance.randrange(2**32), "moments": chance.uniform(0.1, 1.5), "full": sys.platform == "linux" and chance.random() < 0.2,
                    "days": chance.choice((0, 0, -800, -1, 1, 90, 4000)),
                }  # fmt: skip
                wrong = await _cycle(home, bystander, known, case)
                report.counts["kills"] += 1
                report.findings += [Finding(said, case) for said in wrong]
                if wrong:
                    break
        report.counts["acknowledged"] = len(known.made) + len(known.gone)
        report.findings += [
            Finding(said, {"seed": seed, "moments": 0.1, "full": False, "days": 0}) for said in _lost(home, known)
        ]
    return report


async def replay(case: Json) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        home, known = settings(Path(folder) / "home").home, Acknowledged()
        with _server(home) as bystander:
            return await _cycle(home, bystander, known, case)


@contextmanager
def _server(home: Path, days: int = 0) -> Generator[tuple[str, "subprocess.Popen[str]"]]:
    """A whole platform as a process of its own, and its address."""
    command = [sys.executable, "-m", "tests.campaigns.engine_at", str(days * 86_400_000)]
    given = environment(home, CALLWRIGHT_ENGINE_API_KEY=KEY, CALLWRIGHT_LOG_LEVEL="error")
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = re.search(r"http://127\.0\.0\.1:\d+", said := process.stderr.readline())
        assert found, said + process.stderr.read()
        try:
            yield found[0], process
        finally:
            with suppress(ProcessLookupError):
                process.kill()


async def _cycle(
    home: Path, bystander: tuple[str, "subprocess.Popen[str]"], known: Acknowledged, case: Json
) -> list[str]:
    """What was wrong after one process was killed while both of them worked."""
    chance = random.Random(case["seed"])
    try:
        with _server(home, case["days"]) as (url, process):
            async with anyio.create_task_group() as tasks:
                for place in range(AT_ONCE):
                    tasks.start_soon(_works, url, known, random.Random(f"{case['seed']} {place}"), True)
                    tasks.start_soon(_works, bystander[0], known, random.Random(f"{case['seed']} b{place}"), False)
                await anyio.sleep(case["moments"])
                _kill(process)
                tasks.cancel_scope.cancel()
    except AssertionError as exc:
        return [f"a server did not begin after a kill: {str(exc)[:300]}"]
    wrong = [*known.odd, *await anyio.to_thread.run_sync(_lost, home, known)]
    if case["full"] and not wrong:
        wrong += await _full(home, known, chance)
    return wrong


def _kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait(SECONDS)


async def _works(url: str, known: Acknowledged, chance: random.Random, dies: bool) -> None:
    """Makes, changes and deletes agents, one after the other, and notes what was acknowledged."""
    mine: list[str] = []
    async with httpx2.AsyncClient(base_url=url, headers={"xi-api-key": KEY}, timeout=SECONDS) as wire:
        while True:
            name = f"n{chance.randrange(10**9)}"
            id = chance.choice(mine) if mine and chance.random() < 0.6 else ""
            if id:
                known.unsure.add(id)
            try:
                if not id:
                    answer = await wire.post("/v1/convai/agents/create", json={"name": name, "conversation_config": {}})
                    id = answer.json().get("agent_id", "") if answer.is_success else ""
                    if id:
                        mine.append(id)
                        known.made[id] = name
                elif chance.random() < 0.2:
                    answer = await wire.delete(f"/v1/convai/agents/{id}")
                    if answer.is_success:
                        mine.remove(id)
                        known.made.pop(id)
                        known.gone.add(id)
                        known.unsure.discard(id)
                else:
                    answer = await wire.patch(f"/v1/convai/agents/{id}", json={"name": name})
                    if answer.is_success:
                        known.made[id] = name
                        known.unsure.discard(id)
            except (httpx2.TransportError, ValueError):
                if not dies:
                    known.odd.append("the other process did not answer either")
                return
            if not answer.is_success and not dies:
                known.odd.append(f"the other process answered {answer.status_code}: {answer.text[:200]}")
                return


def _lost(home: Path, known: Acknowledged) -> list[str]:
    """What of the acknowledged is not so, read from the file without any of our code."""
    with closing(sqlite3.connect(home / "callwright.db", timeout=SECONDS)) as db:
        sound = db.execute("PRAGMA integrity_check").fetchone()
        rows: dict[str, str] = dict(db.execute("SELECT id, name FROM agent"))
    found = [] if sound == ("ok",) else [f"the file is not sound: {sound}"]
    found += [f"{id} was acknowledged and is gone" for id in known.made if id not in rows and id not in known.unsure]
    found += [
        f"{id} has an older name"
        for id, name in known.made.items()
        if rows.get(id, name) != name and id not in known.unsure
    ]
    return found + [f"{id} was deleted and is there" for id in known.gone & rows.keys()]


async def _full(home: Path, known: Acknowledged, chance: random.Random) -> list[str]:
    """A server whose files may not grow, as on a full disk: it reads, says no to what it cannot keep, and starts again."""
    biggest = max(file.stat().st_size for file in _files(home))
    with _server(home) as (url, process):
        _bound_files(process, biggest)
        # The server hangs up after an answer that is its own mistake.
        alone = httpx2.Limits(max_keepalive_connections=0)
        headers = {"xi-api-key": KEY}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=SECONDS, limits=alone) as wire:
            for _ in range(5):
                name = f"f{chance.randrange(10**9)}"
                config = {"agent": {"prompt": {"prompt": "x" * 200_000}}}
                try:
                    answer = await wire.post(
                        "/v1/convai/agents/create", json={"name": name, "conversation_config": config}
                    )
                except httpx2.TransportError as exc:
                    return [f"a server on a full disk gives no answer ({type(exc).__name__}, ended {process.poll()})"]
                if answer.is_success:
                    known.made[answer.json()["agent_id"]] = name
                elif "Traceback" in answer.text:
                    return [f"a full disk is answered with {answer.text[:200]}"]
            read = await wire.get("/v1/convai/agents")
        _kill(process)
    lost = await anyio.to_thread.run_sync(_lost, home, known)
    return lost if read.status_code == 200 else [f"a read on a full disk is answered {read.status_code}", *lost]


def _bound_files(process: "subprocess.Popen[str]", size: int) -> None:
    """No file of the server may grow beyond this from now on (Linux)."""
    import resource

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))


def _files(home: Path) -> list[Path]:
    return list(home.glob("callwright.db*"))
