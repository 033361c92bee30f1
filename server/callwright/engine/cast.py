"""The agents that conversations are held with, as they are stored: at the nodes of their workflows, and each other."""

from ..contract.errors import BadRequest
from ..contract.merge import Json, merged
from ..workflow.graph import Workflow, read_workflow
from .agent_documents import texts_of
from .agent_tools import with_stored_tools
from .agents import agent_row
from .custom_llm import llm_of
from .dialogue.agent import Agent, at, read_agent
from .dialogue.passages import Document
from .dialogue.roles import Role
from .handlers import Tx, Unit
from .initiation import as_started, given
from .needed_later import needed_later

_Read = tuple[Agent, list[Document], Workflow | None, frozenset[str], Json]
"""With the variables that it needs later, and the platform settings that hold for the agent."""
_ZERO_RETENTION = ("platform_settings", "privacy", "zero_retention_mode")


class StoredCast:
    """Each role is read once, so that a conversation goes on with the configuration that it came to."""

    def __init__(self, unit: Unit, called: str, override: Json | None = None, *, on_phone: bool = False) -> None:
        """`called`: the agent that the conversation begins with. Another one that is archived takes no part in it.

        `override`: what whoever started the conversation changed about that agent. `on_phone`: with the tools that need
        a telephone line.
        """
        self._unit, self._called, self._override, self._on_phone = unit, called, override or {}, on_phone
        self._roles: dict[tuple[str, str | None], Role] = {}

    async def role(self, agent_id: str, node_id: str | None = None) -> Role:
        """Raises NotFound; BadRequest for another agent that is archived, for a model that keeps what zero retention
        forbids to keep, and at a node where nobody speaks or acts.
        """
        if (agent_id, node_id) not in self._roles:
            agent, documents, workflow, needs, settings = await self._unit.read(
                lambda tx: self._read(tx, agent_id, node_id)
            )
            llm = llm_of(self._unit, agent, settings)
            self._roles[agent_id, node_id] = Role(agent, documents, llm, workflow, needs)
        return self._roles[agent_id, node_id]

    def _read(self, tx: Tx, agent_id: str, node_id: str | None) -> _Read:
        row = agent_row(tx, agent_id)
        if row["archived"] and agent_id != self._called:
            raise BadRequest(f"Agent {row['name']!r} ({agent_id}) is archived and talks to nobody.")
        document: Json = row["document"]
        if agent_id == self._called:
            config = as_started(document["conversation_config"], self._override)
            document = document | {"conversation_config": config}
        node: Json = at(document, "workflow", "nodes", node_id or "") or {}
        changed = _with_tools_of(document, node) if node.get("type") == "tool" else at_node(document, node_id)
        config = with_stored_tools(tx, changed)
        workflow = read_workflow(document.get("workflow"))
        settings: Json = document["platform_settings"]
        if agent_id != self._called and at(agent_row(tx, self._called)["document"], *_ZERO_RETENTION):
            # What one agent may keep nowhere, nobody keeps whom it hands the conversation over to.
            settings = merged(settings, {"privacy": {"zero_retention_mode": True}})
        needs = needed_later(tx, document) if (agent_id, node_id) == (self._called, None) else frozenset[str]()
        return read_agent(agent_id, config, on_phone=self._on_phone), texts_of(tx, config), workflow, needs, settings


def _with_tools_of(document: Json, node: Json) -> Json:
    """The agent with the tools of a tool node, and no others."""
    ids = [locator["tool_id"] for locator in node.get("tools") or ()]
    tools: Json = {"tools": [], "tool_ids": ids, "built_in_tools": None, "mcp_server_ids": []}
    return merged(document["conversation_config"], {"agent": {"prompt": tools}})


def at_node(document: Json, node_id: str | None) -> Json:
    """The conversation configuration that holds at a node of the workflow. Raises BadRequest where none does."""
    config: Json = document["conversation_config"]
    if node_id is None:
        return config
    workflow: Json = document.get("workflow") or {}
    node: Json | None = workflow.get("nodes", {}).get(node_id)
    if node is None:
        raise BadRequest(f"The workflow has no node {node_id!r}.")
    if node["type"] == "start":
        return config
    if node["type"] != "override_agent":
        raise BadRequest(f"At a node of the type {node['type']} the agent says nothing that could be tested.")
    override: Json = node.get("conversation_config") or {}
    config = merged(config, given(override))
    prompt: Json = config["agent"]["prompt"]
    said = f"{prompt.get('prompt') or ''}\n\n{node.get('additional_prompt') or ''}".strip()
    known: list[Json] = [*prompt.get("knowledge_base", ()), *node.get("additional_knowledge_base", ())]
    tools: list[str] = [*prompt.get("tool_ids", ()), *node.get("additional_tool_ids", ())]
    return merged(config, {"agent": {"prompt": {"prompt": said, "knowledge_base": known, "tool_ids": tools}}})
