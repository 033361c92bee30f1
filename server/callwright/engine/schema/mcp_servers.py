"""The table of MCP servers."""

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text

from .missing import called

STEPS = {
    "mcp_servers/0001_servers": """
    CREATE TABLE mcp_server (
        workspace TEXT NOT NULL, id TEXT NOT NULL, created_ms BIGINT NOT NULL, document JSON NOT NULL,
        PRIMARY KEY (workspace, id));
    """,
}

_all = MetaData()

mcp_server = Table(
    "mcp_server", _all, Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("created_ms", BigInteger), Column("document", JSON),
    info=called("MCP server", "/v1/convai/mcp-servers lists them"),
)  # fmt: skip
