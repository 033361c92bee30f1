"""Where passages are looked up somewhere else than in memory, which takes a while."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import pytest

from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.bm25 import Bm25Retriever
from callwright.engine.dialogue.passages import Document, Passage
from callwright.engine.dialogue.roles import Role
from callwright.engine.dialogue.tools import MockExecutor
from callwright.engine.dialogue.turn import Conversation, ConversationContext

from .conftest import Connect
from .llm_peer import Say, peer
from .rehearsals import MANUAL

pytestmark = pytest.mark.anyio

RAG = {"agent": {"prompt": {"prompt": "Rent out canoes.", "rag": {"enabled": True}}}}


@dataclass
class Index:
    """Passages at another place: it answers once it is `open`."""

    asked: anyio.Event = field(default_factory=anyio.Event)
    open: anyio.Event = field(default_factory=anyio.Event)

    def of(self, documents: Sequence[Document]) -> "LookedUp":
        return LookedUp(self, documents)


@dataclass
class LookedUp:
    index: Index
    documents: Sequence[Document]

    async def best(self, query: str, *, at_most: int, characters: int) -> list[Passage]:
        self.index.asked.set()
        await self.index.open.wait()
        return await Bm25Retriever(self.documents).best(query, at_most=at_most, characters=characters)


def conversation(role: Role) -> Conversation:
    return Conversation("conv_1", role, ConversationContext(MockExecutor(), lambda: 0.0, lambda: "0" * 32), given={})


async def test_the_model_is_asked_once_the_passages_are_there(connect: Connect) -> None:
    index = Index()
    async with peer(lambda _: Say("Forty euros.")) as at:
        talk = conversation(Role(read_agent("agent_1", RAG), [MANUAL], connect(at), retrieval=index.of))
        await talk.listen("What is the deposit?")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk.answer)
            await index.asked.wait()
            assert at.requests == []
            index.open.set()
        prompt = at.requests[0]["messages"][0]["content"]
        assert "The deposit for a canoe is forty euros." in prompt
        assert talk.transcript[-1]["message"] == "Forty euros."


async def test_a_user_may_speak_while_passages_are_looked_up(connect: Connect) -> None:
    index = Index()
    async with peer(lambda _: Say("Forty euros.")) as at:
        talk = conversation(Role(read_agent("agent_1", RAG), [MANUAL], connect(at), retrieval=index.of))
        await talk.listen("What is the deposit?")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(talk.answer)
            await index.asked.wait()
            talk.interrupt()
        assert (at.requests, [one["role"] for one in talk.transcript]) == ([], ["user"])


async def test_an_agent_without_a_model_quotes_from_the_same_place() -> None:
    index = Index()
    index.open.set()
    talk = conversation(Role(read_agent("agent_1", RAG), [MANUAL], retrieval=index.of))
    await talk.listen("What is the deposit?")
    await talk.answer()
    assert index.asked.is_set()
    assert "The deposit for a canoe is forty euros." in talk.transcript[-1]["message"]
