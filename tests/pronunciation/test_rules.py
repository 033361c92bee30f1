"""Rules, lexicons and files say the same, whichever is made of which."""

# ruff: noqa: RUF001  the sounds of words are written with letters that look like others

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.common import Unknown
from callwright.contract.errors import InvalidRequest
from callwright.contract.pronunciation_dictionaries import AliasRule, PhonemeRule, PronunciationRule
from callwright.pronunciation.lexicon import CHARACTERS, ENTRIES, FILE_BYTES, Entry, read_lexicon, write_lexicon
from callwright.pronunciation.rules import check_rules, lexicon_of, rules_of

TEXTS = st.text(min_size=1, max_size=12) | st.sampled_from(
    [
        "]]>",
        "<!--",
        "&amp;",
        "&#1;",
        "\x85",
        "a\u2028b",
        "\ufffe",
        "\ud800",
        "\x00",
        "\x1f",
        " a \n b ",
        "\r\n",
        '"',
        "🚲",
    ]
)
ALPHABETS = st.sampled_from(["ipa", "IPA", "cmu", "cmu-arpabet", "x-cmu"])
RULES = st.lists(
    st.builds(AliasRule, string_to_replace=TEXTS, alias=TEXTS)
    | st.builds(PhonemeRule, string_to_replace=TEXTS, phoneme=TEXTS, alphabet=ALPHABETS),
    max_size=6,
)


@given(RULES)
def test_whatever_rules_are_taken_reads_back_from_its_file(rules: list[PronunciationRule]) -> None:
    try:
        check_rules(rules)
    except InvalidRequest as refused:
        places = {tuple(problem["loc"][:3]) for problem in refused.problems}
        assert places <= {("body", "rules", n) for n in range(len(rules))}
        return
    lexicon = lexicon_of(rules)
    read = read_lexicon(write_lexicon(lexicon), stored=True)
    assert list(read.items()) == list(lexicon.items())
    assert lexicon_of(rules_of(lexicon)) == lexicon


@given(st.text(max_size=20).map(str.strip).filter(lambda words: words and words.isprintable()))
def test_words_that_people_can_read_are_always_taken(words: str) -> None:
    check_rules([AliasRule(string_to_replace=words, alias=words)])


def test_of_rules_for_the_same_words_the_first_counts() -> None:
    rules: list[PronunciationRule] = [
        AliasRule(string_to_replace="U  N", alias="United Nations"),
        PhonemeRule(string_to_replace="U N", phoneme="juːˈɛn", alphabet="ipa"),
    ]
    assert lexicon_of(rules) == {"U N": Entry("United Nations")}


def test_every_problem_is_told_at_its_place() -> None:
    rules: list[PronunciationRule] = [
        AliasRule(string_to_replace="", alias="x" * (CHARACTERS + 1)),
        PhonemeRule(string_to_replace="a", phoneme="b", alphabet="runes", case_sensitive=False),
        Unknown.model_validate({"type": "song"}),
    ]
    with pytest.raises(InvalidRequest) as refused:
        check_rules(rules)
    assert [".".join(map(str, problem["loc"])) for problem in refused.value.problems] == [
        "body.rules.0.string_to_replace",
        "body.rules.0.alias",
        "body.rules.1.alphabet",
        "body.rules.1.case_sensitive",
        "body.rules.2.type",
    ]


def test_a_dictionary_is_no_larger_than_its_file_could_be() -> None:
    rules: list[PronunciationRule] = [AliasRule(string_to_replace=f"w{n}", alias="a") for n in range(ENTRIES + 1)]
    with pytest.raises(InvalidRequest, match="may have 10,000 rules; these are 10,001"):
        check_rules(rules)
    long: list[PronunciationRule] = [AliasRule(string_to_replace=f"w{n}", alias="ö" * CHARACTERS) for n in range(1_000)]
    with pytest.raises(InvalidRequest, match="a dictionary may have 1,000,000"):
        check_rules(long)


def test_the_largest_dictionary_that_is_taken_reads_back_from_its_file() -> None:
    full: list[PronunciationRule] = [
        PhonemeRule(string_to_replace=f"w{n}", phoneme="&" * 70, alphabet="cmu") for n in range(ENTRIES)
    ]
    check_rules(full)
    written = write_lexicon(lexicon_of(full))
    assert len(written) > FILE_BYTES
    assert read_lexicon(written, stored=True) == lexicon_of(full)
