"""Documents, the passages that are looked up in them, and the seam behind which that is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Document:
    """One document of an agent's knowledge base, as plain text."""

    id: str
    name: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A part of a document that can be quoted by itself."""

    document: Document
    text: str
    heading: str = ""
    """Of the section that it stands in."""
    score: float = 0.0
    """How well it answers the query; comparable among the passages of one answer only."""


class Retriever(Protocol):
    """Looks passages up in certain documents."""

    @property
    def documents(self) -> Sequence[Document]: ...

    async def best(self, query: str, *, at_most: int, characters: int) -> list[Passage]:
        """The passages that answer the query, best first: at most so many, and so many characters in all."""
        ...


Retrieval = Callable[[Sequence[Document]], Retriever]
"""A way of looking things up, before it is known in which documents."""
