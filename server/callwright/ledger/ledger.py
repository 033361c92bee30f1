"""Changes and approvals, in the database, so that all processes on it share them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, and_, delete, insert, or_, select, update

from ..db.database import Database
from .tables import change, pending, spent

ApprovedBy = Literal["person", "policy", "preview"]
Outcome = Literal["unknown", "done", "failed", "declined", "refused"]
Needs = Literal["person", "token"]

UNDOING = "in progress"
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read as something else


@dataclass(frozen=True)
class Pending:
    """A question about one call, with its text as it was first shown."""

    code: str
    who: str
    tool: str
    question: str
    needs: Needs
    state: Literal["open", "approved"]
    created_ms: int
    expires_ms: int


@dataclass(frozen=True)
class Intent:
    """What is about to be done. `request` and `previous` hold no secrets."""

    platform: str
    who: str
    tool: str
    operation: str
    target: str
    digest: str
    approved_by: ApprovedBy
    request: dict[str, Any] | None
    previous: dict[str, Any] | None


class Ledger:
    def __init__(self, db: Database, now_ms: Callable[[], int]) -> None:
        self._db, self._now = db, now_ms

    # --- approvals

    async def pin(self, *, who: str, tool: str, digest: str, question: str, needs: Needs, seconds: int) -> Pending:
        """The pending approval of exactly this call: the one that is open already, else a new one."""

        def work(db: Connection) -> Pending:
            now = self._now()
            # Declined and expired questions hold text about people's data: they go, and the audit keeps the decision.
            db.execute(delete(pending).where(pending.c.expires_ms < now))
            found = select(pending).where(
                pending.c.digest == digest,
                pending.c.who == who,
                pending.c.needs == needs,
                pending.c.state.in_(("open", "approved")),
            )
            if (row := db.execute(found).mappings().first()) is not None:
                return _pending(row)
            code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
            row = {"code": code, "who": who, "tool": tool, "question": question, "needs": needs, "state": "open"}
            times = {"created_ms": now, "expires_ms": now + 1000 * seconds}
            db.execute(insert(pending).values(**row, **times, digest=digest))
            return Pending(**row, **times)  # pyright: ignore[reportArgumentType]

        return await self._db.write(work)

    async def spend(self, code: str, *, state: Literal["open", "approved"]) -> bool:
        """Use an approval up; False where that was done already, or it expired, or it is not in that state."""
        return await self._move(code, state, "spent")

    async def close(self, code: str) -> None:
        await self._db.write(lambda db: db.execute(delete(pending).where(pending.c.code == code)))

    async def approve(self, code: str) -> Pending | None:
        """A person says yes, outside the conversation. None where nothing with that code is open."""
        if not await self._move(code.strip().upper(), "open", "approved", needs="person"):
            return None
        found = select(pending).where(pending.c.code == code.strip().upper())
        return await self._db.read(lambda db: _pending(db.execute(found).mappings().one()))

    async def waiting(self) -> list[Pending]:
        """What waits for a person, oldest first."""
        found = (
            select(pending)
            .where(pending.c.state == "open", pending.c.needs == "person", pending.c.expires_ms >= self._now())
            .order_by(pending.c.created_ms)
        )
        return await self._db.read(lambda db: [_pending(row) for row in db.execute(found).mappings()])

    async def spend_once(self, token: str, *, seconds: int) -> bool:
        """Whether this is the first time that `token` is seen within its life."""

        def work(db: Connection) -> bool:
            db.execute(delete(spent).where(spent.c.expires_ms < self._now()))
            if db.execute(select(spent.c.id).where(spent.c.id == token)).first():
                return False
            db.execute(insert(spent).values(id=token, expires_ms=self._now() + 1000 * seconds))
            return True

        return await self._db.write(work)

    async def _move(self, code: str, old: str, new: str, needs: Needs | None = None) -> bool:
        where = [pending.c.code == code, pending.c.state == old, pending.c.expires_ms >= self._now()]
        if needs:
            where.append(pending.c.needs == needs)
        moved = update(pending).where(*where).values(state=new)
        return await self._db.write(lambda db: db.execute(moved).rowcount == 1)

    # --- changes

    async def begin(self, intent: Intent, outcome: Outcome = "unknown") -> str:
        """Write the intent before the act, so that a crash leaves a row that says `unknown`."""
        id = f"chg_{secrets.token_hex(10)}"
        row = {**intent.__dict__, "id": id, "at_ms": self._now(), "outcome": outcome}
        await self._db.write(lambda db: db.execute(insert(change).values(**row)))
        return id

    async def finish(self, id: str, outcome: Outcome, *, target: str | None = None) -> None:
        """`target` names what a create made."""
        values = {"outcome": outcome} | ({"target": target} if target else {})
        await self._db.write(lambda db: db.execute(update(change).where(change.c.id == id).values(**values)))

    async def claim_undo(self, id: str) -> bool:
        """Whether the caller is the one who may take this change back: of two at once, one is."""
        mine = update(change).where(change.c.id == id, change.c.undone_by.is_(None)).values(undone_by=UNDOING)
        return await self._db.write(lambda db: db.execute(mine).rowcount == 1)

    async def undone(self, id: str, by: str | None) -> None:
        """After `claim_undo`: which change took it back, or None where that failed."""
        await self._db.write(lambda db: db.execute(update(change).where(change.c.id == id).values(undone_by=by)))

    async def changes(self, *, limit: int, before: tuple[int, str] | None, target: str | None) -> list[dict[str, Any]]:
        """Newest first, without the stored values."""
        columns = [c for c in change.c if c.name not in ("request", "previous", "digest")]
        found = (
            select(*columns, change.c.previous.is_not(None).label("kept"))
            .order_by(change.c.at_ms.desc(), change.c.id.desc())
            .limit(limit)
        )
        if target:
            found = found.where(change.c.target == target)
        if before:
            at_ms, id = before
            older = and_(change.c.at_ms == at_ms, change.c.id < id)
            found = found.where(or_(change.c.at_ms < at_ms, older))
        return await self._db.read(lambda db: [dict(row) for row in db.execute(found).mappings()])

    async def change(self, id: str) -> dict[str, Any] | None:
        def work(db: Connection) -> dict[str, Any] | None:
            row = db.execute(select(change).where(change.c.id == id)).mappings().one_or_none()
            return dict(row) if row is not None else None

        return await self._db.read(work)


def _pending(row: RowMapping) -> Pending:
    return Pending(**{name: row[name] for name in Pending.__dataclass_fields__})
