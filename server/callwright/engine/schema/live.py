"""Tables of live conversations: the process that holds each, its turns so far, and the daily count of each agent."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, MetaData, Table, Text

from ...db.erasing import HOUSEKEEPING

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
    info=HOUSEKEEPING,
)  # fmt: skip
"""A live conversation; its row stays until its analysis is done. `talking` becomes false when the talk ends."""
live_turn = Table(
    "live_turn", MetaData(), Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("place", Integer, primary_key=True), Column("search_key", Text), Column("document", JSON),
    info=HOUSEKEEPING,
)  # fmt: skip
"""The turns so far of a live conversation: its record has no turns before its end, and then all of them."""
live_holder = Table(
    "live_holder", MetaData(), Column("holder", Text, primary_key=True), Column("lease_ms", BigInteger),
    info=HOUSEKEEPING,
)  # fmt: skip
"""A process that holds conversations, and the end of its lease, until which it counts as running."""
begun_in_a_day = Table(
    "begun_in_a_day", MetaData(), Column("workspace", Text, primary_key=True),
    Column("agent_id", Text, primary_key=True), Column("day", Integer), Column("begun", Integer),
)  # fmt: skip
"""The number of conversations of an agent on the last day on which it began one. `day`: days since 1970, UTC."""
