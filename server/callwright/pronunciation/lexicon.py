"""Dictionaries in the Pronunciation Lexicon Specification's XML (`.pls`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from xml.parsers import expat

from ..contract.errors import BadRequest

FILE_BYTES = 1_000_000
ENTRIES = 10_000
CHARACTERS = 500
"""Of a word, an alias or a phoneme."""

Alphabet = Literal["ipa", "cmu"]
_ALPHABETS: Mapping[str, Alphabet] = {"ipa": "ipa", "cmu": "cmu", "cmu-arpabet": "cmu", "x-cmu": "cmu"}


@dataclass(frozen=True)
class Entry:
    """How one written form is spoken: as other words (`alphabet` None), or by sounds."""

    spoken: str
    alphabet: Alphabet | None = None


Lexicon = Mapping[str, Entry]
"""By the written form. Upper and lower case are two."""


def read_lexicon(data: bytes) -> Lexicon:
    """Of a form that stands there twice, the first counts, and of several ways to speak it, the first too.

    Raises BadRequest where the file is too large, is no lexicon, or declares a document type or entities: nothing here
    needs them, and they can make a small file a huge one or name files of this machine.
    """
    if len(data) > FILE_BYTES:
        raise BadRequest(f"The dictionary has {len(data):,} bytes; at most {FILE_BYTES:,} are read.")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refused
    parser.EntityDeclHandler = _refused
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as wrong:
        raise BadRequest(f"This is no XML: {wrong}.") from None
    if not reader.entries:
        raise BadRequest("The dictionary has no entries: <lexeme> with <grapheme> and <alias> or <phoneme>.")
    return reader.entries


def _refused(*_: object) -> None:
    raise BadRequest("A dictionary must not declare a document type or entities. Take the DOCTYPE out.")


@dataclass
class _Reader:
    """What the parser has seen. Elements are known by their local names, as some tools leave the namespace out."""

    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    _path: list[str] = field(default_factory=list[str])
    _alphabet: Alphabet = "ipa"
    _of_phoneme: Alphabet = "ipa"
    _words: str = ""
    _forms: list[str] = field(default_factory=list[str])
    _spoken: list[Entry] = field(default_factory=list[Entry])

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._path and local != "lexicon":
            raise BadRequest(f"The outermost element is <{local[:50]}>; a dictionary's is <lexicon>.")
        self._path.append(local)
        self._words = ""
        if local == "lexicon":
            self._alphabet = _alphabet(attributes.get("alphabet"), "ipa")
        elif local == "phoneme":
            self._of_phoneme = _alphabet(attributes.get("alphabet"), self._alphabet)
        elif local == "lexeme":
            self._forms, self._spoken = [], []

    def text(self, words: str) -> None:
        self._words += words

    def end(self, name: str) -> None:
        local, words = self._path.pop(), " ".join(self._words.split())
        if local in ("grapheme", "alias", "phoneme") and not 0 < len(words) <= CHARACTERS:
            raise BadRequest(f"A <{local}> must hold 1 to {CHARACTERS} characters: {words[:50]!r}.")
        if local == "grapheme":
            self._forms.append(words)
        elif local == "alias":
            self._spoken.append(Entry(words))
        elif local == "phoneme":
            self._spoken.append(Entry(words, self._of_phoneme))
        elif local == "lexeme":
            self._add()

    def _add(self) -> None:
        if not self._forms or not self._spoken:
            missing = "<alias> or <phoneme>" if self._forms else "<grapheme>"
            raise BadRequest(f"Lexeme {len(self.entries) + 1} {self._forms[:1]} has no {missing}.")
        for form in self._forms:
            self.entries.setdefault(form, self._spoken[0])
        if len(self.entries) > ENTRIES:
            raise BadRequest(f"A dictionary may have {ENTRIES:,} entries.")


def _alphabet(name: str | None, otherwise: Alphabet) -> Alphabet:
    if name is None:
        return otherwise
    if (known := _ALPHABETS.get(name.lower())) is None:
        raise BadRequest(f"The alphabet {name[:50]!r} is unknown; known: {', '.join(_ALPHABETS)}.")
    return known
