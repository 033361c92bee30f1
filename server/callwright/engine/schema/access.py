"""The table of access tokens, each of which opens an agent to its holder. Only the token's SHA-256 is stored."""

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, Text

from ...db.erasing import HOUSEKEEPING

STEPS = {
    "access/0001_tokens": """
    CREATE TABLE access_token (
        workspace TEXT NOT NULL, digest TEXT NOT NULL, agent_id TEXT NOT NULL, purpose TEXT NOT NULL,
        conversation_id TEXT, participant TEXT, single_use BOOLEAN NOT NULL, expires_ms BIGINT NOT NULL,
        used_ms BIGINT, PRIMARY KEY (workspace, digest));
    CREATE INDEX access_token_by_agent ON access_token (workspace, agent_id);
    CREATE INDEX access_token_by_expiry ON access_token (workspace, expires_ms);
    """,
}

access_token = Table(
    "access_token", MetaData(), Column("workspace", Text, primary_key=True), Column("digest", Text, primary_key=True),
    Column("agent_id", Text), Column("purpose", Text), Column("conversation_id", Text), Column("participant", Text),
    Column("single_use", Boolean), Column("expires_ms", BigInteger), Column("used_ms", BigInteger),
    info=HOUSEKEEPING,
)  # fmt: skip
