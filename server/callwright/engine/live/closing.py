"""The end of a session: persists the final record and starts the analysis."""

import logging

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.analysis import read_questions
from ..dialogue.roles import Role
from ..dialogue.turn import Conversation
from .ending import FinishedConversation, analysed, hand_on, unjudged
from .medium import End
from .recorder import Lost, Recorder
from .timers import Timers

STORED_AGAIN_AFTER_SECONDS = 1.0, 10.0, 60.0, 600.0
"""Waits before each further attempt to persist an end, after the database was locked or unavailable."""

log = logging.getLogger(__name__)


class Closing:
    """Persists the end of one conversation, with retries, and starts its analysis."""

    def __init__(self, recorder: Recorder, role: Role, conversation: Conversation, timers: Timers) -> None:
        self._recorder, self._role, self._conversation, self._timers = recorder, role, conversation, timers
        self._plan, self._unit = recorder.plan, recorder.unit

    async def store(self, end: End) -> None:
        """Persist the end now, or in the background if the database fails."""
        id, document = self._plan.conversation_id, self._document(end)
        try:
            await self._store(end, document)
        except Exception:
            log.exception("The end of %s is not stored yet", id)
            self._unit.jobs.start(self._store_later(end, document), f"the end of {id}")

    def _document(self, end: End) -> Json:
        transcript = self._conversation.transcript
        if not end.failed:
            return self._recorder.document("processing", transcript, end.why)
        document = self._recorder.document("failed", transcript, end.why, {"code": end.code, "reason": end.why})
        questions = read_questions(self._plan.document["platform_settings"])
        why = f"Not analysed, because it broke off: {end.why}"
        return document | {"analysis": unjudged(questions, self._conversation.variables(), why)}

    async def _store(self, end: End, document: Json) -> None:
        """Persist the end, which frees the conversation's slot, and start the analysis."""
        plan, unit, keeps = self._plan, self._unit, self._recorder.keeps
        privacy: Json = at(plan.document, "platform_settings", "privacy") or {}
        forgotten = privacy.get("retention_days") == 0
        try:
            await self._recorder.finish(document, analysed=end.failed, forgotten=forgotten)
        except Lost:
            return  # another process has closed it already
        if end.failed:
            unit.jobs.start(hand_on(unit, document), f"the end of {plan.conversation_id}")
        elif keeps or unit.on_finished is not None:
            llm, questions = self._conversation.model(self._role), read_questions(plan.document["platform_settings"])
            retriever = self._role.retrieval(self._role.documents)
            variables = self._conversation.variables()
            ended = FinishedConversation(document, keeps, llm, retriever, questions, variables, forgotten)
            unit.jobs.start(analysed(unit, ended), f"analysis of {plan.conversation_id}")

    async def _store_later(self, end: End, document: Json) -> None:
        """Retry here, because no other process does: this process's lease still claims the conversation."""
        for seconds in STORED_AGAIN_AFTER_SECONDS:
            await self._timers.sleep(seconds)
            try:
                return await self._store(end, document)
            except Exception:
                log.exception("The end of %s is still not stored", self._plan.conversation_id)
