"""The documents that an agent's configuration names: read them, attach one, remove one."""

from typing import Any, cast

from sqlalchemy import select, update

from ...contract.merge import Json, merged
from ...contract.references import references_in
from ..dialogue.passages import Document
from ..schema.tables import agent, document
from .transaction import Tx
from .uses import replace_uses


def texts_of(tx: Tx, conversation_config: Json) -> list[Document]:
    """The documents that an agent's prompt names, as the dialogue runtime reads them, in the order of the prompt."""
    ids = [locator["id"] for locator in conversation_config["agent"]["prompt"].get("knowledge_base") or ()]
    found = select(document.c.id, document.c.name, document.c.content).where(tx.own(document), document.c.id.in_(ids))
    by_id = {row.id: Document(row.id, row.name, row.content) for row in tx.db.execute(found)}
    return [by_id[id] for id in ids if id in by_id]


def attach(tx: Tx, agent_id: str, locator: Json) -> None:
    """Add a document to an agent's knowledge base. The agent must exist."""
    config = _config(tx, agent_id)
    known: list[Json] = config["conversation_config"]["agent"]["prompt"].get("knowledge_base") or []
    added = {"conversation_config": {"agent": {"prompt": {"knowledge_base": [*known, locator]}}}}
    _keep(tx, agent_id, merged(config, added))


def take_out(tx: Tx, agent_id: str, document_id: str) -> None:
    """Remove a document from every place of the agent's configuration that names it."""
    _keep(tx, agent_id, cast(Json, _without(_config(tx, agent_id), document_id)))


def _config(tx: Tx, agent_id: str) -> Json:
    found = select(agent.c.document).where(tx.own(agent, id=agent_id))
    return tx.db.execute(found).scalar_one()


def _keep(tx: Tx, agent_id: str, config: Json) -> None:
    tx.db.execute(update(agent).where(tx.own(agent, id=agent_id)).values(document=config, updated_ms=tx.now_ms))
    replace_uses(tx, "agent", agent_id, references_in(config))


def _without(node: Any, document_id: str) -> Any:
    if isinstance(node, list):
        return [_without(item, document_id) for item in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    shown: Json = {}
    for key, value in cast(Json, node).items():
        kept = value
        if key in ("knowledge_base", "additional_knowledge_base") and isinstance(value, list):
            kept = [item for item in cast(list[Json], value) if item.get("id") != document_id]
        shown[key] = _without(kept, document_id)
    return shown
