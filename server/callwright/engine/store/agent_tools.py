"""Stored tools, resolved into the configuration of the agents that name them."""

from sqlalchemy import select

from ...contract.merge import Json
from ..schema.agent_tools import tool
from .destinations import destinations_of, with_approved
from .transaction import Tx


def with_stored_tools(tx: Tx, agent_id: str, conversation_config: Json) -> Json:
    """The configuration with the definitions of its stored tools added after its inline tools.

    Tools with variables in their destinations have what is approved for these: for the agent's own tools at the agent,
    for stored tools at the tool.
    """
    agent: Json = conversation_config.get("agent") or {}
    prompt: Json = agent.get("prompt") or {}
    inline: list[Json] = prompt.get("tools") or []
    built_in: Json = prompt.get("built_in_tools") or {}
    ids: list[str] = prompt.get("tool_ids") or []
    own = destinations_of(tx, "agent", agent_id, [*inline, *built_in.values()])
    if not ids and not own:
        return conversation_config
    found = select(tool.c.id, tool.c.document).where(tx.own(tool), tool.c.id.in_(ids))
    stored = {
        row.id: with_approved(row.document, destinations_of(tx, "tool", row.id, [row.document]))
        for row in tx.db.execute(found).all()
    }
    tools = [*(with_approved(each, own) for each in inline), *(stored[id] for id in dict.fromkeys(ids) if id in stored)]
    changed = prompt | {"tools": tools}
    if built_in:
        changed["built_in_tools"] = {name: each and with_approved(each, own) for name, each in built_in.items()}
    return conversation_config | {"agent": agent | {"prompt": changed}}
