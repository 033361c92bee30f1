"""Everything that decides what an agent says and does, as one digest, which a batch of calls is bound to."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, select

from ...contract.merge import Json
from ...contract.references import references_in
from ..schema.agent_tools import tool
from ..schema.auth_connections import auth_connection
from ..schema.mcp_servers import mcp_server
from ..schema.pronunciation import pronunciation_dictionary
from ..schema.tables import agent, document, phone_number
from .transaction import Tx
from .workspace_documents import document_of

_DECIDING: Mapping[str, Sequence[Column[Any]]] = {
    "agent": (agent.c.name, agent.c.document),
    "tool": (tool.c.document,),
    "document": (document.c.name, document.c.url, document.c.content),
    "mcp_server": (mcp_server.c.document,),
    "pronunciation_dictionary": (pronunciation_dictionary.c.latest_version_id,),
    "auth_connection": (auth_connection.c.version, auth_connection.c.document),
    "phone_number": (phone_number.c.phone_number, phone_number.c.document),
}
"""The columns that decide, by kind; the others are dates and owners."""


def effective_digest(tx: Tx, agent_id: str, phone_number_id: str | None = None) -> str:
    """Changes with any word of the agent, and of whatever it uses or hands a conversation over to."""
    found: dict[tuple[str, str], list[Any]] = {}
    new = {("agent", agent_id)}
    if phone_number_id is not None:
        new.add(("phone_number", phone_number_id))
    while new:
        read = {(kind, id): row for kind in _DECIDING for id, row in _rows(tx, kind, _ids(new, kind)).items()}
        found |= read
        named = {(each.kind, each.id) for row in read.values() for each in references_in(row)}
        new = {each for each in named if each[0] in _DECIDING} - found.keys() - new
    begins: Json = document_of(tx, "settings")["conversation_initiation_client_data_webhook"]
    text = json.dumps([sorted(found.items()), begins], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _ids(resources: Collection[tuple[str, str]], kind: str) -> list[str]:
    return [id for each, id in resources if each == kind]


def _rows(tx: Tx, kind: str, ids: Sequence[str]) -> dict[str, list[Any]]:
    if not ids:
        return {}
    columns = _DECIDING[kind]
    table = columns[0].table
    found = select(table.c.id, *columns).where(table.c.workspace == tx.workspace, table.c.id.in_(ids))
    return {row[0]: list(row[1:]) for row in tx.db.execute(found)}
