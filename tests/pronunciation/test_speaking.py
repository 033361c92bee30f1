"""What a dictionary makes of a text, by the speech model that says it."""

# ruff: noqa: RUF001  the sounds of words are written with letters that look like others

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.pronunciation.lexicon import Entry, Lexicon
from callwright.pronunciation.speaking import SOUNDS_MODEL, Spoken, speak

UN, APPLE = Entry("United Nations"), Entry("ˈæpl̩", "ipa")
BOOK: Lexicon = {
    "UN": UN,
    "UN Women": Entry("U N Women"),
    "Apple": APPLE,
    "C++": Entry("C plus plus"),
    "@home": Entry("at home"),
    "nginx": Entry("/ˈɛndʒɪnˈɛks/", "ipa"),
}


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The UN met.", "The United Nations met."),
        ("UN, UN; (UN)", "United Nations, United Nations; (United Nations)"),
        ("UNICEF and un stay, and so does fUN.", "UNICEF and un stay, and so does fUN."),
        ("UN Women of the UN", "U N Women of the United Nations"),
        ("UN Womens", "United Nations Womens"),
        ("An Apple", "An /ˈæpl̩/"),
        ("nginx", "/ˈɛndʒɪnˈɛks/"),
        ("C++, @home", "C plus plus, at home"),
        ("me@home", "me@home"),
        ("", ""),
    ],
)
def test_whole_words_in_their_very_case_are_replaced_the_longest_first(text: str, spoken: str) -> None:
    assert speak(text, [BOOK], SOUNDS_MODEL).text == spoken


def test_only_one_model_speaks_phonemes_and_every_model_speaks_aliases() -> None:
    text = "Apple at the UN"
    sounding, other = (speak(text, [BOOK], model) for model in (SOUNDS_MODEL, "eleven_flash_v2"))
    assert sounding == Spoken("/ˈæpl̩/ at the United Nations", {"Apple": APPLE, "UN": UN}, {})
    assert other == Spoken("Apple at the United Nations", {"UN": UN}, {"Apple": APPLE})


def test_of_several_dictionaries_the_first_one_counts_that_the_model_can_speak() -> None:
    second: Lexicon = {"UN": Entry("un"), "Apple": Entry("A P P L")}
    assert speak("UN Apple", [BOOK, second], SOUNDS_MODEL).text == "United Nations /ˈæpl̩/"
    assert speak("UN Apple", [BOOK, second], "eleven_flash_v2").text == "United Nations A P P L"


def test_what_was_put_in_is_not_looked_up_again() -> None:
    assert speak("a b", [{"a": Entry("b"), "b": Entry("a")}], SOUNDS_MODEL).text == "b a"


@given(st.text(), st.dictionaries(st.text(min_size=1).filter(str.strip), st.just(Entry("x")), max_size=5))
def test_a_text_without_the_words_of_a_dictionary_stays_as_it_is(text: str, book: dict[str, Entry]) -> None:
    found = speak(text, [book], SOUNDS_MODEL)
    assert found.applied.keys() <= book.keys()
    assert found.applied or found.text == text
