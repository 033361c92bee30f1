"""Leases: which process holds which conversations, and which processes are dead.

A process that holds conversations renews one lease for all of them. A conversation without a valid lease is over: the
first engine that finds it closes it, at its start and every few seconds from then on. For a dead process of the same
machine the expiry of the lease is not awaited.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from ...contract.errors import Unavailable
from ..schema.live import live_conversation, live_holder

if TYPE_CHECKING:
    from ..runtime import Engine

LEASE_MS = 30_000
RENEW_SECONDS = 8.0

log = logging.getLogger(__name__)


async def tend(engine: "Engine") -> None:
    """Close orphaned conversations, now and periodically while this engine lives; also one whose disk is full."""
    await _while_stored(engine, sweep)
    engine.jobs.start(_watch(engine), "leases of live conversations")


async def sweep(engine: "Engine") -> None:
    """Close the conversations of dead processes."""
    rows = await engine.database.read(lambda db: _orphans(db, engine.holder, engine.clock()))
    if not rows:
        return
    from .ending import close_orphan

    for row in rows:
        unit = engine.unit(row["workspace"])
        await unit.write(lambda tx, row=row: close_orphan(tx, row["id"], talking=row["talking"]))


def renew(db: Connection, holder: str, now_ms: int) -> None:
    lease = {"lease_ms": now_ms + LEASE_MS}
    renewed = db.execute(update(live_holder).where(live_holder.c.holder == holder).values(**lease))
    if not renewed.rowcount:
        db.execute(insert(live_holder).values(holder=holder, **lease))


async def _watch(engine: "Engine") -> None:
    while True:
        await engine.sleep(RENEW_SECONDS)
        await _while_stored(engine, _renewed)


async def _renewed(engine: "Engine") -> None:
    await engine.database.write(lambda db: _renew_if_needed(db, engine.holder, engine.clock()))
    await sweep(engine)


async def _while_stored(engine: "Engine", work: Callable[["Engine"], Awaitable[None]]) -> None:
    """What storage refuses now is done the next time."""
    try:
        await work(engine)
    except Unavailable as exc:
        log.warning("The leases of live conversations are not renewed: %s", exc)


def _renew_if_needed(db: Connection, holder: str, now_ms: int) -> None:
    found = select(live_conversation.c.id).where(live_conversation.c.holder == holder).limit(1)
    if db.execute(found).first() is not None:
        renew(db, holder, now_ms)
    db.execute(delete(live_holder).where(live_holder.c.lease_ms < now_ms - LEASE_MS))


def _orphans(db: Connection, me: str, now_ms: int) -> Sequence[RowMapping]:
    held = (
        select(live_conversation, live_holder.c.lease_ms)
        .outerjoin(live_holder, live_holder.c.holder == live_conversation.c.holder)
        .where(live_conversation.c.holder != me)
    )
    rows = db.execute(held).mappings().all()
    return [row for row in rows if (row["lease_ms"] or 0) <= now_ms or _is_dead(row["holder"], me)]


def _is_dead(holder: str, me: str) -> bool:
    """Whether the holder was a process of this machine whose pid is free, or now belongs to this process."""
    host, pid, _ = holder.rsplit("/", 2)
    my_host, my_pid, _ = me.rsplit("/", 2)
    if host != my_host:
        return False
    if pid == my_pid:
        return True
    if os.name != "posix":  # on Windows os.kill would end the process
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
