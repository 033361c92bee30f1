import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engine.dialogue.voices import plain, split_voices, tagged

LABELS = ["Joe", "Ann"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Just me.", [(None, "Just me.")]),
        ("He said <Joe>ahoy</Joe> and left.", [(None, "He said "), ("Joe", "ahoy"), (None, " and left.")]),
        ("<Joe>One</Joe><Ann>Two</Ann>", [("Joe", "One"), ("Ann", "Two")]),
        ("<Bob>Who?</Bob> Me.", [(None, "Who? Me.")]),
        ("<joe>Case</joe>", [(None, "Case")]),
        ("<Joe>never closed", [(None, "never closed")]),
        ("<Joe>out <Ann>in</Ann> out</Joe>", [("Joe", "out in out")]),
        ("</Joe>stray", [(None, "stray")]),
        ("1 < 2 and 3 > 2 <not a tag>", [(None, "1 < 2 and 3 > 2 <not a tag>")]),
        ("", []),
    ],
)
def test_tags_select_voices_and_broken_ones_only_vanish(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert [(p["voice_label"], p["text"]) for p in split_voices(text, LABELS, 0)] == expected


@given(st.lists(st.sampled_from(["<Joe>", "</Joe>", "<Ann>", "</Ann>", "<x>", "a", "b ", "<", "é"])))
def test_no_word_is_lost_and_writing_the_parts_again_gives_the_same_parts(tokens: list[str]) -> None:
    parts = split_voices("".join(tokens), LABELS, 0)
    if "<" not in tokens:
        assert plain(parts) == "".join(t for t in tokens if not t.startswith("<")).strip()
        assert split_voices(tagged(parts), LABELS, 0) == parts
