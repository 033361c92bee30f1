"""The ledger's tables and its migration steps."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

from ..db.erasing import HOUSEKEEPING, PASSING
from ..db.migrations import Component

STEPS = {
    "0001_changes_and_approvals": """
    CREATE TABLE ledger_change (
        id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, platform TEXT NOT NULL, who TEXT NOT NULL, tool TEXT NOT NULL,
        operation TEXT NOT NULL, target TEXT NOT NULL, digest TEXT NOT NULL, approved_by TEXT NOT NULL,
        outcome TEXT NOT NULL, request BYTEA, previous BYTEA, undone_by TEXT, undo_claimed_ms BIGINT);
    CREATE INDEX ledger_change_by_age ON ledger_change (at_ms, id);
    CREATE INDEX ledger_change_kept ON ledger_change (at_ms) WHERE previous IS NOT NULL;
    CREATE TABLE ledger_pending (
        code TEXT PRIMARY KEY, created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL, who TEXT NOT NULL,
        tool TEXT NOT NULL, digest TEXT NOT NULL, question TEXT NOT NULL, needs TEXT NOT NULL, state TEXT NOT NULL);
    CREATE INDEX ledger_pending_by_digest ON ledger_pending (digest, who, state);
    CREATE TABLE ledger_spent (id TEXT PRIMARY KEY, expires_ms BIGINT NOT NULL);
    """,
    "0002_calls_and_entered_values": """
    CREATE TABLE ledger_rung (
        id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, platform TEXT NOT NULL, people INTEGER NOT NULL);
    ALTER TABLE ledger_pending ADD COLUMN entered BYTEA;
    """,
}
SCHEMA = Component(STEPS, numbered=("0001_changes_and_approvals", "0002_calls_and_entered_values"))

_all = MetaData()

change = Table(
    "ledger_change", _all,
    Column("id", Text, primary_key=True), Column("at_ms", BigInteger), Column("platform", Text), Column("who", Text),
    Column("tool", Text), Column("operation", Text), Column("target", Text), Column("digest", Text),
    Column("approved_by", Text), Column("outcome", Text),
    Column("request", LargeBinary), Column("previous", LargeBinary),
    Column("undone_by", Text), Column("undo_claimed_ms", BigInteger),
)  # fmt: skip
pending = Table(
    "ledger_pending", _all,
    Column("code", Text, primary_key=True), Column("created_ms", BigInteger), Column("expires_ms", BigInteger),
    Column("who", Text), Column("tool", Text), Column("digest", Text), Column("question", Text),
    Column("needs", Text), Column("state", Text), Column("entered", LargeBinary),
    info=PASSING,
)  # fmt: skip
rung = Table(
    "ledger_rung", _all,
    Column("id", Text, primary_key=True), Column("at_ms", BigInteger), Column("platform", Text),
    Column("people", Integer),
    info=HOUSEKEEPING,
)  # fmt: skip
spent = Table(
    "ledger_spent", _all, Column("id", Text, primary_key=True), Column("expires_ms", BigInteger), info=HOUSEKEEPING
)
