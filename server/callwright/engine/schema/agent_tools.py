"""The table of stored tools."""

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text

from .missing import called

STEPS = {
    "agent_tools/0001_tools": """
    CREATE TABLE tool (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, created_ms BIGINT NOT NULL,
        document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX tool_by_age ON tool (workspace, created_ms, id);
    """,
}

tool = Table(
    "tool", MetaData(),
    Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True), Column("name", Text),
    Column("created_ms", BigInteger), Column("document", JSON),
    info=called("tool", "/v1/convai/tools lists them"),
)  # fmt: skip
