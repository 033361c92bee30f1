"""Reads and writes dictionaries in the XML of the Pronunciation Lexicon Specification (`.pls`)."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from ..contract.errors import BadRequest

FILE_BYTES = 1_000_000
STORED_BYTES = 10_000_000
"""Size limit of a version written by a platform, whose tags and escapes such as `&amp;` need more room."""
ENTRIES = 10_000
CHARACTERS = 500
"""The maximum length of a word, an alias or a phoneme."""

Alphabet = Literal["ipa", "cmu"]
ALPHABETS: Mapping[str, Alphabet] = {"ipa": "ipa", "cmu": "cmu", "cmu-arpabet": "cmu", "x-cmu": "cmu"}
WRITTEN: Mapping[Alphabet, str] = {"ipa": "ipa", "cmu": "cmu-arpabet"}

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<lexicon version="1.0"'
    ' xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en">\n'
)


@dataclass(frozen=True)
class Entry:
    """The pronunciation of one written form: other words (`alphabet` is None), or phonemes."""

    spoken: str
    alphabet: Alphabet | None = None


Lexicon = Mapping[str, Entry]
"""Entries by written form, case-sensitive."""


def read_lexicon(data: bytes, *, stored: bool = False) -> Lexicon:
    """Parse a file. Of duplicate forms the first counts, and of several pronunciations of a form likewise the first.

    `stored`: a version that a platform wrote, which may be empty.

    Raises BadRequest if the file is too large, is no lexicon, or declares a document type or entities: no lexicon needs
    them, and they can expand a small file to a huge one or read files of this machine.
    """
    if len(data) > (most := STORED_BYTES if stored else FILE_BYTES):
        raise BadRequest(f"The dictionary has {len(data):,} bytes; at most {most:,} are read.")
    reader = _Reader()
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(reader)
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException:
        raise BadRequest("A dictionary must not declare a document type or entities. Take the DOCTYPE out.") from None
    except SAXParseException as wrong:
        place = f"line {wrong.getLineNumber()}, column {wrong.getColumnNumber()}"
        raise BadRequest(f"This is no XML: {wrong.getMessage()}: {place}.") from None
    except (ValueError, LookupError) as wrong:
        raise BadRequest(f"This is no XML: {wrong}.") from None
    if not (reader.entries or stored):
        raise BadRequest("The dictionary has no entries: <lexeme> with <grapheme> and <alias> or <phoneme>.")
    return reader.entries


def write_lexicon(lexicon: Lexicon) -> bytes:
    """XML that `read_lexicon` reads back as the same lexicon."""
    return f"{_HEAD}{''.join(_lexeme(form, entry) for form, entry in lexicon.items())}</lexicon>\n".encode()


def _lexeme(form: str, entry: Entry) -> str:
    said = html.escape(entry.spoken, quote=False)
    if entry.alphabet is None:
        spoken = f"<alias>{said}</alias>"
    else:
        spoken = f'<phoneme alphabet="{WRITTEN[entry.alphabet]}">{said}</phoneme>'
    return f"  <lexeme><grapheme>{html.escape(form, quote=False)}</grapheme>{spoken}</lexeme>\n"


class _Reader(ContentHandler):
    """Collects entries during parsing. Elements are matched by local name, because some tools omit the namespace."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, Entry] = {}
        self._path: list[str] = []
        self._alphabet: Alphabet = "ipa"
        self._of_phoneme: Alphabet = "ipa"
        self._words = ""
        self._forms: list[str] = []
        self._spoken: list[Entry] = []

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:
        local = name[1]
        if not self._path and local != "lexicon":
            raise BadRequest(f"The outermost element is <{local[:50]}>; a dictionary's is <lexicon>.")
        self._path.append(local)
        self._words = ""
        alphabet = attrs.get((None, "alphabet"))
        if local == "lexicon":
            self._alphabet = _alphabet(alphabet, "ipa")
        elif local == "phoneme":
            self._of_phoneme = _alphabet(alphabet, self._alphabet)
        elif local == "lexeme":
            self._forms, self._spoken = [], []

    def characters(self, content: str) -> None:
        self._words += content

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
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
    if (known := ALPHABETS.get(name.lower())) is None:
        raise BadRequest(f"The alphabet {name[:50]!r} is unknown; known: {', '.join(ALPHABETS)}.")
    return known
