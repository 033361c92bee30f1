"""The loader of roles: reads the agents of a conversation from the database, at workflow nodes and after transfers."""

from ...contract.errors import BadRequest
from ...contract.merge import Json, merged
from ...contract.paths import at
from ...workflow.graph import Workflow, read_workflow
from ...workflow.node_kinds import kind_of
from ..checks.variables import needed_later
from ..dialogue.agent import Agent, read_agent
from ..dialogue.passages import Document
from ..dialogue.roles import Role
from ..schema.tables import agent
from ..store.agent_documents import texts_of
from ..store.agent_tools import with_stored_tools
from ..store.transaction import Tx
from ..unit import Unit
from .custom_llm import llm_of
from .initiation import as_started

_Read = tuple[Agent, list[Document], Workflow | None, frozenset[str], Json]
"""Agent, documents, workflow, variables needed later in the conversation, and effective platform settings."""
_ZERO_RETENTION = ("platform_settings", "privacy", "zero_retention_mode")


class RoleLoader:
    """Loads roles and caches them, so that a later change of an agent does not affect a role already taken."""

    def __init__(self, unit: Unit, called: str, override: Json | None = None, *, on_phone: bool = False) -> None:
        """`called`: the agent that the conversation begins with. It may be archived; other agents may not.

        `override`: the changes to that agent at the start of the conversation. `on_phone`: whether roles have the tools
        that need a telephone line.
        """
        self._unit, self._called, self._override, self._on_phone = unit, called, override or {}, on_phone
        self._roles: dict[tuple[str, str | None, str | None], Role] = {}

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        """The role of an agent, at a node of its workflow and in a language if they are given.

        Raises NotFound. Raises BadRequest for another agent that is archived, for a model that zero retention forbids,
        and for a node at which the agent neither speaks nor acts.
        """
        key = agent_id, node_id, language
        if key not in self._roles:
            read = await self._unit.read(lambda tx: self._read(tx, *key))
            agent, documents, workflow, needs, settings = read
            llm = llm_of(self._unit, agent, settings)
            self._roles[key] = Role(agent, documents, llm, workflow, needs, node_id)
        return self._roles[key]

    def _read(self, tx: Tx, agent_id: str, node_id: str | None, language: str | None) -> _Read:
        row = tx.one(agent, agent_id)
        if row["archived"] and agent_id != self._called:
            raise BadRequest(f"Agent {row['name']!r} ({agent_id}) is archived and talks to nobody.")
        document: Json = row["document"]
        override = self._override if agent_id == self._called else {}
        node: Json = at(document, "workflow", "nodes", node_id or "") or {}
        kind = kind_of(node)
        changed = (
            kind.configured(as_started(document["conversation_config"], override), node)
            if kind.runs_tools
            else at_node(document, node_id, override=override, language=language)
        )
        config = with_stored_tools(tx, agent_id, changed)
        workflow = read_workflow(document.get("workflow"))
        settings: Json = document["platform_settings"]
        if agent_id != self._called and at(tx.one(agent, self._called)["document"], *_ZERO_RETENTION):
            # Zero retention of the first agent holds for every agent that the conversation is transferred to.
            settings = merged(settings, {"privacy": {"zero_retention_mode": True}})
        needs = needed_later(tx, document) if (agent_id, node_id) == (self._called, None) else frozenset[str]()
        own: str = at(document, "conversation_config", "agent", "language") or "en"
        talks_as = read_agent(agent_id, config, languages=[own], on_phone=self._on_phone)
        return talks_as, texts_of(tx, config), workflow, needs, settings


def at_node(document: Json, node_id: str | None, *, override: Json | None = None, language: str | None = None) -> Json:
    """The conversation configuration at a node of the workflow: the agent's, with its language preset, with the changes
    made at the start of the conversation (`override`), and with the node's changes.

    `language`: the language that was switched to. It applies if the agent speaks it; else the node's language applies,
    else the override's. Raises BadRequest for a node at which the agent does not speak.
    """
    node = _speaking_node(document, node_id)
    config: Json = document["conversation_config"]
    kind = kind_of(node)
    spoken = {at(source, "agent", "language") for source in (config, override, kind.configured({}, node))}
    spoken |= {*(config.get("language_presets") or {})}
    language = (language if language in spoken else None) or at(kind.configured({}, node), "agent", "language")
    in_language: Json = {"agent": {"language": language}} if language else {}
    config = as_started(config, merged(override or {}, in_language))
    return merged(kind.configured(config, node), in_language)


def _speaking_node(document: Json, node_id: str | None) -> Json:
    """The definition of a workflow node at which the agent speaks; empty without a node. Raises BadRequest."""
    if node_id is None:
        return {}
    workflow: Json = document.get("workflow") or {}
    node: Json | None = workflow.get("nodes", {}).get(node_id)
    if node is None:
        raise BadRequest(f"The workflow has no node {node_id!r}.")
    if not kind_of(node).speaks:
        raise BadRequest(f"At a node of the type {node['type']} the agent says nothing that could be tested.")
    return node
