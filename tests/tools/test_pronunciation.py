"""Trying a pronunciation dictionary out through the MCP client."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.arms import ERAS, Clock, facts, reach, text

from .everything import offering

pytestmark = pytest.mark.anyio

PLS = (
    '<lexicon alphabet="ipa"><lexeme><grapheme>Apple</grapheme><phoneme>æpl</phoneme></lexeme>'
    "<lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"
)


@pytest.mark.parametrize("era", ERAS)
async def test_a_dictionary_is_tried_out_by_speech_model(tmp_path: Path, clock: Clock, era: str) -> None:
    asked = {"text": "Apple, UN, Dr.", "pls": PLS, "aliases": {"Dr.": "Doctor"}}
    async with reach(offering(tmp_path, clock), era) as (client, _):
        sounding = facts(await client.call_tool("preview_pronunciation", asked))
        other = facts(await client.call_tool("preview_pronunciation", {**asked, "model": "eleven_flash_v2"}))
    assert sounding == snapshot(
        {
            "spoken": "/æpl/, United Nations, Doctor",
            "applied": ["Apple: ipa æpl", "UN: alias United Nations", "Dr.: alias Doctor"],
            "skipped": [],
            "entries": 3,
        }
    )
    assert other == snapshot(
        {
            "spoken": "Apple, United Nations, Doctor",
            "applied": ["UN: alias United Nations", "Dr.: alias Doctor"],
            "skipped": ["Apple: ipa æpl"],
            "entries": 3,
            "note": "eleven_flash_v2 speaks no phonemes; eleven_turbo_v2 does.",
        }
    )


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "Give aliases, or pls: the XML of a dictionary."),
        ({"aliases": {"a": ""}}, "aliases.a must be text"),
        ({"aliases": {"a": ["b"]}}, "aliases.a must be text"),
        ({"pls": f"<!DOCTYPE lexicon>{PLS}"}, "A dictionary must not declare a document type or entities."),
        ({"pls": "<lexicon>"}, "This is no XML: "),
    ],
)
async def test_what_cannot_be_tried_out_says_why(
    tmp_path: Path, clock: Clock, asked: dict[str, object], why: str
) -> None:
    async with reach(offering(tmp_path, clock)) as (client, _):
        refused = await client.call_tool("preview_pronunciation", {"text": "Hi", **asked})
    assert refused.is_error
    assert text(refused).startswith(why)
