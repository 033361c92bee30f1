"""The table of approved destinations, beside the agents and tools that hold the variables."""

from sqlalchemy import JSON, Column, MetaData, Table, Text

STEPS = {
    "destinations/0001_approved": """
    CREATE TABLE approved_destination (
        workspace TEXT NOT NULL, holder_kind TEXT NOT NULL, holder_id TEXT NOT NULL, variable TEXT NOT NULL,
        places JSON NOT NULL, approved JSON NOT NULL, PRIMARY KEY (workspace, holder_kind, holder_id, variable));
    """,
}

approved_destination = Table(
    "approved_destination", MetaData(),
    *(Column(name, Text, primary_key=True) for name in ("workspace", "holder_kind", "holder_id", "variable")),
    Column("places", JSON), Column("approved", JSON),
)  # fmt: skip
"""`holder_kind`: `agent` or `tool`. `places`: where the variable stood when a person approved; elsewhere it is void."""
