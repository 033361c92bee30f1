"""`python migrating.py URL ADDED EVERY`: migrates a database again and again, and is killed a little later each time.

Each attempt is a process of its own. It kills itself before its first statement on the database, or its first change
of a file; the next attempt EVERY of these later, and so on, until one gets to the end. ADDED is SQL that a step adds
to the middle of the engine's. Prints how many attempts were killed.
"""

import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine, event

from callwright.db.database import Database
from callwright.db.migrations import Component
from callwright.engine.schema.tables import SCHEMA as ENGINE
from callwright.ledger.tables import SCHEMA as LEDGER

ON_FILES = {"os.rename", "os.remove", "sqlite3.connect"}


def with_added(sql: str) -> dict[str, Component]:
    """The schema of a later version: a step more in the middle of the engine's, and one more at the ledger's end."""
    steps: dict[str, Any] = {}
    for name, step in ENGINE.steps.items():
        steps[name] = step
        if name.startswith("agent_tools/"):
            steps["agent_tools/9999_added"] = sql
    ledger = {**LEDGER.steps, "9999_note": "ALTER TABLE ledger_change ADD COLUMN note TEXT"}
    return {"engine": Component(steps, ENGINE.numbered), "ledger": Component(ledger, LEDGER.numbered)}


def migrate(url: str, added: str, kill_at: int) -> None:
    done = 0

    def act(*_: object) -> None:
        nonlocal done
        done += 1
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(name: str, _: object) -> None:
        if name in ON_FILES:
            act()

    event.listen(Engine, "before_cursor_execute", act)
    event.listen(Engine, "commit", act)
    sys.addaudithook(watch)
    Database(url, with_added(added)).close()


def main(url: str, added: str, every: str) -> int:
    for attempt, kill_at in enumerate(range(1, 1000, int(every))):
        child = os.fork()
        if child == 0:
            migrate(url, added, kill_at)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return attempt
        assert os.WTERMSIG(status) == signal.SIGKILL, status
    raise AssertionError("no attempt got to the end")


if __name__ == "__main__":
    sys.stdout.write(f"{main(*sys.argv[1:])}\n")
