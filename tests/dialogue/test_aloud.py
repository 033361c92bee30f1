"""What a model writes, as the user reads it while it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engine.dialogue.aloud import Aloud
from callwright.engine.dialogue.voices import plain, split_voices

pytestmark = pytest.mark.anyio

PIECES = st.lists(
    st.sampled_from(["<", ">", "/", "<Pirate>", "</Pirate>", "<b>", "Arr", " ", "\n", "a < b", "P", "<<"])
)


async def read(pieces: list[str], *, voices: bool) -> tuple[list[str], str]:
    """What was handed on after each piece, and after the last."""
    shown: list[str] = []

    async def show(text: str) -> None:
        shown.append(text)

    aloud = Aloud(show, voices=voices)
    for piece in pieces:
        await aloud.write(piece)
    await aloud.finish()
    assert aloud.told == "".join(shown)
    return shown, aloud.told


@given(PIECES)
async def test_what_is_read_is_the_message_as_it_is_recorded(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown, told = await read(pieces, voices=True)
    assert told == plain(split_voices(text.strip(), ["Pirate"], 0))
    assert "" not in shown
    assert (await read(pieces, voices=False))[1] == text.strip()


async def test_a_tag_in_pieces_is_never_seen_and_what_is_none_is_not_held_back_for_long() -> None:
    shown, _ = await read(["Hear: <Pi", "rate>Arr</Pira", "te> a <", " b ", "<end"], voices=True)
    assert shown == ["Hear:", " Arr", " a", " < b", " <end"]


async def test_where_nobody_reads_nothing_was_told() -> None:
    aloud = Aloud(None, voices=False)
    await aloud.write("Hello")
    await aloud.finish()
    assert aloud.told == ""
