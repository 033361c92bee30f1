"""Tables of batch calls and their recipients. Times are Unix seconds, except `created_ms`."""

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text

from .missing import called

STEPS = {
    "batch_calls/0001_batches": """
    CREATE TABLE batch_call (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, agent_id TEXT NOT NULL, agent_name TEXT NOT NULL,
        phone_number_id TEXT NOT NULL, phone_provider TEXT NOT NULL, status TEXT NOT NULL, created_ms BIGINT NOT NULL,
        scheduled_secs BIGINT NOT NULL, updated_secs BIGINT NOT NULL, retry_count INTEGER NOT NULL,
        document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX batch_call_by_age ON batch_call (workspace, created_ms, id);
    CREATE TABLE batch_recipient (
        workspace TEXT NOT NULL, batch_id TEXT NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL,
        phone_number TEXT NOT NULL, status TEXT NOT NULL, updated_secs BIGINT NOT NULL, conversation_id TEXT,
        brought JSON, PRIMARY KEY (workspace, batch_id, place));
    CREATE INDEX batch_recipient_by_status ON batch_recipient (workspace, batch_id, status);
    """,
    "batch_calls/0002_configuration": """
    ALTER TABLE batch_call ADD COLUMN configuration TEXT;
    ALTER TABLE batch_call ADD COLUMN failure_reason TEXT;
    """,
}

_all = MetaData()

batch_call = Table(
    "batch_call", _all, Column("workspace", Text, primary_key=True), Column("id", Text, primary_key=True),
    Column("name", Text), Column("agent_id", Text), Column("agent_name", Text), Column("phone_number_id", Text),
    Column("phone_provider", Text), Column("status", Text), Column("created_ms", BigInteger),
    Column("scheduled_secs", BigInteger), Column("updated_secs", BigInteger), Column("retry_count", Integer),
    Column("document", JSON), Column("configuration", Text), Column("failure_reason", Text),
    info=called("batch", "/v1/convai/batch-calling/workspace lists them"),
)  # fmt: skip
"""`configuration`: digest of everything that decided what the agent said when the batch was submitted; null in batches
of versions that did not keep it."""
batch_recipient = Table(
    "batch_recipient", _all, Column("workspace", Text, primary_key=True), Column("batch_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True), Column("id", Text), Column("phone_number", Text),
    Column("status", Text), Column("updated_secs", BigInteger), Column("conversation_id", Text),
    Column("brought", JSON),
)  # fmt: skip
