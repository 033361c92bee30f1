"""The table of workspace documents: one document of each kind (`settings`, `dashboard`)."""

from sqlalchemy import JSON, Column, MetaData, Table, Text

STEPS = {
    "workspace/0001_documents": """
    CREATE TABLE workspace_document (
        workspace TEXT NOT NULL, kind TEXT NOT NULL, document JSON NOT NULL, PRIMARY KEY (workspace, kind));
    """,
}

workspace_document = Table(
    "workspace_document", MetaData(), Column("workspace", Text, primary_key=True),
    Column("kind", Text, primary_key=True), Column("document", JSON),
)  # fmt: skip
