"""Tables of pronunciation dictionaries. A row of a version is written once and never changed."""

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text

from .missing import called

STEPS = {
    "pronunciation/0001_dictionaries": """
    CREATE TABLE pronunciation_dictionary (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, description TEXT,
        created_ms BIGINT NOT NULL, archived_ms BIGINT, latest_version_id TEXT NOT NULL,
        latest_rules_num INTEGER NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX pronunciation_dictionary_by_age ON pronunciation_dictionary (workspace, created_ms, id);
    CREATE INDEX pronunciation_dictionary_by_name ON pronunciation_dictionary (workspace, name_key, id);
    CREATE TABLE pronunciation_version (
        workspace TEXT NOT NULL, dictionary_id TEXT NOT NULL, id TEXT NOT NULL, created_ms BIGINT NOT NULL,
        rules JSON NOT NULL, PRIMARY KEY (workspace, dictionary_id, id));
    """,
}

_all = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


pronunciation_dictionary = Table(
    "pronunciation_dictionary", _all, _key("workspace"), _key("id"),
    Column("name", Text), Column("name_key", Text), Column("description", Text), Column("created_ms", BigInteger),
    Column("archived_ms", BigInteger), Column("latest_version_id", Text), Column("latest_rules_num", Integer),
    info=called("pronunciation dictionary", "/v1/pronunciation-dictionaries?include_archived=true lists them"),
)  # fmt: skip
pronunciation_version = Table(
    "pronunciation_version", _all, _key("workspace"), _key("dictionary_id"), _key("id"),
    Column("created_ms", BigInteger), Column("rules", JSON),
)  # fmt: skip
"""`rules`: the rules in the shape of answers, without duplicates."""
