"""Persists one live conversation: its row at the beginning, and then turn by turn."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, select, update

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.charging import Charges
from ..dialogue.features import Features
from ..dialogue.record import Turn
from ..dialogue.roles import Role
from ..schema.live import live_conversation
from ..schema.tables import conversation
from ..store.conversations import forget, keep, keep_on, keep_turns
from ..store.transaction import Tx
from ..unit import Unit
from .leases import renew
from .start import SessionPlan, begin

DAY_SECONDS = 24 * 3600
NO_FEEDBACK: Json = {"overall_score": None, "likes": 0, "dislikes": 0}


_HELD = (
    select(conversation.c.document["metadata"]["feedback"])
    .select_from(
        live_conversation.outerjoin(
            conversation,
            (conversation.c.workspace == live_conversation.c.workspace) & (conversation.c.id == live_conversation.c.id),
        )
    )
    .where(
        live_conversation.c.workspace == bindparam("in_workspace"),
        live_conversation.c.id == bindparam("of"),
        live_conversation.c.holder == bindparam("held_by"),
    )
)
"""Built once, because every turn of every conversation runs it."""


class Lost(Exception):
    """Another process took this one for dead and closed the conversation."""


class Recorder:
    """Persists one conversation. With zero retention it stores only that the conversation is in progress."""

    def __init__(
        self, unit: Unit, plan: SessionPlan, role: Role, holder: str, source: tuple[str | None, str | None]
    ) -> None:
        """`source`: the program that began the conversation, and its version."""
        self.unit, self.plan, self._role, self._holder, self._source = unit, plan, role, holder, source
        self.keeps = not plan.zero_retention
        self.started = unit.clock() // 1000
        self.language = role.agent.language
        self._burst = False
        self._stored = self._said = 0
        self._charges, self._features = Charges(), Features(role)
        self._thumbs, self._stored_thumbs = Counter[str](), Counter[str]()

    async def begin(self) -> None:
        """Raises the same errors as `start.begin`."""
        await self.unit.write(self._begin)

    async def save(self, transcript: Sequence[Turn], *, changed: int | None = None) -> None:
        """Persist the new turns, and the turn at index `changed`.

        The cost does not depend on the number of earlier turns. Raises Lost.
        """
        await self.unit.write(lambda tx: self._save(tx, transcript, changed))

    async def finish(self, document: Json, *, analysed: bool, forgotten: bool = False) -> None:
        """Persist the end of the conversation, and free its slot. Raises Lost.

        `analysed`: no analysis will follow; `forgotten`: the whole record is deleted.
        """
        await self.unit.write(lambda tx: self._finish(tx, document, analysed=analysed, forgotten=forgotten))

    def rated(self, before: str | None, score: str | None) -> None:
        """Count the rating of an answer. `before`: the rating that it replaces; None stands for no rating."""
        self._thumbs.update(filter(None, [score]))
        self._thumbs.subtract(filter(None, [before]))

    def document(
        self, status: str, transcript: Sequence[Turn], ended: str = "", error: Json | None = None
    ) -> dict[str, Any]:
        """The complete record at the end, once no save is running."""
        self._count(transcript)
        return self._head(status, ended, error) | {"transcript": list(transcript)}

    def _count(self, transcript: Sequence[Turn]) -> Sequence[Turn]:
        """Count the turns that were not counted yet; returns them."""
        new = transcript[self._stored :]
        for turn in new:
            self._charges.add(turn)
            self._features.add(turn)
            self._said += bool(turn["message"])
        self._stored += len(new)
        return new

    def _head(self, status: str, ended: str = "", error: Json | None = None) -> dict[str, Any]:
        """The record without its transcript."""
        now = self.unit.clock() // 1000
        brought, source = self.plan.brought.data, self._source
        metadata: dict[str, Any] = {
            "start_time_unix_secs": self.started,
            "accepted_time_unix_secs": self.started,
            "call_duration_secs": now - self.started,
            "cost": 0,
            "cost_fiat": None,
            "deletion_settings": self._deletion(now),
            "feedback": NO_FEEDBACK,
            "authorization_method": self.plan.by.method,
            "charging": self._charges.record(burst=self._burst),
            "termination_reason": ended,
            "error": error,
            "main_language": self.language,
            "text_only": True,
            "features_usage": self._features.record(),
            "conversation_initiation_source": source[0] or "unknown",
            "conversation_initiation_source_version": source[1],
            "timezone": self._role.agent.timezone,
        }
        return {
            "agent_id": self.plan.agent_id,
            "conversation_id": self.plan.conversation_id,
            "status": status,
            "user_id": brought.get("user_id") or self.plan.by.participant,
            "transcript": [],
            "metadata": metadata,
            "analysis": None,
            "conversation_initiation_client_data": brought,
            "has_audio": False,
            "has_user_audio": False,
            "has_response_audio": False,
            "has_auxiliary_audio": False,
        }

    def _begin(self, tx: Tx) -> None:
        self._burst = begin(tx, self.plan, self._holder)
        renew(tx.db, self._holder, tx.now_ms)
        if self.keeps:
            keep(tx, self._head("in-progress"), simulated=False)

    def _save(self, tx: Tx, transcript: Sequence[Turn], changed: int | None) -> None:
        """Writers queue, so that the second of two concurrent saves stores only the turns that the first left out."""
        feedback = self._held(tx)
        if not self.keeps:
            return
        first = self._stored
        new = dict(enumerate(self._count(transcript), first))
        old = {} if changed is None or changed >= first else {changed: transcript[changed]}
        keep_turns(tx, self._with_feedback(self._head("in-progress"), feedback), new, old, said=self._said)

    def _finish(self, tx: Tx, document: Json, *, analysed: bool, forgotten: bool) -> None:
        feedback = self._held(tx)
        if self.keeps and forgotten and analysed:
            forget(tx, self.plan.conversation_id)
        elif self.keeps:
            keep_on(tx, self._with_feedback(document, feedback))
        if analysed or not self.keeps:
            tx.db.execute(delete(live_conversation).where(self._mine(tx)))
        else:
            tx.db.execute(update(live_conversation).where(self._mine(tx)).values(talking=False))

    def _held(self, tx: Tx) -> Json:
        """The stored feedback, which the API may have changed meanwhile. Raises Lost."""
        mine = {"in_workspace": tx.workspace, "of": self.plan.conversation_id, "held_by": self._holder}
        row = tx.db.execute(_HELD, mine).one_or_none()
        if row is None:
            raise Lost
        return NO_FEEDBACK | (row[0] or {})

    def _mine(self, tx: Tx) -> ColumnElement[bool]:
        return tx.own(live_conversation, id=self.plan.conversation_id, holder=self._holder)

    def _with_feedback(self, document: Json, stored: Json) -> Json:
        """The document with the `stored` feedback and the feedback received here since."""
        thumbs, before = self._thumbs.copy(), self._stored_thumbs
        self._stored_thumbs = thumbs
        more = {f"{score}s": thumbs[score] - before[score] for score in ("like", "dislike")}
        feedback = {**stored, **{name: stored[name] + number for name, number in more.items()}}
        return document | {"metadata": document["metadata"] | {"feedback": feedback}}

    def _deletion(self, now: int) -> Json:
        privacy: Json = at(self.plan.document, "platform_settings", "privacy") or {}
        days = privacy.get("retention_days")
        return {
            "deletion_time_unix_secs": now + days * DAY_SECONDS if days is not None and days >= 0 else None,
            "deleted_logs_at_time_unix_secs": None,
            "deleted_audio_at_time_unix_secs": None,
            "deleted_transcript_at_time_unix_secs": None,
            "delete_transcript_and_pii": bool(privacy.get("delete_transcript_and_pii")),
            "delete_audio": bool(privacy.get("delete_audio")),
        }
