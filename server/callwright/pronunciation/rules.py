"""Converts between lexicons and rules, the form of a dictionary in the REST API."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from ..contract.errors import InvalidRequest, Problem, body_problem
from ..contract.pronunciation_dictionaries import AliasRule, PhonemeRule, PronunciationRule
from .lexicon import ALPHABETS, CHARACTERS, ENTRIES, FILE_BYTES, WRITTEN, Entry, Lexicon

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow: a version with them could not be downloaded."""
_ONE_WAY = {
    "case_sensitive": "Only rules for the very case are spoken here: leave it out, and add a rule for each case.",
    "word_boundaries": "Only whole words are replaced here: leave it out, and add a rule for each word.",
}


def check_rules(rules: Sequence[PronunciationRule]) -> None:
    """Raises InvalidRequest that lists every problem: an unknown kind or alphabet, a text that is empty, too long or
    not allowed in XML, an unsupported kind of match, more rules than a file may hold.
    """
    problems = [*_too_many(rules), *(problem for n, rule in enumerate(rules) for problem in _problems(rule, n))]
    if problems:
        raise InvalidRequest(problems)


def lexicon_of(rules: Sequence[PronunciationRule]) -> Lexicon:
    """The lexicon of checked rules. Of rules for the same words the first counts, and whitespace is normalized as in a
    file.
    """
    found: dict[str, Entry] = {}
    for rule in rules:
        if isinstance(rule, AliasRule):
            found.setdefault(spaced(rule.string_to_replace), Entry(spaced(rule.alias)))
        elif isinstance(rule, PhonemeRule):
            alphabet = ALPHABETS[rule.alphabet.lower()]
            found.setdefault(spaced(rule.string_to_replace), Entry(spaced(rule.phoneme), alphabet))
    return found


def rules_of(lexicon: Lexicon) -> list[PronunciationRule]:
    return [
        AliasRule(string_to_replace=form, alias=entry.spoken)
        if entry.alphabet is None
        else PhonemeRule(string_to_replace=form, phoneme=entry.spoken, alphabet=WRITTEN[entry.alphabet])
        for form, entry in lexicon.items()
    ]


def spaced(words: str) -> str:
    """The words with the whitespace normalization of an XML element."""
    return " ".join(words.split())


def _too_many(rules: Sequence[PronunciationRule]) -> Iterator[Problem]:
    size = sum(len(str(value).encode(errors="surrogatepass")) for rule in rules for _, value in rule)
    if len(rules) > ENTRIES:
        yield body_problem(["rules"], f"A dictionary may have {ENTRIES:,} rules; these are {len(rules):,}.", "too_long")
    elif size > FILE_BYTES:
        yield body_problem(
            ["rules"], f"The rules have {size:,} bytes; a dictionary may have {FILE_BYTES:,}.", "too_long"
        )


def _problems(rule: PronunciationRule, place: int) -> Iterator[Problem]:
    if not isinstance(rule, AliasRule | PhonemeRule):
        yield body_problem(["rules", place, "type"], "Must be alias or phoneme.", "literal_error")
        return
    for name in ("string_to_replace", "alias", "phoneme"):
        words = cast(Any, getattr(rule, name, "-"))
        if not 0 < len(spaced(words)) <= CHARACTERS:
            yield body_problem(["rules", place, name], f"Must hold 1 to {CHARACTERS} characters.", "string_length")
        elif _NO_XML.search(words):
            yield body_problem(
                ["rules", place, name], "Holds a character that no dictionary file can: take it out.", "string_xml"
            )
    if isinstance(rule, PhonemeRule) and rule.alphabet.lower() not in ALPHABETS:
        yield body_problem(["rules", place, "alphabet"], f"Must be one of {', '.join(ALPHABETS)}.", "literal_error")
    for name, said in _ONE_WAY.items():
        if getattr(rule, name) is False:
            yield body_problem(["rules", place, name], said, "not_offered")
