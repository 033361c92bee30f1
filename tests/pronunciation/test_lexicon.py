"""Dictionaries are read as the specification writes them, and nothing in one reaches further than its text."""

# ruff: noqa: RUF001  the sounds of words are written with letters that look like others

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.errors import BadRequest
from callwright.pronunciation.lexicon import ENTRIES, FILE_BYTES, Entry, read_lexicon

EXAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xsi:schemaLocation="http://www.w3.org/2005/01/pronunciation-lexicon http://unreachable.invalid/pls.xsd"
      alphabet="ipa" xml:lang="en-GB">
  <lexeme><grapheme>Apple</grapheme><phoneme>ˈæpl̩</phoneme></lexeme>
  <lexeme><grapheme>UN</grapheme><grapheme>U.N.</grapheme><alias>United Nations</alias></lexeme>
  <lexeme><grapheme>tomato</grapheme><phoneme alphabet="cmu-arpabet">T AH M EY T OW</phoneme></lexeme>
  <lexeme><grapheme>UN</grapheme><alias>nothing</alias></lexeme>
</lexicon>"""
BOMB = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><lexicon><lexeme/></lexicon>'
FILE = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><lexicon>&a;</lexicon>'
ONE = "<lexeme><grapheme>{}</grapheme><alias>{}</alias></lexeme>"


def lexicon(inside: str, attributes: str = "") -> bytes:
    return f"<lexicon {attributes}>{inside}</lexicon>".encode()


def test_a_lexicon_is_read_by_its_written_forms() -> None:
    assert read_lexicon(EXAMPLE.encode()) == {
        "Apple": Entry("ˈæpl̩", "ipa"),
        "UN": Entry("United Nations"),
        "U.N.": Entry("United Nations"),
        "tomato": Entry("T AH M EY T OW", "cmu"),
    }
    assert read_lexicon(EXAMPLE.replace("UTF-8", "UTF-16").encode("utf-16")) == read_lexicon(EXAMPLE.encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (BOMB.encode(), "must not declare a document type or entities"),
        (FILE.encode(), "must not declare a document type or entities"),
        (b"<!DOCTYPE lexicon SYSTEM 'http://unreachable.invalid/x.dtd'><lexicon/>", "must not declare a document type"),
        (b"<lexicon>&unknown;</lexicon>", "This is no XML: undefined entity"),
        (b"<speak/>", "The outermost element is <speak>"),
        (b"<lexicon>", "This is no XML"),
        (b"", "This is no XML"),
        (b"<?xml version='1.0' encoding='no-such'?><lexicon/>", "This is no XML"),
        (lexicon(""), "has no entries"),
        (lexicon("<lexeme><grapheme>a</grapheme></lexeme>"), "Lexeme 1 ['a'] has no <alias> or <phoneme>."),
        (lexicon("<lexeme><alias>a</alias></lexeme>"), "Lexeme 1 [] has no <grapheme>."),
        (lexicon(ONE.format(" ", "b")), "A <grapheme> must hold 1 to 500 characters"),
        (lexicon(ONE.format("a", "b" * 501)), "A <alias> must hold 1 to 500 characters"),
        (lexicon(ONE.format("a", "b"), 'alphabet="runes"'), "The alphabet 'runes' is unknown"),
        (lexicon("".join(ONE.format(f"w{n}", "b") for n in range(ENTRIES + 1))), "may have 10,000 entries"),
        (b" " * (FILE_BYTES + 1), "at most 1,000,000 are read"),
    ],
)
def test_what_is_no_dictionary_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_lexicon(data)
    assert why in str(refused.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lexicon))
def test_any_bytes_are_a_dictionary_or_refused(data: bytes) -> None:
    with suppress(BadRequest):
        assert read_lexicon(data)
