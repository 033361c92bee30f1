"""The rules of pronunciation dictionaries."""

# ruff: noqa: RUF001  the sounds of words are written with letters that look like others

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.operation import Blob
from callwright.contract.pronunciation_dictionaries import (
    AddDictionaryRules,
    CreateDictionaryFromFile,
    CreateDictionaryFromRules,
    DownloadDictionary,
    GetDictionary,
    ListDictionaries,
    RemoveDictionaryRules,
    SetDictionaryRules,
    UpdateDictionary,
)
from callwright.pronunciation.lexicon import ENTRIES, FILE_BYTES, read_lexicon
from tests.transports import Clock

from .helpers import JSON, agent, dump, problems, read, refused, workflow

pytestmark = pytest.mark.anyio

BASE = "/v1/pronunciation-dictionaries"
UN: JSON = {"type": "alias", "string_to_replace": "UN", "alias": "United Nations"}
APPLE: JSON = {"type": "phoneme", "string_to_replace": "Apple", "phoneme": "ˈæpl̩", "alphabet": "ipa"}
PLS = """<lexicon alphabet="cmu-arpabet">
  <lexeme><grapheme>tomato</grapheme><phoneme>T AH M EY T OW</phoneme></lexeme>
  <lexeme><grapheme>UN</grapheme><grapheme>U.N.</grapheme><alias>United Nations</alias></lexeme>
</lexicon>"""
BOMB = f'<!DOCTYPE l [<!ENTITY a "{"ha" * 99}"><!ENTITY b "{"&a;" * 99}"><!ENTITY c "{"&b;" * 99}">]>'
OUTSIDE = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


async def made(api: ApiClient, *rules: JSON, name: str = "Names") -> tuple[str, str]:
    """The ids of a new dictionary and of its first version."""
    op = CreateDictionaryFromRules.model_validate({"rules": rules, "name": name})
    added = await api.send(op)
    return added.id, added.version_id


def speaking(dictionary_id: str, version_id: str | None = None) -> JSON:
    """A configuration that names a dictionary."""
    locator = {"pronunciation_dictionary_id": dictionary_id, "version_id": version_id}
    return {"tts": {"pronunciation_dictionary_locators": [locator]}}


async def words(api: ApiClient, dictionary_id: str, version_id: str) -> JSON:
    """What a version says, from its file."""
    file = await api.send(DownloadDictionary(dictionary_id=dictionary_id, version_id=version_id))
    assert file.media_type == "application/pls+xml"
    return {form: entry.spoken for form, entry in read_lexicon(file.data, stored=True).items()}


async def test_a_dictionary_reads_back_as_it_was_created(api: ApiClient) -> None:
    given = {"rules": [UN, APPLE], "name": "Names", "description": "Of people", "workspace_access": "viewer"}
    added = await api.send(CreateDictionaryFromRules.model_validate(given))
    assert dump(added) == snapshot(
        {
            "id": "pdict_1",
            "name": "Names",
            "created_by": "You",
            "creation_time_unix": 1800000000,
            "version_id": "pver_2",
            "version_rules_num": 2,
            "description": "Of people",
            "permission_on_resource": "admin",
        }
    )
    found = dump(await api.send(GetDictionary(pronunciation_dictionary_id=added.id)))
    assert found == snapshot(
        {
            "id": "pdict_1",
            "name": "Names",
            "latest_version_id": "pver_2",
            "latest_version_rules_num": 2,
            "created_by": "You",
            "creation_time_unix": 1800000000,
            "archived_time_unix": None,
            "description": "Of people",
            "permission_on_resource": "admin",
            "rules": [
                {"string_to_replace": "UN", "type": "alias", "alias": "United Nations"},
                {"string_to_replace": "Apple", "type": "phoneme", "phoneme": "ˈæpl̩", "alphabet": "ipa"},
            ],
        }
    )
    [listed] = dump(await api.send(ListDictionaries()))["pronunciation_dictionaries"]
    assert listed == {name: value for name, value in found.items() if name != "rules"}


