"""The agents that conversations are held with, as they are stored: at the nodes of their workflows, and each other."""

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
"""With the variables that it needs later, and the platform settings that hold for the agent."""
_ZERO_RETENTION = ("platform_settings", "privacy", "zero_retention_mode")


class RoleLoader:
    """Each role is read once, so that a conversation goes on with the configuration that it came to."""

    def __init__(self, unit: Unit, called: str, override: Json | None = None, *, on_phone: bool = False) -> None:
        """`called`: the agent that the conversation begins with. Another one that is archived takes no part in it.

        `override`: what whoever started the conversation changed about that agent. `on_phone`: with the tools that need
        a telephone line.
        """
        self._unit, self._called, self._override, self._on_phone = unit, called, override or {}, on_phone
        self._roles: dict[tuple[str, str | None, str | None], Role] = {}

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        """Raises NotFound; BadRequest for another agent that is archived, for a model that keeps what zero retention
        forbids to keep, and at a node where nobody speaks or acts.
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
        config = with_stored_tools(tx, changed)
        workflow = read_workflow(document.get("workflow"))
        settings: Json = document["platform_settings"]
        if agent_id != self._called and at(tx.one(agent, self._called)["document"], *_ZERO_RETENTION):
            # What one agent may keep nowhere, nobody keeps whom it hands the conversation over to.
            settings = merged(settings, {"privacy": {"zero_retention_mode": True}})
        needs = needed_later(tx, document) if (agent_id, node_id) == (self._called, None) else frozenset[str]()
        own: str = at(document, "conversation_config", "agent", "language") or "en"
        talks_as = read_agent(agent_id, config, languages=[own], on_phone=self._on_phone)
        return talks_as, texts_of(tx, config), workflow, needs, settings


def at_node(document: Json, node_id: str | None, *, override: Json | None = None, language: str | None = None) -> Json:
    """The conversation configuration that holds at a node of the workflow: the agent's, as its language has it, with
    what whoever started the conversation changed (`override`), and with what the node changes.

    `language`: the one that was switched to, if the agent speaks it; else the node's own holds, or the override's.
    Raises BadRequest where nobody speaks.
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
    """What the workflow says of a node at which the agent speaks; nothing where it speaks as it is."""
    if node_id is None:
        return {}
    workflow: Json = document.get("workflow") or {}
    node: Json | None = workflow.get("nodes", {}).get(node_id)
    if node is None:
        raise BadRequest(f"The workflow has no node {node_id!r}.")
    if not kind_of(node).speaks:
        raise BadRequest(f"At a node of the type {node['type']} the agent says nothing that could be tested.")
    return node
