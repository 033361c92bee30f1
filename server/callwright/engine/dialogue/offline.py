"""Rehearsing without a language model, without pretending to have one.

The responder answers only by quoting the attached documents and says so in every answer. The simulated user reads the
lines of its own prompt aloud. Neither understands anything, and nothing here knows any particular document.
"""

import re
from collections.abc import AsyncGenerator, Sequence

from .llm import Done, Piece, Request, Text
from .passages import Passage, Retriever

OFFLINE = "offline"
"""Stands where the name of the answering model stands."""

NO_LLM = "no language model is configured (CALLWRIGHT_LLM_BASE_URL and CALLWRIGHT_LLM_MODEL)"

_MOST_QUOTED, _CHARACTERS = 2, 5_000
"""Passages of one answer, and more characters than they have."""
_WORTH_QUOTING = 0.6
"""Of the best passage's score: one that is much worse only shares some word."""
_BULLET = re.compile(r"^\s*(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")


class OfflineResponder:
    """Stands in for a language model: quotes the passages that answer best what was said last."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    async def stream(self, request: Request) -> AsyncGenerator[Piece]:
        said = next((m["content"] for m in reversed(request.messages) if m["role"] == "user"), "")
        best = await self._retriever.best(said, at_most=_MOST_QUOTED, characters=_CHARACTERS)
        found = [passage for passage in best if passage.score > best[0].score * _WORTH_QUOTING]
        yield Text(_quoted(found) if found else self._nothing())
        yield Done(OFFLINE, None)

    def _nothing(self) -> str:
        if not self._retriever.documents:
            return "[offline responder] I can only quote documents, and none is attached to this agent."
        names = ", ".join(f'"{document.name}"' for document in self._retriever.documents)
        return f"[offline responder] I can only quote documents, and I found nothing about that in {names}."


def _quoted(passages: Sequence[Passage]) -> str:
    return "[offline responder] " + "\n\n".join(f"{_source(p)} says: \u201c{p.text}\u201d" for p in passages)


def _source(passage: Passage) -> str:
    section = f", section \u201c{passage.heading}\u201d," if passage.heading else ""
    return f"The document \u201c{passage.document.name}\u201d{section}"


def script(prompt: str) -> list[str]:
    """What the simulated user reads aloud: the lines of its prompt in order, empty ones left out, bullets taken off.

    Every other line is read as it stands, a heading too: to tell an instruction from a line to speak needs a model.
    """
    lines = (_BULLET.sub("", line).strip() for line in prompt.splitlines())
    return [line for line in lines if line]
