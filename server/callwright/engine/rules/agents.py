"""The handlers of agents."""

from functools import cache
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, delete, insert, select, update

from ...contract.agents import (
    AgentPage,
    AgentSummary,
    CreateAgent,
    CreatedAgent,
    DeleteAgent,
    DuplicateAgent,
    GetAgent,
    GetAgentKnowledgeSize,
    KnowledgeSize,
    ListAgents,
    UpdateAgent,
)
from ...contract.errors import InUse
from ...contract.merge import Json, merged, with_defaults
from ...contract.references import references_in
from ...workflow.node_kinds import kind_of
from ..checks.configuration import check_agent
from ..checks.webhook_events import in_step
from ..handlers import Handlers
from ..schema import defaults
from ..schema.access import access_token
from ..schema.defaults import OWNER
from ..schema.tables import agent
from ..schema.widget import avatar
from ..store.destinations import forget_destinations
from ..store.documents import pages_of
from ..store.paging import Paged, name_key, search_key
from ..store.phone_numbers import numbers_of, unassign
from ..store.transaction import Tx
from ..store.uses import agents_using, forget_uses, replace_uses, tools_using

agents = Handlers()

_MISSING = "retention by days (but zero retention, and 0 days) and webhooks"
_ROWS = select(*(column for column in agent.c if column.name != "document")).where(
    agent.c.workspace == bindparam("workspace")
)
"""What a list shows of the agents of one workspace."""
_ANSWERED = ("agent_id", "metadata", "phone_numbers", "access_info")
"""Fields of an answer that a client may send back. They are not part of the agent's document and are dropped."""


@agents.implements(CreateAgent, proof="test_an_agent_reads_back_as_it_was_created", missing=_MISSING)
def create_agent(tx: Tx, op: CreateAgent) -> CreatedAgent:
    return _stored(tx, tx.new_id("agent"), _checked(tx, {}, op.body() or {}))


@agents.implements(DuplicateAgent, proof="test_a_copy_has_the_configuration_and_neither_the_numbers_nor_the_keys")
def duplicate_agent(tx: Tx, op: DuplicateAgent) -> CreatedAgent:
    """Copy an agent. Phone numbers and access tokens stay with the original: a link to it does not open the copy."""
    row = tx.one(agent, op.agent_id)
    settings: Json = row["document"]["platform_settings"]
    auth = {name: value for name, value in settings["auth"].items() if name != "shareable_token"}
    new = tx.new_id("agent")
    settings = settings | {"auth": auth, "widget": _with_own_picture(tx, settings["widget"], op.agent_id, new)}
    return _stored(
        tx, new, row["document"] | {"name": op.name or f"{row['name']} (copy)", "platform_settings": settings}
    )


@agents.implements(ListAgents, proof="test_agents_are_listed_page_by_page_in_every_order")
def list_agents(tx: Tx, op: ListAgents) -> AgentPage:
    found = _ROWS
    if op.search:
        found = found.where(agent.c.name_key.contains(search_key(op.search), autoescape=True))
    if op.archived is not None:
        found = found.where(agent.c.archived.is_(op.archived))
    in_order = _unfiltered if found is _ROWS else _in_order
    listed = in_order(found, op.sort_by == "name", op.sort_direction == "desc")
    rows, cursor = listed.page(tx.db, op.page_size, op.cursor, workspace=tx.workspace)
    return AgentPage(agents=[_summary(row) for row in rows], has_more=cursor is not None, next_cursor=cursor)


@agents.implements(GetAgent, proof="test_an_agent_reads_back_as_it_was_created")
def get_agent(tx: Tx, op: GetAgent) -> Json:
    return _answer(tx, tx.one(agent, op.agent_id))


@agents.implements(UpdateAgent, proof="test_an_update_merges_deeply_and_null_restores_the_default", missing=_MISSING)
def update_agent(tx: Tx, op: UpdateAgent) -> Json:
    old = tx.one(agent, op.agent_id)["document"]
    document = _checked(tx, old, op.body() or {})
    tx.db.execute(update(agent).where(tx.own(agent, id=op.agent_id)).values(**_columns(tx, document)))
    replace_uses(tx, "agent", op.agent_id, references_in(document))
    return _answer(tx, tx.one(agent, op.agent_id))


@agents.implements(DeleteAgent, proof="test_deleting_an_agent_unassigns_its_phone_numbers")
def delete_agent(tx: Tx, op: DeleteAgent) -> Json:
    """Delete an agent, unless other agents or tools transfer to it.

    Its conversations stay. Its phone numbers are unassigned and named in the answer.
    """
    name = tx.one(agent, op.agent_id)["name"]
    users = [user for user in agents_using(tx, "agent", op.agent_id) if user[0] != op.agent_id]
    users += tools_using(tx, "agent", op.agent_id)
    if users:
        named = ", ".join(f"{shown!r} ({id})" for id, shown, _ in users[:10])
        raise InUse("agent_in_use", f"Agent {name!r} is handed callers by {named}. Take that transfer out first.")
    freed = unassign(tx, op.agent_id)
    for table in (access_token, avatar):
        tx.db.execute(delete(table).where(tx.own(table, agent_id=op.agent_id)))
    tx.db.execute(delete(agent).where(tx.own(agent, id=op.agent_id)))
    forget_uses(tx, "agent", op.agent_id)
    forget_destinations(tx, "agent", op.agent_id)
    return {"unassigned_phone_numbers": freed} if freed else {}


