"""Chunking of documents for their indexes: whole paragraphs up to a length, each chunk with the end of the one before.

Chunks are not the passages of `dialogue.bm25`, which are single paragraphs with their headings, to be quoted.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 1_500
"""Characters of a chunk without its overlap: a few hundred tokens, so that several fit in one prompt."""
OVERLAP = 200
"""Characters of the previous chunk that are repeated, at most, so that references back to it stay readable."""


class TextChunk(NamedTuple):
    id: str
    text: str


def chunks(document_id: str, text: str) -> list[TextChunk]:
    """The chunks in order. The same text of the same document always gives the same ids."""
    found: list[TextChunk] = []
    for place, piece in enumerate(_overlapping(_packed(text.replace("\r\n", "\n")))):
        digest = hashlib.sha256(f"{document_id}\0{place}\0{piece}".encode()).hexdigest()
        found.append(TextChunk(f"chunk_{digest[:24]}", piece))
    return found


def _packed(text: str) -> Iterator[str]:
    """Paragraphs joined up to LONGEST. A paragraph that is longer by itself is cut between sentences."""
    packed = ""
    for block in re.split(r"\n[^\S\n]*\n", text):
        for piece in _pieces(block.strip()):
            if packed and len(packed) + len(piece) + 2 > LONGEST:
                yield packed
                packed = piece
            else:
                packed = f"{packed}\n\n{piece}" if packed else piece
    if packed:
        yield packed


def _pieces(paragraph: str) -> Iterator[str]:
    start = 0
    while len(paragraph) - start > LONGEST:
        window = paragraph[start : start + LONGEST]
        ends = [end.end() for end in re.finditer(r"[.!?…。！？]\s|\n", window)]  # noqa: RUF001  (Chinese and Japanese)
        cut = ends[-1] if ends and ends[-1] > LONGEST // 4 else LONGEST
        if piece := window[:cut].strip():
            yield piece
        start += cut
    if rest := paragraph[start:].strip():
        yield rest


def _overlapping(pieces: Iterator[str]) -> Iterator[str]:
    before = ""
    for piece in pieces:
        tail = _tail(before)
        yield f"{tail}\n\n{piece}" if tail else piece
        before = piece


def _tail(piece: str) -> str:
    """The last whole sentences within OVERLAP; empty if the last sentence is longer."""
    if not piece:
        return ""
    starts = [end.end() for end in re.finditer(r"[.!?…。！？]\s|\n", piece)]  # noqa: RUF001
    start = next((start for start in starts if len(piece) - start <= OVERLAP), None)
    return piece[start:].strip() if start is not None else ""