async def test_a_file_becomes_a_dictionary_with_its_rules(api: ApiClient) -> None:
    file = Blob("text/xml", PLS.encode(), "names.pls")
    added = await api.send(CreateDictionaryFromFile(name="Names", file=file))
    found = dump(await api.send(GetDictionary(pronunciation_dictionary_id=added.id)))
    assert found["rules"] == snapshot(
        [
            {"string_to_replace": "tomato", "type": "phoneme", "phoneme": "T AH M EY T OW", "alphabet": "cmu-arpabet"},
            {"string_to_replace": "UN", "type": "alias", "alias": "United Nations"},
            {"string_to_replace": "U.N.", "type": "alias", "alias": "United Nations"},
        ]
    )
    written = await api.send(DownloadDictionary(dictionary_id=added.id, version_id=added.version_id))
    assert read_lexicon(written.data) == read_lexicon(PLS.encode())
    assert written.data.decode() == snapshot("""\
<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en">
  <lexeme><grapheme>tomato</grapheme><phoneme alphabet="cmu-arpabet">T AH M EY T OW</phoneme></lexeme>
  <lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme>
  <lexeme><grapheme>U.N.</grapheme><alias>United Nations</alias></lexeme>
</lexicon>
""")
    empty = await api.send(CreateDictionaryFromFile(name="Later"))
    assert (empty.version_rules_num, await words(api, empty.id, empty.version_id)) == (0, {})


async def test_every_change_of_rules_makes_a_version_and_the_old_one_stays(api: ApiClient) -> None:
    id, first = await made(api, UN, APPLE)
    other = {**UN, "alias": "  You\nEnn "}
    who = {**UN, "string_to_replace": "WHO", "alias": "World Health Organization"}

    async def version(op: Any, rules: int) -> str:
        changed = await api.send(op)
        found = await api.send(GetDictionary(pronunciation_dictionary_id=id))
        assert (changed.id, changed.version_rules_num) == (id, rules)
        assert (found.latest_version_id, found.latest_version_rules_num) == (changed.version_id, rules)
        return changed.version_id

    this = {"pronunciation_dictionary_id": id}
    added = await version(AddDictionaryRules.model_validate({**this, "rules": [other, who]}), 3)
    removed = await version(RemoveDictionaryRules(pronunciation_dictionary_id=id, rule_strings=["Apple"]), 2)
    replaced = await version(SetDictionaryRules.model_validate({**this, "rules": [UN, other]}), 1)
    assert [await words(api, id, each) for each in (first, added, removed, replaced)] == [
        {"UN": "United Nations", "Apple": "ˈæpl̩"},
        {"UN": "You Enn", "Apple": "ˈæpl̩", "WHO": "World Health Organization"},
        {"UN": "You Enn", "WHO": "World Health Organization"},
        {"UN": "United Nations"},
    ]


async def test_an_archived_dictionary_is_listed_only_when_asked_for(api: ApiClient, clock: Clock) -> None:
    id, version = await made(api, UN)
    ada = await agent(api, speaking(id), name="Ada")
    clock.forward(seconds=5)
    archived = dump(await api.send(UpdateDictionary(pronunciation_dictionary_id=id, archived=True, name="Old names")))
    clock.forward(seconds=5)
    again = dump(await api.send(UpdateDictionary(pronunciation_dictionary_id=id, archived=True)))
    assert (archived["name"], archived["archived_time_unix"], archived["latest_version_id"]) == (
        "Old names",
        clock.ms // 1000 - 5,
        version,
    )
    assert again == archived
    assert (await api.send(ListDictionaries())).pronunciation_dictionaries == []
    assert len((await api.send(ListDictionaries(include_archived=True))).pronunciation_dictionaries) == 1
    await agent(api, speaking(id, version))
    assert (await read(api, ada))["conversation_config"]["tts"]["pronunciation_dictionary_locators"] == [
        {"pronunciation_dictionary_id": id, "version_id": None}
    ]
    back = dump(await api.send(UpdateDictionary(pronunciation_dictionary_id=id, archived=False)))
    assert (back["archived_time_unix"], len((await api.send(ListDictionaries())).pronunciation_dictionaries)) == (
        None,
        1,
    )


