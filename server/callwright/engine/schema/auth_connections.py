"""The table of auth connections."""

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

from .missing import called

STEPS = {
    "auth_connections/0001_connections": """
    CREATE TABLE auth_connection (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, auth_type TEXT NOT NULL,
        version INTEGER NOT NULL, created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, document JSON NOT NULL,
        sealed BYTEA NOT NULL, PRIMARY KEY (workspace, id), UNIQUE (workspace, name));
    """,
}

auth_connection = Table(
    "auth_connection", MetaData(),
    Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("name", Text), Column("auth_type", Text), Column("version", Integer), Column("created_ms", BigInteger),
    Column("updated_ms", BigInteger), Column("document", JSON), Column("sealed", LargeBinary),
    info=called("auth connection", "/v1/workspace/auth-connections lists them"),
)  # fmt: skip
"""`document`: the settings shown in answers. `sealed`: the secret and the headers, which may carry secrets too."""
