"""Processes that write, for tests of several processes on one file.

`python writer.py write URL NAME SECONDS` writes for so long. `python writer.py killed URL KILLS` starts one writer
after the other and kills each in the middle of its work. Both print the id of each row once it is committed: what was
printed was acknowledged.
"""

import os
import random
import signal
import sys
import time

import anyio
from sqlalchemy import Connection, text

from callwright.db.database import Database
from callwright.db.migrations import Component

SCHEMA = Component({"0001_item": "CREATE TABLE item (id TEXT PRIMARY KEY, payload TEXT NOT NULL)"})
PAYLOAD = "x" * 2000


async def write(url: str, name: str, seconds: float) -> None:
    database = Database(url, {"test": SCHEMA})
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        id = f"{name}-{number}"
        await database.write(lambda db, id=id: insert(db, id))
        sys.stdout.write(f"{id}\n")
        sys.stdout.flush()
        if number % 10 == 0:
            await database.read(lambda db: db.execute(text("SELECT count(*) FROM item")).scalar_one())
        number += 1
    database.close()


def insert(db: Connection, id: str) -> None:
    """As a rule does: read, then write, in one transaction."""
    row = {"id": id, "payload": PAYLOAD}
    assert db.execute(text("SELECT count(*) FROM item WHERE id = :id"), row).scalar_one() == 0
    db.execute(text("INSERT INTO item VALUES (:id, :payload)"), row)


def killed(url: str, kills: int) -> None:
    chance = random.Random(kills)
    for cycle in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            anyio.run(write, url, f"killed{cycle}", float("inf"))
        os.close(writing)
        with os.fdopen(reading) as lines:
            for _ in range(chance.randrange(1, 30)):
                sys.stdout.write(next(lines))
            os.kill(child, signal.SIGKILL)
            sys.stdout.write(lines.read())
        os.waitpid(child, 0)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        anyio.run(write, sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        killed(sys.argv[2], int(sys.argv[3]))