async def test_dictionaries_are_listed_in_every_order(api: ApiClient, wire: AsyncClient, clock: Clock) -> None:
    for name in ("b", "C", "a"):
        await made(api, UN, name=name)
        clock.forward(seconds=1)
    for query, names in {
        "": ["a", "C", "b"],
        "sort_direction=ascending": ["b", "C", "a"],
        "sort=name&sort_direction=ASCENDING": ["a", "b", "C"],
        "sort=name&sort_direction=DESCENDING": ["C", "b", "a"],
    }.items():
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            asked = f"{BASE}?page_size=2&{query}" + (f"&cursor={cursor}" if cursor else "")
            page = (await wire.get(asked)).json()
            seen += [row["name"] for row in page["pronunciation_dictionaries"]]
            assert page["has_more"] is (page["next_cursor"] is not None)
            cursor = page["next_cursor"]
        assert seen == names, query


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({**UN, "string_to_replace": " "}, "string_to_replace: Must hold 1 to 500 characters."),
        ({**UN, "alias": "x" * 501}, "alias: Must hold 1 to 500 characters."),
        ({**UN, "alias": "a\x01"}, "alias: Holds a character that no dictionary file can: take it out."),
        ({**APPLE, "alphabet": "runes"}, "alphabet: Must be one of ipa, cmu, cmu-arpabet, x-cmu."),
        ({**UN, "type": "song"}, "type: Must be alias or phoneme."),
        ({**UN, "case_sensitive": False}, "case_sensitive: Only rules for the very case are spoken here: leave it out, and add a rule for each case."),
        ({**UN, "word_boundaries": False}, "word_boundaries: Only whole words are replaced here: leave it out, and add a rule for each word."),
        ({"type": "alias", "alias": "x"}, "string_to_replace: Field required"),
    ],
)  # fmt: skip
async def test_a_rule_that_cannot_be_spoken_is_refused_at_its_place(
    api: ApiClient, wire: AsyncClient, rule: JSON, said: str
) -> None:
    id, version = await made(api, UN)
    for path in ("add-from-rules", f"{id}/set-rules", f"{id}/add-rules"):
        refusal = problems(await wire.post(f"{BASE}/{path}", json={"name": "n", "rules": [APPLE, rule]}))
        assert refusal in ([f"body.rules.1.{said}"], [f"body.rules.{said}"]), path
    found = dump(await api.send(GetDictionary(pronunciation_dictionary_id=id)))
    assert (found["latest_version_id"], found["rules"]) == (version, [UN])


