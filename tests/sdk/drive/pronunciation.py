# pyright: basic
"""Pronunciation dictionaries: from a file, from rules; their versions; agents that name them."""

from .sdk import Sdk

PLS = b"<lexicon><lexeme><grapheme>WHO</grapheme><alias>World Health Organization</alias></lexeme></lexicon>"
UN = {"type": "alias", "string_to_replace": "UN", "alias": "United Nations"}
APPLE = {"type": "phoneme", "string_to_replace": "Apple", "phoneme": "AE P AH L", "alphabet": "cmu-arpabet"}
OF = "pronunciation_dictionaries"


def sweep(sdk: Sdk) -> None:
    names = sdk.call(f"{OF}.create_from_rules", name="Names", rules=[UN, APPLE], description="Of people")
    versions(sdk, names.id, names.version_id)
    from_file = sdk.call(f"{OF}.create_from_file", name="More", file=("more.pls", PLS, "text/xml"))
    listed(sdk, names.id, from_file.id)
    users(sdk, names.id, names.version_id)
    refusals(sdk, names.id)


def versions(sdk: Sdk, id: str, first: str) -> None:
    sdk.call(f"{OF}.rules.add", id, rules=[{**UN, "alias": "You Enn"}])
    last = sdk.call(f"{OF}.rules.remove", id, rule_strings=["Apple"])
    if sdk.has(f"{OF}.rules.set"):
        last = sdk.call(f"{OF}.rules.set", id, rules=[{**UN, "alias": "You Enn"}])
    got = sdk.call(f"{OF}.get", id)
    sdk.saw("the latest version", [got.latest_version_id == last.version_id, got.latest_version_rules_num])
    for what, version in (("the first version", first), ("the last version", last.version_id)):
        sdk.call(f"{OF}.download", id, version)
        sdk.saw(what, [word for word in ("UN", "Apple", "United Nations", "You Enn") if word in sdk.text()])


def listed(sdk: Sdk, names: str, more: str) -> None:
    page = sdk.call(f"{OF}.list", page_size=1, sort="name", sort_direction="ascending")
    rest = sdk.call(f"{OF}.list", sort="name", sort_direction="ascending", cursor=page.next_cursor)
    rows = [*page.pronunciation_dictionaries, *rest.pronunciation_dictionaries]
    sdk.saw("dictionaries by name", [row.name for row in rows])
    sdk.call(f"{OF}.update", more, name="Old", archived=True)
    sdk.saw("dictionaries once archived", [row.name for row in sdk.call(f"{OF}.list").pronunciation_dictionaries])


def users(sdk: Sdk, id: str, version: str) -> None:
    locators = [{"pronunciation_dictionary_id": id, "version_id": version}]
    config = {"tts": {"pronunciation_dictionary_locators": locators}}
    ada = sdk.call("agents.create", name="Ada", conversation_config=config).agent_id
    kept = sdk.call("agents.get", ada).conversation_config.tts.pronunciation_dictionary_locators
    sdk.saw("the version that an agent names", kept[0].version_id == version)
    sdk.call("agents.delete", ada)
    locators[0]["version_id"] = "pver_no"
    sdk.refused("agents.create", name="Bob", conversation_config=config)


def refusals(sdk: Sdk, id: str) -> None:
    entity = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><lexicon>&a;</lexicon>'
    for data in (entity, b"<lexicon>", b"<speak/>", b" " * 1_000_001):
        sdk.refused(f"{OF}.create_from_file", name="Wrong", file=("wrong.pls", data, "text/xml"))
    sdk.refused(f"{OF}.create_from_rules", name="Wrong", rules=[{**APPLE, "alphabet": "runes"}])
    sdk.refused(f"{OF}.rules.remove", id, rule_strings=["WHO"])
    sdk.refused(f"{OF}.list", cursor="of-another-list")