@agents.implements(GetAgentKnowledgeSize, proof="test_the_size_of_an_agents_knowledge_is_told_in_pages")
def get_knowledge_size(tx: Tx, op: GetAgentKnowledgeSize) -> KnowledgeSize:
    return KnowledgeSize(number_of_pages=pages_of(tx, tx.one(agent, op.agent_id)["document"]))


def as_updated(tx: Tx, agent_id: str, patch: Json) -> Json:
    """The document as an update with `patch` would store it, with the same checks. Nothing is stored."""
    document: Json = tx.one(agent, agent_id)["document"]
    return _checked(tx, document, patch) if patch else document


def _with_own_picture(tx: Tx, widget: Json, agent_id: str, new: str) -> Json:
    """The widget of a copied agent, with its own copy of an uploaded avatar: an avatar is stored with its agent."""
    found = select(avatar.c.media_type, avatar.c.data).where(tx.own(avatar, agent_id=agent_id))
    picture = tx.db.execute(found).mappings().one_or_none()
    shown: Json = widget.get("avatar") or {}
    url = str(shown.get("url") or "")
    if picture is None or not url.startswith(own := f"/v1/convai/avatars/{agent_id}?"):
        return widget
    tx.db.execute(insert(avatar).values(workspace=tx.workspace, agent_id=new, **picture))
    return widget | {"avatar": shown | {"url": url.replace(own, f"/v1/convai/avatars/{new}?")}}


def _stored(tx: Tx, new: str, document: Json) -> CreatedAgent:
    tx.db.execute(insert(agent).values(workspace=tx.workspace, id=new, created_ms=tx.now_ms, **_columns(tx, document)))
    replace_uses(tx, "agent", new, references_in(document))
    return CreatedAgent(agent_id=new)


def _checked(tx: Tx, old: Json, patch: Json) -> Json:
    """The complete document after a change, without the fields of answers. Raises InvalidRequest or BadRequest."""
    document = with_defaults(merged(old, patch), defaults.AGENT)
    document = {key: value for key, value in document.items() if key not in _ANSWERED}
    if "workflow" in document:
        document["workflow"] = _complete(document["workflow"])
    settings: Json = patch.get("platform_settings") or {}
    given: Json = settings.get("workspace_overrides") or {}
    own: Json = document["platform_settings"]["workspace_overrides"]
    document["platform_settings"]["workspace_overrides"] = own | {
        "webhooks": in_step(own["webhooks"], given.get("webhooks"))
    }
    check_agent(tx, document, tx.allow)
    return document


def _complete(workflow: Json) -> Json:
    found = with_defaults(workflow, defaults.WORKFLOW)
    nodes: dict[str, Json] = found["nodes"]
    edges: dict[str, Json] = found["edges"]
    return found | {
        "nodes": {id: with_defaults(node, _node_defaults(node)) for id, node in nodes.items()},
        "edges": {id: with_defaults(edge, defaults.EDGE) for id, edge in edges.items()},
    }


def _node_defaults(node: Json) -> Json:
    return defaults.NODE | kind_of(node).defaults


def _columns(tx: Tx, document: Json) -> dict[str, Any]:
    """The values of an agent's row: columns to filter, sort and list by. The name is stored in its column only."""
    name = str(document.get("name") or defaults.NAME)
    return {
        "name": name,
        "name_key": name_key(name),
        "updated_ms": tx.now_ms,
        "voice_id": document["conversation_config"]["tts"]["voice_id"],
        "archived": bool(document["platform_settings"].get("archived")),
        "tags": document["tags"],
        "document": document | {"name": name},
    }


def _answer(tx: Tx, row: RowMapping) -> Json:
    return row["document"] | {
        "agent_id": row["id"],
        "name": row["name"],
        "metadata": {
            "created_at_unix_secs": row["created_ms"] // 1000,
            "updated_at_unix_secs": row["updated_ms"] // 1000,
        },
        "phone_numbers": numbers_of(tx, row["id"], row["name"]),
        "access_info": OWNER.model_dump(),
    }


def _in_order(found: Select[Any], by_name: bool, descending: bool) -> Paged:
    by = agent.c.name_key if by_name else agent.c.created_ms
    return Paged(found, by=by, id=agent.c.id, descending=descending)


_unfiltered = cache(_in_order)


def _summary(row: RowMapping) -> AgentSummary:
    return AgentSummary(
        agent_id=row["id"],
        name=row["name"],
        tags=row["tags"],
        created_at_unix_secs=row["created_ms"] // 1000,
        access_info=OWNER,
        last_call_time_unix_secs=row["last_call_secs"],
        voice_id=row["voice_id"],
        updated_at_unix_secs=row["updated_ms"] // 1000,
        archived=row["archived"],
    )
