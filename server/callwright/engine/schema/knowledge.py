"""Tables of documents' indexes and chunks, and the column for a document's file name."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

STEPS = {
    "knowledge/0001_indexes_and_chunks": """
    ALTER TABLE document ADD COLUMN filename TEXT;
    CREATE TABLE rag_index (
        workspace TEXT NOT NULL, id TEXT NOT NULL, document_id TEXT NOT NULL, model TEXT NOT NULL,
        status TEXT NOT NULL, used_bytes BIGINT NOT NULL, created_ms BIGINT NOT NULL, PRIMARY KEY (workspace, id),
        UNIQUE (workspace, document_id, model));
    CREATE INDEX rag_index_by_model ON rag_index (workspace, model);
    CREATE TABLE chunk (
        workspace TEXT NOT NULL, document_id TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL,
        content TEXT NOT NULL, PRIMARY KEY (workspace, document_id, id));
    """,
}

_all = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


rag_index = Table(
    "rag_index", _all, _key("workspace"), _key("id"),
    Column("document_id", Text), Column("model", Text), Column("status", Text), Column("used_bytes", BigInteger),
    Column("created_ms", BigInteger),
)  # fmt: skip
chunk = Table(
    "chunk", _all, _key("workspace"), _key("document_id"), _key("id"), Column("place", Integer), Column("content", Text)
)
