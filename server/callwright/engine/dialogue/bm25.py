"""Retrieval by words alone: BM25 over the paragraphs of the attached documents.

There is no index and no model: documents are split and ranked at the first query. This is enough for the few documents
of one agent; `max_documents_length` and similar limits bound the number of results.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from .passages import Document, Passage

LONGEST_PASSAGE = 1200
"""Characters. A longer paragraph is split between sentences, so that one quotation stays readable."""

_K1, _B = 1.5, 0.75  # the usual constants: saturation of repeated words, weight of the length
_WORD = re.compile(r"[^\W_]+")
_WORDS_OF_ANY_QUESTION = """
a an and any are as at be been but by can could did do does for from had has have he hello her hey hi his how i if in
is it its me my of on or our please she should so some than thank thanks that the their them then there these they this
to us was we were what when where which who whom whose why will with would you your
"""
_COMMON = frozenset(_WORDS_OF_ANY_QUESTION.split())
_ENDINGS = ("ing", "ies", "ed", "es", "s", "e", "y")


class Bm25Retriever:
    """`Retriever` that splits its documents at the first query and keeps the passages for later ones."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    async def best(self, query: str, *, at_most: int, characters: int) -> list[Passage]:
        """The passages that share words with the query, best first, up to the first that exceeds `characters`."""
        taken: list[Passage] = []
        for passage in self._rank(query)[:at_most]:
            characters -= len(passage.text)
            if characters < 0:
                break
            taken.append(passage)
        return taken

    def _rank(self, query: str) -> list[Passage]:
        """Every passage that shares a word with the query, with its score, best first."""
        wanted, passages = set(_terms(query)), self._passages
        if not wanted or not passages:
            return []
        average = sum(count.total() for _, count in passages) / len(passages)
        holders = Counter(term for _, count in passages for term in count.keys() & wanted)
        rarity = {term: math.log(1 + (len(passages) - n + 0.5) / (n + 0.5)) for term, n in holders.items()}

        def score(count: Counter[str]) -> float:
            longer = _K1 * (1 - _B + _B * count.total() / average)
            return sum(rarity[t] * count[t] * (_K1 + 1) / (count[t] + longer) for t in wanted & count.keys())

        scored = [(score(count), passage) for passage, count in passages]
        found = [replace(passage, score=points) for points, passage in scored if points > 0]
        return sorted(found, key=lambda passage: -passage.score)

    @cached_property
    def _passages(self) -> list[tuple[Passage, Counter[str]]]:
        cut = [passage for document in self.documents for passage in split(document)]
        return [(p, Counter(_terms(f"{p.document.name} {p.heading} {p.text}"))) for p in cut]


def split(document: Document) -> list[Passage]:
    """Paragraphs, each with the heading (`# ...`) above it; a paragraph that is too long is split between sentences.

    A line that ends in a colon is kept with the paragraph that it introduces.
    """
    found: list[Passage] = []
    heading = lead = ""
    for block in re.split(r"\n\s*\n", document.text.replace("\r\n", "\n")):
        text = block.strip()
        while text.startswith("#"):
            line, _, text = text.partition("\n")
            heading, text = line.lstrip("#").strip(), text.strip()
        if text.endswith(":") and "\n" not in text:
            lead = f"{lead}{text}\n"
        elif text:
            found += [Passage(document, piece, heading) for piece in _pieces(lead + text)]
            lead = ""
    return found + [Passage(document, piece, heading) for piece in _pieces(lead.strip())]


def _pieces(text: str) -> Iterator[str]:
    while len(text) > LONGEST_PASSAGE:
        ends = [end.end() for end in re.finditer(r"[.!?]\s|\n", text[:LONGEST_PASSAGE])]
        cut = ends[-1] if ends and ends[-1] > LONGEST_PASSAGE // 4 else LONGEST_PASSAGE
        yield text[:cut].strip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _terms(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.casefold()) if word not in _COMMON]


def _stem(word: str) -> str:
    """Remove the commonest English endings ("return", "returns", "returned"); other languages lose little by it."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
