"""All tables of the embedded platform and the migrations that create them.

Data that is answered as it was stored is a JSON document. Values to filter or sort by are real, indexed columns.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Table, Text

from ...db.erasing import HOUSEKEEPING
from ...db.migrations import Component
from . import access as tables_access
from . import agent_tests as tables_agent_tests
from . import agent_tools as tables_agent_tools
from . import auth_connections as tables_auth_connections
from . import batch_calls as tables_batch_calls
from . import destinations as tables_destinations
from . import knowledge as tables_knowledge
from . import live as tables_live
from . import mcp_servers as tables_mcp_servers
from . import pronunciation as tables_pronunciation
from . import widget as tables_widget
from . import workspace as tables_workspace
from .missing import called

STEPS = {
    "core/0001_tables": """
    CREATE TABLE agent (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL,
        created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, last_call_secs BIGINT, voice_id TEXT NOT NULL,
        archived BOOLEAN NOT NULL, tags JSON NOT NULL, document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX agent_by_age ON agent (workspace, created_ms, id);
    CREATE INDEX agent_by_name ON agent (workspace, name_key, id);
    CREATE TABLE conversation (
        workspace TEXT NOT NULL, id TEXT NOT NULL, agent_id TEXT NOT NULL, status TEXT NOT NULL,
        start_secs BIGINT NOT NULL, duration_secs INTEGER NOT NULL, call_successful TEXT NOT NULL, user_id TEXT,
        simulated BOOLEAN NOT NULL, direction TEXT, title TEXT, summary TEXT, message_count INTEGER NOT NULL,
        search_key TEXT NOT NULL, document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX conversation_by_age ON conversation (workspace, simulated, start_secs, id);
    CREATE INDEX conversation_by_agent ON conversation (workspace, agent_id, simulated, start_secs, id);
    CREATE INDEX conversation_by_user ON conversation (workspace, user_id, start_secs, id);
    CREATE INDEX conversation_by_result ON conversation (workspace, call_successful, start_secs, id);
    CREATE TABLE document (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, type TEXT NOT NULL,
        created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, size_bytes BIGINT NOT NULL, url TEXT,
        content TEXT NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX document_by_age ON document (workspace, created_ms, id);
    CREATE INDEX document_by_update ON document (workspace, updated_ms, id);
    CREATE INDEX document_by_size ON document (workspace, size_bytes, id);
    CREATE INDEX document_by_name ON document (workspace, name_key, id);
    CREATE TABLE phone_number (
        workspace TEXT NOT NULL, id TEXT NOT NULL, phone_number TEXT NOT NULL, label TEXT NOT NULL,
        provider TEXT NOT NULL, agent_id TEXT, created_ms BIGINT NOT NULL, document JSON NOT NULL, sealed BYTEA,
        PRIMARY KEY (workspace, id), UNIQUE (workspace, phone_number));
    CREATE INDEX phone_number_by_agent ON phone_number (workspace, agent_id);
    CREATE TABLE secret (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, sealed BYTEA NOT NULL,
        created_ms BIGINT NOT NULL, PRIMARY KEY (workspace, id), UNIQUE (workspace, name));
    CREATE TABLE uses (
        workspace TEXT NOT NULL, user_kind TEXT NOT NULL, user_id TEXT NOT NULL, target_kind TEXT NOT NULL,
        target_id TEXT NOT NULL, PRIMARY KEY (workspace, user_kind, user_id, target_kind, target_id));
    CREATE INDEX uses_by_target ON uses (workspace, target_kind, target_id);
    """,
    "core/0002_vault_check": "CREATE TABLE vault_check (id INTEGER PRIMARY KEY, sealed BYTEA NOT NULL)",
    **tables_agent_tests.STEPS,
    **tables_mcp_servers.STEPS,
    **tables_agent_tools.STEPS,
    **tables_knowledge.STEPS,
    **tables_access.STEPS,
    **tables_widget.STEPS,
    **tables_batch_calls.STEPS,
    **tables_workspace.STEPS,
    **tables_live.STEPS,
    **tables_pronunciation.STEPS,
    **tables_auth_connections.STEPS,
    **tables_destinations.STEPS,
}
SCHEMA = Component(
    STEPS,
    numbered=(
        "core/0001_tables",
        "core/0002_vault_check",
        "agent_tests/0001_tests_and_runs",
        "mcp_servers/0001_servers",
        "agent_tools/0001_tools",
        "knowledge/0001_indexes_and_chunks",
        "access/0001_tokens",
        "widget/0001_avatars",
        "batch_calls/0001_batches",
        "workspace/0001_documents",
        "live/0001_conversations_and_leases",
        "live/0002_turns",
        "pronunciation/0001_dictionaries",
        "auth_connections/0001_connections",
    ),
)

_all = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


agent = Table(
    "agent", _all, _key("workspace"), _key("id"),
    Column("name", Text), Column("name_key", Text), Column("created_ms", BigInteger), Column("updated_ms", BigInteger),
    Column("last_call_secs", BigInteger), Column("voice_id", Text), Column("archived", Boolean), Column("tags", JSON),
    Column("document", JSON),
    info=called("agent", "/v1/convai/agents lists them"),
)  # fmt: skip
conversation = Table(
    "conversation", _all, _key("workspace"), _key("id"),
    Column("agent_id", Text), Column("status", Text), Column("start_secs", BigInteger),
    Column("duration_secs", Integer), Column("call_successful", Text), Column("user_id", Text),
    Column("simulated", Boolean), Column("direction", Text), Column("title", Text), Column("summary", Text),
    Column("message_count", Integer), Column("search_key", Text), Column("document", JSON),
    info=called("conversation", "/v1/convai/conversations lists them"),
)  # fmt: skip
document = Table(
    "document", _all, _key("workspace"), _key("id"),
    Column("name", Text), Column("name_key", Text), Column("type", Text), Column("created_ms", BigInteger),
    Column("updated_ms", BigInteger), Column("size_bytes", BigInteger), Column("url", Text), Column("content", Text),
    Column("filename", Text),
    info=called("document", "/v1/convai/knowledge-base lists them"),
)  # fmt: skip
phone_number = Table(
    "phone_number", _all, _key("workspace"), _key("id"),
    Column("phone_number", Text), Column("label", Text), Column("provider", Text), Column("agent_id", Text),
    Column("created_ms", BigInteger), Column("document", JSON), Column("sealed", LargeBinary),
    info=called("phone number", "/v1/convai/phone-numbers lists them"),
)  # fmt: skip
secret = Table(
    "secret", _all, _key("workspace"), _key("id"),
    Column("name", Text), Column("sealed", LargeBinary), Column("created_ms", BigInteger),
    info=called("secret", "/v1/convai/secrets lists them"),
)  # fmt: skip
vault_check = Table("vault_check", _all, Column("id", Integer, primary_key=True), Column("sealed", LargeBinary))
"""The single row holds a known text, sealed with the vault's key."""
uses = Table(
    "uses", _all, *map(_key, ("workspace", "user_kind", "user_id", "target_kind", "target_id")), info=HOUSEKEEPING
)