async def test_a_version_has_its_limits_however_it_comes_about(api: ApiClient, wire: AsyncClient) -> None:
    many = [{**UN, "string_to_replace": f"w{n}"} for n in range(ENTRIES)]
    id, _ = await made(api, *many)
    for body in ({"rules": [*many, UN]}, {"rules": [UN]}):
        path = "set-rules" if len(body["rules"]) > 1 else "add-rules"
        [said] = problems(await wire.post(f"{BASE}/{id}/{path}", json=body))
        assert said == "body.rules: A dictionary may have 10,000 rules; these are 10,001."
    long = [{**UN, "string_to_replace": f"w{n}", "alias": "é" * 500} for n in range(FILE_BYTES // 1000)]
    [said] = problems(await wire.post(f"{BASE}/add-from-rules", json={"name": "n", "rules": long}))
    assert said.startswith("body.rules: The rules have 1,0")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"{BOMB}<lexicon>&c;</lexicon>", "A dictionary must not declare a document type or entities. Take the DOCTYPE out."),
        (f"{OUTSIDE}<lexicon>&a;</lexicon>", "A dictionary must not declare a document type or entities. Take the DOCTYPE out."),
        ("<lexicon><lexeme>", "This is no XML: no element found: line 1, column 17."),
        ("", "This is no XML: no element found: line 1, column 0."),
        ("<lexicon/>", "The dictionary has no entries: <lexeme> with <grapheme> and <alias> or <phoneme>."),
        (PLS.replace("cmu-arpabet", "runes"), "The alphabet 'runes' is unknown; known: ipa, cmu, cmu-arpabet, x-cmu."),
        (" " * (FILE_BYTES + 1), "The dictionary has 1,000,001 bytes; at most 1,000,000 are read."),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_dictionary_is_refused_with_the_reason(api: ApiClient, data: str, said: str) -> None:
    file = Blob("text/xml", data.encode(), "names.pls")
    error = await refused(api, CreateDictionaryFromFile(name="Names", file=file))
    assert (error.status, str(error)) == (400, said)
    assert (await api.send(ListDictionaries())).pronunciation_dictionaries == []


async def test_a_file_in_another_encoding_reads_back_however_large_it_becomes(api: ApiClient) -> None:
    lexemes = "".join(f"<lexeme><grapheme>語{n}</grapheme><alias>{'語' * 490}</alias></lexeme>" for n in range(900))
    data = f'<?xml version="1.0" encoding="UTF-16"?><lexicon>{lexemes}</lexicon>'.encode("utf-16")
    added = await api.send(CreateDictionaryFromFile(name="Names", file=Blob("text/xml", data, "names.pls")))
    written = await api.send(DownloadDictionary(dictionary_id=added.id, version_id=added.version_id))
    assert len(written.data) > FILE_BYTES > len(data)
    assert read_lexicon(written.data, stored=True) == read_lexicon(data)
    found = await api.send(GetDictionary(pronunciation_dictionary_id=added.id))
    assert len(found.rules or ()) == 900


async def test_what_is_not_there_is_not_found(api: ApiClient) -> None:
    id, version = await made(api, UN)
    other, _ = await made(api, UN)
    nowhere = {"pronunciation_dictionary_id": "pdict_no"}
    for op in (
        GetDictionary.model_validate(nowhere),
        UpdateDictionary.model_validate(nowhere),
        SetDictionaryRules.model_validate({**nowhere, "rules": []}),
        AddDictionaryRules.model_validate({**nowhere, "rules": []}),
        RemoveDictionaryRules.model_validate({**nowhere, "rule_strings": []}),
        DownloadDictionary(dictionary_id="pdict_no", version_id=version),
        DownloadDictionary(dictionary_id=other, version_id=version),
    ):
        assert (await refused(api, op)).status == 404
    wrong = await refused(api, RemoveDictionaryRules(pronunciation_dictionary_id=id, rule_strings=["UN", "Un"]))
    assert str(wrong) == "body.rule_strings.1: No rule replaces this."


async def test_an_agent_names_only_dictionaries_and_versions_that_there_are(api: ApiClient, wire: AsyncClient) -> None:
    id, version = await made(api, UN)
    other, _ = await made(api, UN)
    ada = await agent(api, speaking(id, version))
    for config, said in (
        (speaking("pdict_no", "pver_no"), "0.pronunciation_dictionary_id: There is no pronunciation_dictionary 'pdict_no'."),
        (speaking(id, "pver_no"), f"0.version_id: Pronunciation dictionary '{id}' has no version 'pver_no'."),
        (speaking(other, version), f"0.version_id: Pronunciation dictionary '{other}' has no version '{version}'."),
    ):  # fmt: skip
        place = "body.conversation_config.tts.pronunciation_dictionary_locators"
        assert problems(await wire.patch(f"/v1/convai/agents/{ada}", json={"conversation_config": config})) == [
            f"{place}.{said}"
        ]
    node = {"type": "override_agent", "label": "n", "conversation_config": speaking("pdict_no")}
    answer = await wire.patch(f"/v1/convai/agents/{ada}", json={"workflow": workflow(node)})
    assert problems(answer) == [
        "body.workflow.nodes.n.conversation_config.tts.pronunciation_dictionary_locators.0"
        ".pronunciation_dictionary_id: There is no pronunciation_dictionary 'pdict_no'."
    ]
    assert (await read(api, ada))["conversation_config"]["tts"]["pronunciation_dictionary_locators"] == [
        {"pronunciation_dictionary_id": id, "version_id": version}
    ]
