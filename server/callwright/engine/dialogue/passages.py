"""Documents, passages found in them, and the interface of retrieval."""

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
    """The heading of the passage's section."""
    score: float = 0.0
    """Relevance to the query; comparable only among the passages of one answer."""


class Retriever(Protocol):
    """Finds passages in a fixed set of documents."""

    @property
    def documents(self) -> Sequence[Document]: ...

    async def best(self, query: str, *, at_most: int, characters: int) -> list[Passage]:
        """The passages that answer the query, best first: at most `at_most`, and at most `characters` in total."""
        ...


Retrieval = Callable[[Sequence[Document]], Retriever]
"""Creates a retriever for given documents."""
