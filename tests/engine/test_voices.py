"""Voices found by words."""

import pytest

from callwright.api.client import ApiClient
from callwright.contract.errors import BadRequest
from callwright.contract.voices import ListVoices
from callwright.engine.rules.voices import CATALOGUE
from callwright.engine.schema import defaults

from .helpers import refused

pytestmark = pytest.mark.anyio


async def names(api: ApiClient, search: str) -> list[str | None]:
    return [voice.name for voice in (await api.send(ListVoices(search=search, page_size=100))).voices]


async def test_a_warm_british_voice_is_found_by_those_words(api: ApiClient) -> None:
    assert await names(api, "a warm British voice") == ["George", "Lily"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("british woman", ["Lily", "Alice"]),
        ("Aussie", ["Stuart", "Charlie"]),
        ("old male", ["Grandpa Spuds Oxley"]),
        ("ARCHER", ["Archer"]),
        ("cjVigY5qzO86Huf0OWal", ["Eric"]),
        ("swedish robot", ["Charlotte"]),
        ("klingon", []),
    ],
)
async def test_words_are_looked_up_in_names_descriptions_and_labels(
    api: ApiClient, search: str, found: list[str]
) -> None:
    assert await names(api, search) == found


async def test_voices_come_page_by_page(api: ApiClient) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        asked = {"page_size": 7} | ({"next_page_token": cursor} if cursor else {})
        page = await api.send(ListVoices.model_validate(asked))
        seen += [voice.voice_id for voice in page.voices]
        assert (page.total_count, page.has_more) == (len(CATALOGUE), page.next_page_token is not None)
        if (cursor := page.next_page_token) is None:
            break
    assert seen == [voice.voice_id for voice in CATALOGUE]
    assert isinstance(await refused(api, ListVoices(next_page_token="made-up")), BadRequest)


def test_the_voice_of_a_new_agent_is_in_the_catalogue_and_no_voice_is_there_twice() -> None:
    ids = [voice.voice_id for voice in CATALOGUE]
    assert defaults.CONVERSATION_CONFIG["tts"]["voice_id"] in ids
    assert len(ids) == len(set(ids))
