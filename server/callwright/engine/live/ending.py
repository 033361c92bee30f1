"""The analysis of a finished conversation, and the closing of conversations that a dead process left open."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import anyio
from sqlalchemy import delete, select

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.analysis import Analysis, Questions, analyse, not_analysed, read_questions
from ..dialogue.llm import LLM
from ..dialogue.offline import NO_LLM
from ..dialogue.passages import Retriever
from ..dialogue.variables import Value
from ..schema.live import live_conversation
from ..schema.tables import agent, conversation
from ..store.conversations import forget, keep_on, whole
from ..store.transaction import Tx
from ..unit import Unit

STOPPED = "The server that held the conversation was stopped."
NOT_FINISHED = "Not analysed: the server was stopped before."
BROKEN = "Not analysed: an internal error, which the server's log explains."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishedConversation:
    """A finished conversation, with the judge and retriever for its analysis."""

    document: Json
    """The whole record, which is persisted unless the agent keeps nothing."""
    kept: bool
    llm: LLM | None
    """The judge: the model at the beginning of the conversation, with the conversation's context."""
    retriever: Retriever
    """Looks up passages of the agent's documents for the judge."""
    questions: Questions
    variables: Mapping[str, Value]
    forgotten: bool
    """Whether the whole record is deleted, because the agent's retention is zero days."""

    @property
    def conversation_id(self) -> str:
        return self.document["conversation_id"]


async def analysed(unit: Unit, ended: FinishedConversation) -> None:
    """Answer the questions about it and persist the answers; after a cancellation, the reason replaces them."""
    try:
        found = await _analysis(unit, ended)
    except Exception:
        log.exception("Defect in the analysis of %s", ended.conversation_id)
        found = unjudged(ended.questions, ended.variables, BROKEN)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await _done(unit, ended, unjudged(ended.questions, ended.variables, NOT_FINISHED))
        raise
    await _done(unit, ended, found)


def unjudged(questions: Questions, variables: Mapping[str, Value], why: str, title: str = "Not analysed") -> Analysis:
    return not_analysed(questions, variables, why, title=title)


def close_orphan(tx: Tx, conversation_id: str, *, talking: bool) -> None:
    """Close a conversation that another process held or was about to analyse. Skip one that was analysed meanwhile."""
    gone = delete(live_conversation).where(tx.own(live_conversation, id=conversation_id))
    if not tx.db.execute(gone).rowcount:
        return
    document = _stored(tx, conversation_id)
    if document is None:
        return
    found = select(agent.c.document).where(tx.own(agent, id=document["agent_id"]))
    settings: Json = at(tx.db.execute(found).scalar_one_or_none(), "platform_settings") or {}
    why = STOPPED if talking else NOT_FINISHED
    change: Json = {"status": "done", "analysis": unjudged(read_questions(settings), {}, why)}
    if talking:
        metadata = document["metadata"] | {"termination_reason": STOPPED, "error": {"code": 1011, "reason": STOPPED}}
        change |= {"status": "failed", "metadata": metadata}
    keep_on(tx, document | change)


async def _analysis(unit: Unit, ended: FinishedConversation) -> Analysis:
    if ended.llm is None:
        return unjudged(ended.questions, ended.variables, f"Not judged: {NO_LLM}.", "Offline conversation")
    async with unit.jobs.slot:
        found, _ = await analyse(
            ended.document["transcript"], ended.questions, ended.variables, ended.retriever, ended.llm
        )
    return found


async def hand_on(unit: Unit, document: Json) -> None:
    """Call `on_finished` with a finished conversation. An error in it is logged and does not fail the conversation."""
    if unit.on_finished is None:
        return
    try:
        await unit.on_finished(unit, document)
    except Exception:
        log.exception("Defect in what is done with %s after its end", document["conversation_id"])


async def _done(unit: Unit, ended: FinishedConversation, found: Analysis) -> None:
    document = ended.document
    if ended.kept:  # feedback may have arrived, and another process may have closed this one
        document = await unit.read(lambda tx: _stored(tx, ended.conversation_id))
    if document is not None and document["status"] == "processing":
        await hand_on(unit, document | {"status": "done", "analysis": found})
    if ended.kept:
        await unit.write(lambda tx: _store(tx, ended, found))


def _store(tx: Tx, ended: FinishedConversation, found: Analysis) -> None:
    gone = delete(live_conversation).where(tx.own(live_conversation, id=ended.conversation_id))
    if not tx.db.execute(gone).rowcount:
        return  # another process took this one for dead, and has closed it
    if ended.forgotten:
        forget(tx, ended.conversation_id)
    elif (document := _stored(tx, ended.conversation_id)) is not None:
        keep_on(tx, document | {"status": "done", "analysis": found})


def _stored(tx: Tx, conversation_id: str) -> Json | None:
    found = select(conversation.c.document).where(tx.own(conversation, id=conversation_id))
    document: Json | None = tx.db.execute(found).scalar_one_or_none()
    return document and whole(tx, document)
