"""The record of one conversation that is being held: stored when it begins, and with every turn."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from ...contract.merge import Json
from ..conversations import keep, keep_on
from ..dialogue.agent import at
from ..dialogue.charging import charging
from ..dialogue.features import features_used
from ..dialogue.record import Turn
from ..dialogue.roles import Role
from ..handlers import Tx, Unit
from ..tables import conversation
from ..tables_live import live_conversation
from .leases import renew
from .start import Plan, begin

DAY_SECONDS = 24 * 3600
NO_FEEDBACK: Json = {"overall_score": None, "likes": 0, "dislikes": 0}


class Lost(Exception):
    """Another process took this one for gone, and has closed the conversation."""


class Record:
    """With zero retention nothing is stored but that there is a conversation, while there is one."""

    def __init__(self, unit: Unit, plan: Plan, role: Role, holder: str, source: tuple[str | None, str | None]) -> None:
        """`source`: the program that began it, and its version."""
        self.unit, self.plan, self._role, self._holder, self._source = unit, plan, role, holder, source
        self.keeps = not plan.zero_retention
        self.started = unit.clock() // 1000
        self.language = role.agent.language
        self._burst = False
        self._thumbs = self._stored_thumbs = (0, 0)

    async def begin(self) -> None:
        """Raises as `start.begin` does."""
        await self.unit.write(self._begin)

    async def save(self, transcript: Sequence[Turn]) -> None:
        """What is said to be so from now on is stored. Raises Lost."""
        document = self.document("in-progress", transcript)
        await self.unit.write(lambda tx: self._store(tx, document))

    async def finish(self, document: Json, *, analysed: bool, forgotten: bool = False) -> None:
        """It goes on no more; its place is free. Raises Lost.

        `analysed`: nothing more will be found out about it; `forgotten`: nor is anything of it to stay.
        """
        await self.unit.write(lambda tx: self._finish(tx, document, analysed=analysed, forgotten=forgotten))

    def thumbs(self, transcript: Sequence[Turn]) -> None:
        """The client has judged an answer, or taken that back."""
        scores = [at(turn, "feedback", "score") for turn in transcript]
        self._thumbs = scores.count("like"), scores.count("dislike")

    def document(
        self, status: str, transcript: Sequence[Turn], ended: str = "", error: Json | None = None
    ) -> dict[str, Any]:
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
            "charging": charging(transcript, burst=self._burst),
            "termination_reason": ended,
            "error": error,
            "main_language": self.language,
            "text_only": True,
            "features_usage": features_used(self._role, transcript),
            "conversation_initiation_source": source[0] or "unknown",
            "conversation_initiation_source_version": source[1],
            "timezone": self._role.agent.timezone,
        }
        return {
            "agent_id": self.plan.agent_id,
            "conversation_id": self.plan.conversation_id,
            "status": status,
            "user_id": brought.get("user_id") or self.plan.by.participant,
            "transcript": list(transcript),
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
            keep(tx, self.document("in-progress", []), simulated=False)

    def _store(self, tx: Tx, document: Json) -> None:
        if tx.db.execute(select(live_conversation.c.id).where(*self._mine(tx))).first() is None:
            raise Lost
        if self.keeps:
            keep_on(tx, document | {"metadata": document["metadata"] | {"feedback": self._feedback(tx)}})

    def _finish(self, tx: Tx, document: Json, *, analysed: bool, forgotten: bool) -> None:
        self._store(tx, document)
        if forgotten and analysed:
            id = self.plan.conversation_id
            tx.db.execute(delete(conversation).where(conversation.c.workspace == tx.workspace, conversation.c.id == id))
        if analysed or not self.keeps:
            tx.db.execute(delete(live_conversation).where(*self._mine(tx)))
        else:
            tx.db.execute(update(live_conversation).where(*self._mine(tx)).values(talking=False))

    def _mine(self, tx: Tx) -> tuple[Any, ...]:
        mine, id = live_conversation.c, self.plan.conversation_id
        return mine.workspace == tx.workspace, mine.id == id, mine.holder == self._holder

    def _feedback(self, tx: Tx) -> Json:
        """What is stored, which may have come by the API meanwhile, and what came here since. Writers queue."""
        found = select(conversation.c.document["metadata"]["feedback"]).where(
            conversation.c.workspace == tx.workspace, conversation.c.id == self.plan.conversation_id
        )
        stored: Mapping[str, Any] = NO_FEEDBACK | (tx.db.execute(found).scalar_one_or_none() or {})
        (likes, dislikes), (old_likes, old_dislikes) = self._thumbs, self._stored_thumbs
        self._stored_thumbs = likes, dislikes
        more = {"likes": likes - old_likes, "dislikes": dislikes - old_dislikes}
        return {**stored, **{name: stored[name] + number for name, number in more.items()}}

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
