"""Rehearsal without a language model, which is declared in every answer.

The responder answers only with quotations from the attached documents. The simulated user reads the lines of its own
prompt aloud. Neither understands anything, and nothing here knows any particular document.
"""

import re
from collections.abc import AsyncGenerator, Sequence

from .llm import Done, Piece, Request, Text
from .passages import Passage, Retriever

OFFLINE = "offline"
"""The model name recorded for answers without a model."""

NO_LLM = "no language model is configured (CALLWRIGHT_LLM_BASE_URL and CALLWRIGHT_LLM_MODEL)"

_MOST_QUOTED, _CHARACTERS = 2, 5_000
"""The number of passages in one answer, and a character limit that they never reach."""
_WORTH_QUOTING = 0.6
"""Fraction of the best passage's score: a passage with a much lower score only shares some word."""
_BULLET = re.compile(r"^\s*(?:[-*+\u2022\u2013]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")


class OfflineResponder:
    """Replaces a language model: quotes the passages that best answer the last message."""

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
    """The lines that the simulated user reads aloud: those of its prompt in order, without empty lines and bullets.

    Every other line is read unchanged, headings included: only a model could tell an instruction from a line to speak.
    """
    lines = (_BULLET.sub("", line).strip() for line in prompt.splitlines())
    return [line for line in lines if line]
