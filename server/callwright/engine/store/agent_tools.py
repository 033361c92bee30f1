"""Stored tools, resolved into the configuration of the agents that name them."""

from sqlalchemy import select

from ...contract.merge import Json
from ..schema.agent_tools import tool
from .transaction import Tx


def with_stored_tools(tx: Tx, conversation_config: Json) -> Json:
    """The configuration with the definitions of its stored tools added after its inline tools."""
    agent: Json = conversation_config.get("agent") or {}
    prompt: Json = agent.get("prompt") or {}
    ids: list[str] = prompt.get("tool_ids") or []
    if not ids:
        return conversation_config
    found = select(tool.c.id, tool.c.document).where(tx.own(tool), tool.c.id.in_(ids))
    stored = {row.id: row.document for row in tx.db.execute(found)}
    tools: list[Json] = [*(prompt.get("tools") or []), *(stored[id] for id in dict.fromkeys(ids) if id in stored)]
    return conversation_config | {"agent": agent | {"prompt": prompt | {"tools": tools}}}
