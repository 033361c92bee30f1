"""The handlers of pronunciation dictionaries.

A change of rules makes a new version. A version is never changed or removed, so an agent that names one continues to
speak by it. An archived dictionary is hidden from the list, but agents may still name it. There is no delete.
"""

from typing import Any

import anyio.to_thread
from sqlalchemy import RowMapping, insert, select, update

from ...contract.errors import InvalidRequest, NotFound, body_problem
from ...contract.merge import Json
from ...contract.operation import Blob
from ...contract.pronunciation_dictionaries import (
    AddDictionaryRules,
    AddedDictionary,
    CreateDictionaryFromFile,
    CreateDictionaryFromRules,
    DictionaryPage,
    DictionaryVersion,
    DownloadDictionary,
    GetDictionary,
    ListDictionaries,
    RemoveDictionaryRules,
    SetDictionaryRules,
    UpdateDictionary,
)
from ...pronunciation.lexicon import Lexicon, read_lexicon, write_lexicon
from ...pronunciation.rules import check_rules, lexicon_of, rules_of, spaced
from ..handlers import Handlers
from ..schema.defaults import OWNER
from ..schema.pronunciation import pronunciation_dictionary, pronunciation_version
from ..store.paging import name_key, page
from ..store.transaction import Tx
from ..unit import Unit

pronunciation_dictionaries = Handlers()

_MISSING = "rules that match in any case or inside of words"
_SHARING = "workspace_access: the workspace has one person"

_SORT = {
    "creation_time_unix": pronunciation_dictionary.c.created_ms,
    "name": pronunciation_dictionary.c.name_key,
}


@pronunciation_dictionaries.implements(
    CreateDictionaryFromFile, proof="test_a_file_becomes_a_dictionary_with_its_rules", missing=_SHARING
)
async def create_from_file(unit: Unit, op: CreateDictionaryFromFile) -> AddedDictionary:
    lexicon: Lexicon = {}
    if op.file is not None:
        lexicon = await anyio.to_thread.run_sync(read_lexicon, op.file.data)
    return await unit.write(lambda tx: _added(tx, op.name, op.description, lexicon))


@pronunciation_dictionaries.implements(
    CreateDictionaryFromRules,
    proof="test_a_dictionary_reads_back_as_it_was_created",
    missing=f"{_SHARING}; {_MISSING}",
)
def create_from_rules(tx: Tx, op: CreateDictionaryFromRules) -> AddedDictionary:
    check_rules(op.rules)
    return _added(tx, op.name, op.description, lexicon_of(op.rules))


@pronunciation_dictionaries.implements(ListDictionaries, proof="test_dictionaries_are_listed_in_every_order")
def list_dictionaries(tx: Tx, op: ListDictionaries) -> DictionaryPage:
    table = pronunciation_dictionary
    found = select(table).where(tx.own(table))
    if not op.include_archived:
        found = found.where(table.c.archived_ms.is_(None))
    rows, cursor = page(
        tx.db,
        found,
        by=_SORT[op.sort],
        id=table.c.id,
        descending=op.sort_direction.lower() == "descending",
        size=op.page_size,
        cursor=op.cursor,
    )
    return DictionaryPage.model_validate(
        {
            "pronunciation_dictionaries": [_answer(row) for row in rows],
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }
    )


@pronunciation_dictionaries.implements(GetDictionary, proof="test_a_dictionary_reads_back_as_it_was_created")
def get_dictionary(tx: Tx, op: GetDictionary) -> Json:
    row = tx.one(pronunciation_dictionary, op.pronunciation_dictionary_id)
    return _answer(row) | {"rules": _rules(tx, row["id"], row["latest_version_id"])}


@pronunciation_dictionaries.implements(
    UpdateDictionary, proof="test_an_archived_dictionary_is_listed_only_when_asked_for"
)
def update_dictionary(tx: Tx, op: UpdateDictionary) -> Json:
    row = tx.one(pronunciation_dictionary, op.pronunciation_dictionary_id)
    changed: dict[str, Any] = {}
    if op.name is not None:
        changed |= {"name": op.name, "name_key": name_key(op.name)}
    if op.archived is not None and op.archived is not (row["archived_ms"] is not None):
        changed["archived_ms"] = tx.now_ms if op.archived else None
    if changed:
        _change(tx, row["id"], changed)
    return _answer(tx.one(pronunciation_dictionary, row["id"]))


@pronunciation_dictionaries.implements(
    SetDictionaryRules, proof="test_every_change_of_rules_makes_a_version_and_the_old_one_stays", missing=_MISSING
)
def set_rules(tx: Tx, op: SetDictionaryRules) -> DictionaryVersion:
    row = tx.one(pronunciation_dictionary, op.pronunciation_dictionary_id)
    check_rules(op.rules)
    return _next_version(tx, row["id"], lexicon_of(op.rules))


