import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engine.dialogue.voices import Part, VoiceStream, joined, plain, split_voices, tagged

LABELS = ["Joe", "Ann"]
TAGS = ["<Joe>", "</Joe>", "<Ann>", "</Ann>", "<x>", "</x>", "<joe>", f"<{'y' * 64}>"]
PIECES = st.sampled_from(
    [*TAGS, "<", ">", "</", "<Jo", "e>", "Joe>", "&lt;Joe&gt;", "&amp;", "a", "b ", "é", "\n", "-"]
)
ANSWERS = st.lists(PIECES, max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Just me.", [(None, "Just me.")]),
        ("He said <Joe>ahoy</Joe> and left.", [(None, "He said "), ("Joe", "ahoy"), (None, " and left.")]),
        ("<Joe>One</Joe><Ann>Two</Ann>", [("Joe", "One"), ("Ann", "Two")]),
        ("<Joe>One</Joe><Joe> and two</Joe>", [("Joe", "One and two")]),
        ("<Bob>Who?</Bob> Me.", [(None, "Who? Me.")]),
        ("<joe>Case</joe>", [(None, "Case")]),
        ("<Joe>never closed", [(None, "never closed")]),
        ("<Joe>never <Ann>closed</Ann>", [(None, "never "), ("Ann", "closed")]),
        ("<Joe>out <Ann>in</Ann> out</Joe>", [("Joe", "out in out")]),
        ("<Joe>out <Joe>in</Joe> out</Joe>", [("Joe", "out in"), (None, " out")]),
        ("</Joe>stray", [(None, "stray")]),
        ("<Joe></Joe>", []),
        ("AT&amp;T says &lt;Joe&gt;hi&lt;/Joe&gt;", [(None, "AT&amp;T says &lt;Joe&gt;hi&lt;/Joe&gt;")]),
        ("1 < 2 and 3 > 2 <not a tag>", [(None, "1 < 2 and 3 > 2 <not a tag>")]),
        ("it ends with <Jo", [(None, "it ends with <Jo")]),
        ("", []),
    ],
)
def test_tags_select_voices_and_broken_ones_only_vanish(text: str, expected: list[tuple[str | None, str]]) -> None:
    assert [(p["voice_label"], p["text"]) for p in split_voices(text, LABELS, 0)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The teacher said, <spanish>¡Hola estudiantes!</spanish> \nThen the student replied, "
            "<student>Hello! How are you today?</student>",
            [
                (None, "The teacher said, "),
                ("spanish", "¡Hola estudiantes!"),
                (None, " \nThen the student replied, "),
                ("student", "Hello! How are you today?"),
            ],
        ),
        (
            "<narrator>Once upon a time, in a distant kingdom...</narrator>\n"
            "<princess>I need to find the magic crystal!</princess>\n"
            "<wizard>The crystal lies beyond the enchanted forest.</wizard>",
            [
                ("narrator", "Once upon a time, in a distant kingdom..."),
                (None, "\n"),
                ("princess", "I need to find the magic crystal!"),
                (None, "\n"),
                ("wizard", "The crystal lies beyond the enchanted forest."),
            ],
        ),
        (
            "Teacher: Let's practice greetings. In Spanish, we say <Spanish>¡Hola! ¿Cómo estás?</Spanish>\n"
            "Student: How do I respond?\n"
            "Teacher: You can say <Spanish>¡Hola! Estoy bien, gracias.</Spanish> which means Hello! I'm fine, thank you.",
            [
                (None, "Teacher: Let's practice greetings. In Spanish, we say "),
                ("Spanish", "¡Hola! ¿Cómo estás?"),
                (None, "\nStudent: How do I respond?\nTeacher: You can say "),
                ("Spanish", "¡Hola! Estoy bien, gracias."),
                (None, " which means Hello! I'm fine, thank you."),
            ],
        ),
        (
            "Once upon a time, a brave princess ventured into a dark cave.\n"
            "<Princess>I'm not afraid of you, dragon!</Princess> she declared boldly. The dragon rumbled from\n"
            "the shadows, <Dragon>You should be, little one.</Dragon>\n"
            "But the princess stood her ground, ready for whatever came next.",
            [
                (None, "Once upon a time, a brave princess ventured into a dark cave.\n"),
                ("Princess", "I'm not afraid of you, dragon!"),
                (None, " she declared boldly. The dragon rumbled from\nthe shadows, "),
                ("Dragon", "You should be, little one."),
                (None, "\nBut the princess stood her ground, ready for whatever came next."),
            ],
        ),
    ],
    ids=["switching", "characters", "tutoring", "storytelling"],
)
def test_the_samples_of_the_platforms_guide_are_read(text: str, expected: list[tuple[str | None, str]]) -> None:
    labels = ["spanish", "student", "narrator", "princess", "wizard", "Spanish", "Princess", "Dragon"]
    assert [(p["voice_label"], p["text"]) for p in split_voices(text, labels, 0)] == expected


