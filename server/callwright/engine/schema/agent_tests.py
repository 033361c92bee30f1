"""Tables of agent tests and of their runs."""

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text

from .missing import called

STEPS = {
    "agent_tests/0001_tests_and_runs": """
    CREATE TABLE agent_test (
        workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, type TEXT NOT NULL,
        created_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL, document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX agent_test_by_age ON agent_test (workspace, created_ms, id);
    CREATE TABLE test_invocation (
        workspace TEXT NOT NULL, id TEXT NOT NULL, agent_id TEXT NOT NULL, title TEXT NOT NULL,
        created_ms BIGINT NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX test_invocation_by_agent ON test_invocation (workspace, agent_id, created_ms, id);
    CREATE TABLE test_run (
        workspace TEXT NOT NULL, id TEXT NOT NULL, invocation_id TEXT NOT NULL, place INTEGER NOT NULL,
        test_id TEXT NOT NULL, status TEXT NOT NULL, lease_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,
        document JSON NOT NULL, PRIMARY KEY (workspace, id));
    CREATE INDEX test_run_by_invocation ON test_run (workspace, invocation_id, place);
    """,
}

_all = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


agent_test = Table(
    "agent_test", _all, _key("workspace"), _key("id"),
    Column("name", Text), Column("name_key", Text), Column("type", Text), Column("created_ms", BigInteger),
    Column("updated_ms", BigInteger), Column("document", JSON),
    info=called("test", "/v1/convai/agent-testing lists them"),
)  # fmt: skip
test_invocation = Table(
    "test_invocation", _all, _key("workspace"), _key("id"),
    Column("agent_id", Text), Column("title", Text), Column("created_ms", BigInteger),
    info=called("test invocation", "/v1/convai/test-invocations lists an agent's"),
)  # fmt: skip
test_run = Table(
    "test_run", _all, _key("workspace"), _key("id"),
    Column("invocation_id", Text), Column("place", Integer), Column("test_id", Text), Column("status", Text),
    Column("lease_ms", BigInteger), Column("updated_ms", BigInteger), Column("document", JSON),
)  # fmt: skip
