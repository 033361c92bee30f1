"""The tables of conversations that are being held.

Which process holds each, what has been said in it, and how many an agent began in a day.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, Table, Text

STEPS = {
    "live/0001_conversations_and_leases": """
    CREATE TABLE live_conversation (
        workspace TEXT NOT NULL, id TEXT NOT NULL, agent_id TEXT NOT NULL, holder TEXT NOT NULL,
        started_ms BIGINT NOT NULL, talking BOOLEAN NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX live_conversation_by_agent ON live_conversation (workspace, agent_id);
    CREATE INDEX live_conversation_by_holder ON live_conversation (holder);
    CREATE TABLE live_holder (holder TEXT PRIMARY KEY, lease_ms BIGINT NOT NULL);
    CREATE TABLE begun_in_a_day (
        workspace TEXT NOT NULL, agent_id TEXT NOT NULL, day INTEGER NOT NULL, begun INTEGER NOT NULL,
        PRIMARY KEY (workspace, agent_id));
    """,
    "live/0002_turns": """
    CREATE TABLE live_turn (
        workspace TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, search_key TEXT NOT NULL,
        document JSON NOT NULL, PRIMARY KEY (workspace, id, place));
    """,
}

live_conversation = Table(
    "live_conversation", MetaData(), Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("agent_id", Text), Column("holder", Text), Column("started_ms", BigInteger), Column("talking", Boolean),
)  # fmt: skip
"""Until it is analysed; `talking` is over before that."""
live_turn = Table(
    "live_turn", MetaData(), Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("place", Integer, primary_key=True), Column("search_key", Text), Column("document", JSON),
)  # fmt: skip
"""What was said so far in a conversation that is being held: its record has no turns before its end."""
live_holder = Table("live_holder", MetaData(), Column("holder", Text, primary_key=True), Column("lease_ms", BigInteger))
"""A process that holds conversations, and until when it is taken to be there."""
begun_in_a_day = Table(
    "begun_in_a_day", MetaData(), Column("workspace", Text, primary_key=True),
    Column("agent_id", Text, primary_key=True), Column("day", Integer), Column("begun", Integer),
)  # fmt: skip
"""Conversations that an agent began on the last day (since 1970, UTC) on which it began one."""
