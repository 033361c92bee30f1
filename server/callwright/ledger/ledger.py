"""The audit of changes, and approvals, in the database, so that all processes on it share them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, or_, select, update

from ..contract.errors import Refused
from ..db.database import Database
from .kept import Keeper
from .tables import change, pending, rung, spent

ApprovedBy = Literal["person", "policy", "preview"]
Outcome = Literal["unknown", "done", "failed", "declined", "refused"]
Needs = Literal["person", "value", "token"]
"""How an approval is given: by a person, by a person who also enters a secret value, or by a preview token."""
State = Literal["open", "approved", "declined"]

MOST_WAITING = 50
"""Pending approvals of one principal: more than a person answers, and fewer than a model in a loop would make."""
MOST_WAITING_OF_ALL = 1_000
CLAIM_SECONDS = 120
"""Seconds after which an undo that claimed a change counts as dead: longer than any such call takes."""
DAY_MS = 86_400_000
KEPT_DAYS = 30
"""How long the value that a change replaced is kept."""

_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no characters that look alike


@dataclass(frozen=True)
class Pending:
    """A pending approval of one call, with the text of its question as it was first shown."""

    code: str
    who: str
    tool: str
    question: str
    needs: Needs
    state: State
    created_ms: int
    expires_ms: int


@dataclass(frozen=True)
class Intent:
    """An intended change. `request` and `previous` are stored encrypted."""

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
    """`key`: 32 bytes that encrypt replaced values. `account`: the account whose changes are visible; None: all."""

    def __init__(self, db: Database, now_ms: Callable[[], int], key: bytes, account: str | None = None) -> None:
        self._db, self._now, self._keeper, self._account = db, now_ms, Keeper(key), account

    # --- approvals

    async def pin(self, *, who: str, tool: str, digest: str, question: str, needs: Needs, seconds: int) -> Pending:
        """The pending approval of exactly this call: the open one if there is one, else a new one.

        Raises Refused if too many are pending already.
        """

        def work(db: Connection) -> Pending:
            now = self._now()
            # Declined and expired questions hold text about people's data: delete them; the audit keeps the decision.
            db.execute(delete(pending).where(pending.c.expires_ms < now))
            found = select(pending).where(
                pending.c.digest == digest,
                pending.c.who == who,
                pending.c.needs == needs,
                pending.c.state.in_(("open", "approved", "declined")),
            )
            if (row := db.execute(found).mappings().first()) is not None:
                return _pending(row)
            self._refuse_beyond(db, who)
            code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))
            row = {"code": code, "who": who, "tool": tool, "question": question, "needs": needs, "state": "open"}
            times = {"created_ms": now, "expires_ms": now + 1000 * seconds}
            db.execute(insert(pending).values(**row, **times, digest=digest))
            return Pending(**row, **times)  # pyright: ignore[reportArgumentType]

        return await self._db.write(work)

    def _refuse_beyond(self, db: Connection, who: str) -> None:
        count = select(func.count()).select_from(pending)
        if db.execute(count.where(pending.c.who == who)).scalar_one() >= MOST_WAITING:
            raise Refused(
                f"Not asked: {MOST_WAITING} calls of this client wait for approval already, which is the most. Have the"
                " user answer some of them, or wait: each ends a quarter of an hour after it was asked."
            )
        if db.execute(count).scalar_one() >= MOST_WAITING_OF_ALL:
            raise Refused(
                f"Not asked: {MOST_WAITING_OF_ALL:,} calls of this server's clients wait for approval, the most there"
                " may be. Try again in a quarter of an hour, when these have ended."
            )

    async def spend(self, code: str, *, state: Literal["open", "approved"]) -> bool:
        """Consume an approval. Returns False if it was consumed before, has expired, or is not in that state."""
        used = delete(pending).where(*self._standing(code, state))
        return await self._db.write(lambda db: db.execute(used).rowcount == 1)

    async def close(self, code: str) -> None:
        await self._db.write(lambda db: db.execute(delete(pending).where(pending.c.code == code)))

    async def approve(self, code: str, entered: str | None = None, *, who: str | None = None) -> Pending | None:
        """Record a person's approval, given outside the conversation, with the entered value if one is needed.

        `who`: the principal whose calls this person may answer; None: any. Returns None if no open approval of theirs
        with that code has this need.
        """
        code = code.strip().upper()
        sealed = None if entered is None else self._keeper.seal({"value": entered}, code, "entered")
        needs: Needs = "person" if entered is None else "value"
        if not await self._answer(code, "approved", who, pending.c.needs == needs, entered=sealed):
            return None
        return await self.pending(code)

    async def decline(self, code: str, *, who: str | None = None) -> bool:
        """Record a person's refusal, given outside the conversation; the next call of the requester reports it."""
        return await self._answer(code.strip().upper(), "declined", who)

    async def spend_entered(self, code: str) -> str | None:
        """Consume an approval and return its value. None if there is none, or it was encrypted with another key."""

        def work(db: Connection) -> bytes | None:
            mine = self._standing(code, "approved")
            sealed = db.execute(select(pending.c.entered).where(*mine)).scalar()
            db.execute(delete(pending).where(*mine))
            return sealed

        opened = self._keeper.open(await self._db.write(work), code, "entered")
        return opened["value"] if opened else None

    async def pending(self, code: str) -> Pending | None:
        """An approval that is open or answered, and neither consumed nor expired."""
        found = select(pending).where(pending.c.code == code, pending.c.expires_ms >= self._now())
        row = await self._db.read(lambda db: db.execute(found).mappings().first())
        return _pending(row) if row else None

    async def waiting(self, *, who: str | None = None) -> list[Pending]:
        """The approvals that wait for a person, oldest first. `who`: the principal that asked; None: any."""
        waits = [pending.c.state == "open", pending.c.needs != "token", pending.c.expires_ms >= self._now()]
        if who is not None:
            waits.append(pending.c.who == who)
        found = select(pending).where(*waits).order_by(pending.c.created_ms)
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

    async def _answer(
        self, code: str, state: State, who: str | None, *also: ColumnElement[bool], entered: bytes | None = None
    ) -> bool:
        mine = [*self._standing(code, "open"), *also]
        if who is not None:
            mine.append(pending.c.who == who)
        answered = update(pending).where(*mine).values(state=state, entered=entered)
        return await self._db.write(lambda db: db.execute(answered).rowcount == 1)

    def _standing(self, code: str, state: State) -> list[ColumnElement[bool]]:
        """The conditions of an approval in this state that has not expired."""
        return [pending.c.code == code, pending.c.state == state, pending.c.expires_ms >= self._now()]

    # --- outbound calls

    async def rung(self, platform: str) -> int:
        """How many people were called within the last 24 hours."""
        return await self._db.read(lambda db: self._rung(db, platform))

    async def claim_calls(self, platform: str, people: int, most: int) -> str | None:
        """Count `people` outbound calls, if they and those of the last 24 hours are at most `most`; else return None.

        The result is an argument for `release_calls`. If two processes together would exceed the limit, one gets None.
        """

        def work(db: Connection) -> str | None:
            db.execute(delete(rung).where(rung.c.at_ms <= self._now() - DAY_MS))
            if self._rung(db, platform) + people > most:
                return None
            claim = secrets.token_hex(10)
            db.execute(insert(rung).values(id=claim, at_ms=self._now(), platform=platform, people=people))
            return claim

        return await self._db.write(work)

    async def release_calls(self, claim: str) -> None:
        """Undo `claim_calls`, because nobody was called after all."""
        await self._db.write(lambda db: db.execute(delete(rung).where(rung.c.id == claim)))

    def _rung(self, db: Connection, platform: str) -> int:
        recent = (rung.c.platform == platform) & (rung.c.at_ms > self._now() - DAY_MS)
        return int(db.execute(select(func.coalesce(func.sum(rung.c.people), 0)).where(recent)).scalar_one())

    # --- changes

    async def begin(self, intent: Intent, outcome: Outcome = "unknown") -> str:
        """Record the intent before the act, so that a crash leaves a row with the outcome `unknown`."""
        id = f"chg_{secrets.token_hex(10)}"
        row = {**intent.__dict__, "id": id, "at_ms": self._now(), "outcome": outcome}
        row["request"] = self._keeper.seal(intent.request, id, "request")
        row["previous"] = self._keeper.seal(intent.previous, id, "previous")

        def work(db: Connection) -> None:
            # Replaced values are deleted after this time, and the change can then no longer be undone.
            old = self._now() - KEPT_DAYS * DAY_MS
            forgotten = update(change).where(change.c.at_ms < old, change.c.previous.is_not(None))
            db.execute(forgotten.values(request=None, previous=None).execution_options(erases="log"))
            db.execute(insert(change).values(**row))

        await self._db.write(work)
        return id

    async def finish(self, id: str, outcome: Outcome, *, target: str | None = None) -> None:
        """Record the outcome. `target`: the id of a created object.

        The intent was flushed to the disk before the act. The outcome need not be: if a power failure loses it, the
        change says `unknown`, which is then correct.
        """
        values = {"outcome": outcome} | ({"target": target} if target else {})
        mine = update(change).where(change.c.id == id).values(**values)
        await self._db.write(lambda db: db.execute(mine), flush=False)

    async def claim_undo(self, id: str) -> int | None:
        """Claim the undo of this change. Of two concurrent callers one gets the claim, the other None."""
        now = self._now()
        abandoned = change.c.undo_claimed_ms < now - 1000 * CLAIM_SECONDS
        free = or_(change.c.undo_claimed_ms.is_(None), abandoned)
        mine = update(change).where(change.c.id == id, change.c.undone_by.is_(None), free).values(undo_claimed_ms=now)
        return now if await self._db.write(lambda db: db.execute(mine).rowcount == 1) else None

    async def release_undo(self, id: str, claim: int) -> None:
        """Release the claim after a failed undo; a claim that another caller has taken over since is kept."""
        mine = update(change).where(change.c.id == id, change.c.undo_claimed_ms == claim).values(undo_claimed_ms=None)
        await self._db.write(lambda db: db.execute(mine))

    async def undone(self, id: str, by: str) -> None:
        """Record which change undid this one, after `claim_undo`."""
        done = update(change).where(change.c.id == id).values(undone_by=by, undo_claimed_ms=None)
        await self._db.write(lambda db: db.execute(done))

    async def changes(self, *, limit: int, before: tuple[int, str] | None, target: str | None) -> list[dict[str, Any]]:
        """Newest first, without the stored values; `kept` and `being_undone` give the state of each."""
        columns = [c for c in change.c if c.name not in ("request", "digest")]
        found = select(*columns).order_by(change.c.at_ms.desc(), change.c.id.desc()).limit(limit)
        if self._account is not None:
            found = found.where(change.c.platform == self._account)
        if target:
            found = found.where(change.c.target == target)
        if before:
            at_ms, id = before
            older = and_(change.c.at_ms == at_ms, change.c.id < id)
            found = found.where(or_(change.c.at_ms < at_ms, older))
        return await self._db.read(lambda db: [self._listed(row) for row in db.execute(found).mappings()])

    async def change(self, id: str) -> dict[str, Any] | None:
        """One change with its decrypted values, which are None if not kept or encrypted with another key."""

        def work(db: Connection) -> dict[str, Any] | None:
            row = db.execute(select(change).where(change.c.id == id)).mappings().one_or_none()
            if row is None or self._account not in (None, row["platform"]):
                return None
            opened = {name: self._keeper.open(row[name], id, name) for name in ("request", "previous")}
            return {**row, **opened, "being_undone": self._being_undone(row)}

        return await self._db.read(work)

    def _listed(self, row: RowMapping) -> dict[str, Any]:
        kept = self._keeper.opens(row["previous"], row["id"], "previous")
        shown = {name: value for name, value in row.items() if name != "previous"}
        return {**shown, "kept": kept, "being_undone": self._being_undone(row)}

    def _being_undone(self, row: RowMapping) -> bool:
        claimed = row["undo_claimed_ms"]
        return claimed is not None and claimed >= self._now() - 1000 * CLAIM_SECONDS


def _pending(row: RowMapping) -> Pending:
    return Pending(**{name: row[name] for name in Pending.__dataclass_fields__})