def streamed(pieces: Sequence[str]) -> list[list[Part]]:
    """What comes after each piece, and at the end."""
    stream = VoiceStream(LABELS)
    return [*(stream.feed(piece, 0) for piece in pieces), stream.close(0)]


@given(ANSWERS, st.data())
def test_however_an_answer_is_cut_its_parts_are_the_same(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text))))
    places = [0, *sorted(cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    came = [part for parts in streamed(pieces) for part in parts]
    assert joined(came) == read_whole(text) == split_voices(text, LABELS, 0)
    assert all(part["text"] for part in came)


@given(ANSWERS)
def test_a_letter_at_a_time_gives_the_same_parts(text: str) -> None:
    assert joined([part for parts in streamed(text) for part in parts]) == read_whole(text)


def test_own_words_come_at_once_and_those_of_a_voice_when_it_ends() -> None:
    pieces = ["Hello ", "1 <", " 2 <J", "oe>aye", " aye</Jo", "e> so", "<Ann>oh"]
    came = [[(part["voice_label"], part["text"]) for part in parts] for parts in streamed(pieces)]
    assert came == [
        [(None, "Hello ")],
        [(None, "1 ")],
        [(None, "< 2 ")],
        [],
        [],
        [("Joe", "aye aye"), (None, " so")],
        [],
        [(None, "oh")],
    ]


def test_a_part_begins_when_its_first_words_were_said() -> None:
    stream = VoiceStream(LABELS)
    came = [*stream.feed("One ", 1), *stream.feed("two <Joe>three", 2), *stream.feed("</Joe>", 3), *stream.close(4)]
    assert [(part["text"], part["time_in_call_secs"]) for part in joined(came)] == [("One two ", 1), ("three", 3)]


@given(st.lists(st.sampled_from(["<Joe>", "</Joe>", "<Ann>", "</Ann>", "<x>", "a", "b ", "<", "é"])))
def test_no_word_is_lost_and_writing_the_parts_again_gives_the_same_parts(tokens: list[str]) -> None:
    parts = split_voices("".join(tokens), LABELS, 0)
    if "<" not in tokens:
        assert plain(parts) == "".join(t for t in tokens if not t.startswith("<")).strip()
        assert split_voices(tagged(parts), LABELS, 0) == parts


def read_whole(text: str) -> list[Part]:
    """The rules again, for one who has the whole text: every tag in turn, looking ahead for its end."""
    parts: list[Part] = []
    label: str | None = None
    place = 0

    def add(words: str) -> None:
        if words:
            parts.append({"text": words, "voice_label": label, "time_in_call_secs": 0})

    for tag in re.finditer(r"<(/?)([A-Za-z0-9_-]{1,64})>", text):
        add(text[place : tag.start()])
        place, closing, name = tag.end(), bool(tag[1]), tag[2]
        if closing and name == label:
            label = None
        elif not closing and label is None and name in LABELS and f"</{name}>" in text[place:]:
            label = name
    add(text[place:])
    return joined(parts)
