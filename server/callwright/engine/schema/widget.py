"""The table of uploaded avatars, at most one for each agent."""

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

STEPS = {
    "widget/0001_avatars": """
    CREATE TABLE avatar (
        workspace TEXT NOT NULL, agent_id TEXT NOT NULL, media_type TEXT NOT NULL, data BYTEA NOT NULL,
        PRIMARY KEY (workspace, agent_id));
    """,
}

avatar = Table(
    "avatar", MetaData(), Column("workspace", Text, primary_key=True), Column("agent_id", Text, primary_key=True),
    Column("media_type", Text), Column("data", LargeBinary),
)  # fmt: skip