@pronunciation_dictionaries.implements(
    AddDictionaryRules, proof="test_every_change_of_rules_makes_a_version_and_the_old_one_stays", missing=_MISSING
)
def add_rules(tx: Tx, op: AddDictionaryRules) -> DictionaryVersion:
    there = _latest(tx, op.pronunciation_dictionary_id)
    check_rules(op.rules)
    added = {**there, **lexicon_of(op.rules)}
    check_rules(rules_of(added))  # old and new rules together may be too many
    return _next_version(tx, op.pronunciation_dictionary_id, added)


@pronunciation_dictionaries.implements(
    RemoveDictionaryRules, proof="test_every_change_of_rules_makes_a_version_and_the_old_one_stays"
)
def remove_rules(tx: Tx, op: RemoveDictionaryRules) -> DictionaryVersion:
    """Remove the rules of these words. A word without a rule is refused, because it may be misspelt."""
    there = _latest(tx, op.pronunciation_dictionary_id)
    gone = [spaced(words) for words in op.rule_strings]
    if problems := [
        body_problem(["rule_strings", place], "No rule replaces this.", "unknown_rule")
        for place, words in enumerate(gone)
        if words not in there
    ]:
        raise InvalidRequest(problems)
    left = {form: entry for form, entry in there.items() if form not in gone}
    return _next_version(tx, op.pronunciation_dictionary_id, left)


@pronunciation_dictionaries.implements(
    DownloadDictionary, proof="test_every_change_of_rules_makes_a_version_and_the_old_one_stays"
)
def download(tx: Tx, op: DownloadDictionary) -> Blob:
    tx.one(pronunciation_dictionary, op.dictionary_id)
    lexicon = _lexicon(_rules(tx, op.dictionary_id, op.version_id))
    return Blob("application/pls+xml", write_lexicon(lexicon))


def _added(tx: Tx, name: str, description: str | None, lexicon: Lexicon) -> AddedDictionary:
    new, version = tx.new_id("pdict"), _version(tx, lexicon)
    tx.db.execute(
        insert(pronunciation_dictionary).values(
            workspace=tx.workspace, id=new, name=name, name_key=name_key(name), description=description,
            created_ms=tx.now_ms, archived_ms=None, latest_version_id=version["id"], latest_rules_num=len(lexicon),
        )
    )  # fmt: skip
    tx.db.execute(insert(pronunciation_version).values(dictionary_id=new, **version))
    return AddedDictionary(
        id=new, name=name, created_by=OWNER.creator_name, creation_time_unix=tx.now, version_id=version["id"],
        version_rules_num=len(lexicon), description=description, permission_on_resource=OWNER.role,
    )  # fmt: skip


def _next_version(tx: Tx, dictionary_id: str, lexicon: Lexicon) -> DictionaryVersion:
    version = _version(tx, lexicon)
    tx.db.execute(insert(pronunciation_version).values(dictionary_id=dictionary_id, **version))
    _change(tx, dictionary_id, {"latest_version_id": version["id"], "latest_rules_num": len(lexicon)})
    return DictionaryVersion(id=dictionary_id, version_id=version["id"], version_rules_num=len(lexicon))


def _version(tx: Tx, lexicon: Lexicon) -> Json:
    rules = [rule.model_dump(mode="json", exclude_unset=True) for rule in rules_of(lexicon)]
    return {"workspace": tx.workspace, "id": tx.new_id("pver"), "created_ms": tx.now_ms, "rules": rules}


def _change(tx: Tx, dictionary_id: str, values: dict[str, Any]) -> None:
    table = pronunciation_dictionary
    this = tx.own(table, id=dictionary_id)
    tx.db.execute(update(table).where(this).values(**values))


def _latest(tx: Tx, dictionary_id: str) -> Lexicon:
    return _lexicon(_rules(tx, dictionary_id, tx.one(pronunciation_dictionary, dictionary_id)["latest_version_id"]))


def _lexicon(rules: list[Json]) -> Lexicon:
    return lexicon_of(SetDictionaryRules.model_validate({"pronunciation_dictionary_id": "-", "rules": rules}).rules)


def _rules(tx: Tx, dictionary_id: str, version_id: str) -> list[Json]:
    table = pronunciation_version
    this = tx.own(table, dictionary_id=dictionary_id, id=version_id)
    if (rules := tx.db.execute(select(table.c.rules).where(this)).scalar_one_or_none()) is None:
        raise NotFound(f"Pronunciation dictionary {dictionary_id!r} has no version {version_id!r}.")
    return rules


def _answer(row: RowMapping) -> Json:
    return {
        "id": row["id"],
        "name": row["name"],
        "latest_version_id": row["latest_version_id"],
        "latest_version_rules_num": row["latest_rules_num"],
        "created_by": OWNER.creator_name,
        "creation_time_unix": row["created_ms"] // 1000,
        "archived_time_unix": row["archived_ms"] // 1000 if row["archived_ms"] is not None else None,
        "description": row["description"],
        "permission_on_resource": OWNER.role,
    }
