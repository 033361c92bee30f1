"""The spoken form of a text, according to an agent's dictionaries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .lexicon import Entry, Lexicon

SOUNDS_MODEL = "eleven_turbo_v2"
"""The only speech model that speaks phonemes; the others ignore such entries and speak the word as usual."""

_START = re.compile(r"(?<!\w)\S")


@dataclass(frozen=True)
class Spoken:
    """The text with aliases substituted and phonemes between slashes, and the forms that had an entry."""

    text: str
    applied: dict[str, Entry]
    skipped: dict[str, Entry]
    """Entries with phonemes that the model does not speak."""


def speak(text: str, lexicons: Sequence[Lexicon], model: str) -> Spoken:
    """Replaces whole words only, case-sensitively. The longest form wins; for equal forms, the first lexicon wins.

    Replacements are not looked up again.
    """
    known: dict[str, Entry] = {}
    silent: dict[str, Entry] = {}
    for lexicon in lexicons:
        for form, entry in lexicon.items():
            speaks = entry.alphabet is None or model == SOUNDS_MODEL
            (known if speaks else silent).setdefault(form, entry)
    said, applied = _replaced(text, known)
    _, there = _replaced(text, silent)
    return Spoken(said, applied, {form: entry for form, entry in there.items() if form not in applied})


def _replaced(text: str, entries: Lexicon) -> tuple[str, dict[str, Entry]]:
    """The text with the replacements, and the entries that were applied."""
    lengths = sorted({len(form) for form in entries}, reverse=True)
    pieces: list[str] = []
    found: dict[str, Entry] = {}
    place = 0
    while start := _START.search(text, place):
        at = start.start()
        form = next((each for size in lengths if (each := _word(text, at, size)) in entries), None)
        if form is None:
            pieces.append(text[place : at + 1])
            place = at + 1
            continue
        entry = found[form] = entries[form]
        pieces += [text[place:at], entry.spoken if entry.alphabet is None else f"/{entry.spoken.strip('/')}/"]
        place = at + len(form)
    return "".join(pieces) + text[place:], found


def _word(text: str, at: int, size: int) -> str | None:
    """The `size` characters from index `at`, if they end at a word boundary."""
    end = at + size
    whole = end <= len(text) and not (end < len(text) and _joins(text[end - 1]) and _joins(text[end]))
    return text[at:end] if whole else None


def _joins(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
