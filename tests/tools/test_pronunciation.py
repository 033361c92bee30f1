"""Keeping pronunciation dictionaries, and trying them out, through the MCP client."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.api.client import ApiClient
from callwright.contract.agents import CreateAgent
from callwright.contract.pronunciation_dictionaries import UpdateDictionary
from tests.engine.helpers import JSON
from tests.transports import ERAS, MODERN, Clock, facts, numbered, reach, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

PLS = (
    '<lexicon alphabet="ipa"><lexeme><grapheme>Apple</grapheme><phoneme>æpl</phoneme></lexeme>'
    "<lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"
)


@asynccontextmanager
async def served(
    home: Path, clock: Clock, era: str = MODERN, transport: str = "memory", **chosen: Any
) -> AsyncGenerator[tuple[Client, ApiClient]]:
    app = server(settings(home / "home", toolsets=("all",), **chosen), clock=clock, ids=numbered())
    async with reach(app, era, "yes", transport) as (client, _):
        yield client, await app.api()


async def call(client: Client, tool: str, /, **arguments: Any) -> JSON:
    return facts(await client.call_tool(tool, arguments))


async def refusal(client: Client, tool: str, /, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return text(answer)


@pytest.mark.parametrize("era", ERAS)
async def test_a_dictionary_is_added_gets_a_version_and_is_heard(tmp_path: Path, clock: Clock, era: str) -> None:
    said = "UN, WHO, Apple"
    async with served(tmp_path, clock, era) as (client, _):
        made = await call(client, "add_pronunciation_dictionary", name="Names", pls=PLS)
        id = made["dictionary_id"]
        added = await call(
            client, "add_pronunciation_dictionary", dictionary_id=id, aliases={"WHO": "Health", "UN": "You Enn"}
        )
        heard = await call(client, "preview_pronunciation", text=said, dictionary_id=id)
        only = await call(client, "add_pronunciation_dictionary", dictionary_id=id, pls=PLS, aliases={"WHO": "Who"})
        again = await call(client, "preview_pronunciation", text=said, dictionary_id=id)
        listed = await call(client, "list_pronunciation_dictionaries")
    assert [made, added, only] == snapshot(
        [
            {"dictionary_id": "pdict_1", "version_id": "pver_2", "words": 2},
            {
                "dictionary_id": "pdict_1",
                "version_id": "pver_3",
                "words": 3,
                "changed": [
                    {
                        "path": "rules",
                        "before": '[{"string_to_replace": "Apple", "type": "phoneme", "phoneme": "æpl", "alphabet": "ipa"}, {"string_to_replace": "UN", "type": "alias", "alias": "United Nations"}]',
                        "after": '[{"string_to_replace": "Apple", "type": "phoneme", "phoneme": "æpl", "alphabet": "ipa"}, {"string_to_replace": "UN", "type": "alias", "alias": "You Enn"}, {"string_to_replace": "WHO", "type": "alias", "alias": "Health"}]',
                    }
                ],
            },
            {
                "dictionary_id": "pdict_1",
                "version_id": "pver_4",
                "words": 3,
                "changed": [
                    {"path": "rules.1.alias", "before": "You Enn", "after": "United Nations"},
                    {"path": "rules.2.alias", "before": "Health", "after": "Who"},
                ],
            },
        ]
    )
    assert (heard["spoken"], again["spoken"]) == ("You Enn, Health, /æpl/", "United Nations, Who, /æpl/")
    assert listed == snapshot(
        {
            "has_more": False,
            "dictionaries": [{"dictionary_id": "pdict_1", "version_id": "pver_4", "words": 3, "name": "Names"}],
        }
    )


async def test_a_file_is_a_dictionary_named_like_it(tmp_path: Path, clock: Clock) -> None:
    root = tmp_path / "open"
    root.mkdir()
    (root / "names.pls").write_text(PLS, encoding="utf-8")
    (root / "bad.pls").write_text(f'<!DOCTYPE l [<!ENTITY a SYSTEM "file://{root}/names.pls">]>{PLS}', encoding="utf-8")
    path = str(root / "names.pls")
    async with served(tmp_path, clock, file_roots=(root.resolve(),)) as (client, _):
        made = await call(client, "add_pronunciation_dictionary", path=path)
        await call(client, "add_pronunciation_dictionary", path=path, dictionary_id=made["dictionary_id"])
        [line] = (await call(client, "list_pronunciation_dictionaries"))["dictionaries"]
        entity = await refusal(client, "add_pronunciation_dictionary", path=str(root / "bad.pls"))
        outside = await refusal(client, "add_pronunciation_dictionary", path="/etc/hostname")
    assert (line["name"], line["words"], line["version_id"] != made["version_id"]) == ("names", 2, True)
    assert entity == "A dictionary must not declare a document type or entities. Take the DOCTYPE out."
    assert outside.startswith("No such file in ")
    async with served(tmp_path / "other", clock, transport="http", file_roots=(root.resolve(),)) as (client, _):
        assert (await refusal(client, "add_pronunciation_dictionary", path=path)).endswith("not over HTTP.")


async def test_an_agent_is_heard_with_its_dictionaries_and_model(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, api):
        first = await call(client, "add_pronunciation_dictionary", name="Names", pls=PLS)
        id = first["dictionary_id"]
        await call(client, "add_pronunciation_dictionary", dictionary_id=id, aliases={"UN": "You Enn"})
        other = await call(client, "add_pronunciation_dictionary", name="More", aliases={"UN": "no", "Dr.": "Doctor"})
        locators: list[JSON] = [
            {"pronunciation_dictionary_id": id, "version_id": first["version_id"]},
            {"pronunciation_dictionary_id": other["dictionary_id"], "version_id": None},
        ]
        tts = {"pronunciation_dictionary_locators": locators, "model_id": "eleven_flash_v2"}
        agent = await api.send(CreateAgent.model_validate({"conversation_config": {"tts": tts}}))
        await api.send(UpdateDictionary(pronunciation_dictionary_id=id, archived=True))
        heard = await call(client, "preview_pronunciation", text="Dr. Apple, UN", agent_id=agent.agent_id)
    assert heard == snapshot(
        {
            "spoken": "Doctor Apple, United Nations",
            "applied": ["Dr.: alias Doctor", "UN: alias United Nations"],
            "skipped": ["Apple: ipa æpl"],
            "entries": 3,
            "note": "eleven_flash_v2 speaks no phonemes; eleven_turbo_v2 does.",
        }
    )


async def test_a_version_is_planned_taken_back_and_not_taken_back_twice(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, _):
        made = await call(client, "add_pronunciation_dictionary", name="Names", aliases={"UN": "United Nations"})
        new: JSON = {"dictionary_id": made["dictionary_id"], "aliases": {"UN": "You Enn"}}
        planned = await call(client, "add_pronunciation_dictionary", **new, dry_run=True)
        await call(client, "add_pronunciation_dictionary", **new)
        changes = (await call(client, "list_changes"))["changes"]
        change = next(each for each in changes if each["undoable"])
        await call(client, "undo_change", change_id=change["change_id"])
        back = await call(client, "preview_pronunciation", text="UN", dictionary_id=made["dictionary_id"])
        twice = await refusal(client, "undo_change", change_id=change["change_id"])
    assert planned == snapshot(
        {
            "dry_run": {
                "would": "Give pronunciation dictionary 'Names' (pdict_1) a new version. Words: 1, until now 1.",
                "method": "POST",
                "path": "/v1/pronunciation-dictionaries/pdict_1/set-rules",
                "changed": [{"path": "rules.0.alias", "before": "United Nations", "after": "You Enn"}],
            }
        }
    )
    assert len(changes) == 2
    assert back["spoken"] == "United Nations"
    assert "undone" in twice


@pytest.mark.parametrize("era", ERAS)
async def test_a_dictionary_is_tried_out_by_speech_model(tmp_path: Path, clock: Clock, era: str) -> None:
    asked = {"text": "Apple, UN, Dr.", "pls": PLS, "aliases": {"Dr.": "Doctor"}}
    async with served(tmp_path, clock, era) as (client, _):
        sounding = await call(client, "preview_pronunciation", **asked)
        other = await call(client, "preview_pronunciation", **asked, model="eleven_flash_v2")
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


TRIED = "preview_pronunciation"
ADDED = "add_pronunciation_dictionary"


@pytest.mark.parametrize(
    ("tool", "asked", "why"),
    [
        (TRIED, {}, "Give aliases, pls (the XML of a dictionary), dictionary_id or agent_id."),
        (TRIED, {"aliases": {"a": ""}}, "aliases.a must be text"),
        (TRIED, {"aliases": {"a": ["b"]}}, "aliases.a must be text"),
        (TRIED, {"pls": f"<!DOCTYPE lexicon>{PLS}"}, "A dictionary must not declare a document type or entities."),
        (TRIED, {"pls": "<lexicon>"}, "This is no XML: "),
        (TRIED, {"dictionary_id": "pdict_no"}, "No pronunciation dictionary 'pdict_no'."),
        (TRIED, {"agent_id": "agent_no"}, "No agent 'agent_no'."),
        (ADDED, {"name": "n"}, "Give aliases, pls (the XML of a dictionary) or the path of a .pls file."),
        (ADDED, {"aliases": {"a": "b"}}, "Give the name of a new dictionary, or the dictionary_id of one that gets"),
        (ADDED, {"aliases": {"a": "b"}, "name": "n", "dictionary_id": "d"}, "Give the name of a new dictionary, or"),
        (ADDED, {"aliases": {"a": "b"}, "dictionary_id": "pdict_no"}, "No pronunciation dictionary 'pdict_no'."),
        (ADDED, {"aliases": {"a": "b\x02"}, "name": "n"}, "rules.0.alias: Holds a character that no dictionary file"),
        (ADDED, {"pls": PLS.replace("ipa", "runes"), "name": "n"}, "The alphabet 'runes' is unknown; known: ipa"),
    ],
)
async def test_what_cannot_be_spoken_says_why(tmp_path: Path, clock: Clock, tool: str, asked: JSON, why: str) -> None:
    asked = {"text": "Hi", **asked} if tool == TRIED else asked
    async with served(tmp_path, clock) as (client, _):
        assert (await refusal(client, tool, **asked)).startswith(why)
        assert (await call(client, "list_pronunciation_dictionaries"))["dictionaries"] == []
