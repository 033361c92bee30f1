"""The kinds of workflow nodes: one entry per kind holds every property that the rest of the product uses.

A new kind needs a model in the contract and an entry in `KINDS`. A node acts on a conversation through a `Stage`, which
the workflow runner implements: nothing here talks to a model or a database.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..contract.agent.workflow import AgentNode, EndNode, StartNode, SubagentNode, ToolNode, TransferNode
from ..contract.common import Unknown, Wire
from ..contract.merge import Json, merged, without_nulls
from ..contract.paths import at

Node = Mapping[str, Any]
"""A node in wire form."""


class Stage(Protocol):
    """The conversation that arrives at a node, limited to what the node may change."""

    def stay(self) -> None:
        """Keep the current role of the agent."""
        ...

    async def speak(self, language: str | None) -> None:
        """Switch to the agent's role at this node, in `language`; None: in the language switched to, if any."""
        ...

    async def run_tools(self) -> bool:
        """Run the tools of the node; returns whether all of them succeeded."""
        ...

    async def hand_over(self, rule: Node) -> None:
        """Transfer to the agent `agent_id`; the other fields of `rule` are those of a transfer to an agent."""
        ...

    def end(self, why: str) -> None: ...


@dataclass(frozen=True)
class NodeKind:
    model: type[Wire]
    """The kind's model in the contract; its `type` names the kind."""
    words: Callable[[str, Node], str]
    """Describes the node with this id, for `explain_workflow` and the drawing."""
    arrive: Callable[[Stage, Node], Awaitable[bool | None]]
    """Runs the node's action. Returns None if the conversation stays at the node; otherwise it moves on at once, and
    the result says whether the tools of the node succeeded.
    """
    shape: tuple[str, str] = ("[", "]")
    """The brackets around the node's text in a Mermaid flowchart."""
    begins: bool = False
    """The conversation starts here."""
    speaks: bool = False
    """The agent speaks here, so a test of an agent can start here."""
    runs_tools: bool = False
    """Tools run here, and edges may depend on their success."""
    last: bool = False
    """No edge leads out: the agent's part ends here."""
    configured: Callable[[Json, Node], Json] = lambda config, node: config
    """The agent's `conversation_config` at this node, derived from the one without the node."""
    defaults: Json = field(default_factory=dict[str, Any])
    """Defaults of a stored node that the request left out, in addition to those of every node."""
    feature: str | None = None
    """The field of a conversation's record that says whether such nodes were present and were visited."""

    @property
    def moves_on(self) -> bool:
        """Nobody speaks at the node: the unconditional edge is taken at once."""
        return self.begins or self.runs_tools


def _override_words(node_id: str, node: Node) -> str:
    return str(node.get("label") or node_id)


def _tool_words(node_id: str, node: Node) -> str:
    return "Run " + (", ".join(locator["tool_id"] for locator in node.get("tools") or ()) or "no tool")


def _transfer_words(node_id: str, node: Node) -> str:
    return f"Hand over to {_person(node)}"


def _unknown_words(node_id: str, node: Node) -> str:
    return f"{node_id} ({node['type']})"


def _person(node: Node) -> str:
    to: Node = node.get("transfer_destination") or {}
    return str(to.get("phone_number") or to.get("sip_uri") or "a person")


async def _stay(stage: Stage, node: Node) -> None:
    stage.stay()


async def _speak(stage: Stage, node: Node) -> None:
    await stage.speak(at(node, "conversation_config", "agent", "language") or None)


async def _run_tools(stage: Stage, node: Node) -> bool:
    return await stage.run_tools()


async def _hand_over(stage: Stage, node: Node) -> None:
    await stage.hand_over(node)


async def _transfer(stage: Stage, node: Node) -> None:
    stage.end(f"The workflow handed the conversation over to {_person(node)}.")


async def _end(stage: Stage, node: Node) -> None:
    stage.end("The workflow came to its end.")


def _overridden(config: Json, node: Node) -> Json:
    """The agent's configuration with the node's overrides, and with its prompt, documents and tools added."""
    config = merged(config, without_nulls(node.get("conversation_config") or {}))
    prompt: Json = at(config, "agent", "prompt") or {}
    text = f"{prompt.get('prompt') or ''}\n\n{node.get('additional_prompt') or ''}".strip()
    documents: list[Json] = [*prompt.get("knowledge_base", ()), *node.get("additional_knowledge_base", ())]
    tools: list[str] = [*prompt.get("tool_ids", ()), *node.get("additional_tool_ids", ())]
    return merged(config, {"agent": {"prompt": {"prompt": text, "knowledge_base": documents, "tool_ids": tools}}})


def _with_its_tools_alone(config: Json, node: Node) -> Json:
    ids = [locator["tool_id"] for locator in node.get("tools") or ()]
    tools: Json = {"tools": [], "tool_ids": ids, "built_in_tools": None, "mcp_server_ids": []}
    return merged(config, {"agent": {"prompt": tools}})


KINDS: Mapping[str, NodeKind] = {
    kind.model.model_fields["type"].default: kind
    for kind in (
        NodeKind(
            StartNode,
            words=lambda node_id, node: "Start",
            arrive=_stay,
            shape=("([", "])"),
            begins=True,
            speaks=True,
        ),
        NodeKind(
            SubagentNode,
            words=_override_words,
            arrive=_speak,
            speaks=True,
            configured=_overridden,
            defaults={
                "conversation_config": {},
                "additional_prompt": "",
                "additional_knowledge_base": [],
                "additional_tool_ids": [],
                "entry_behavior": "auto",
            },
        ),
        NodeKind(
            ToolNode,
            words=_tool_words,
            arrive=_run_tools,
            shape=("[[", "]]"),
            runs_tools=True,
            configured=_with_its_tools_alone,
            defaults={"tools": []},
            feature="tool_node",
        ),
        NodeKind(
            AgentNode,
            words=lambda node_id, node: f"Hand over to agent {node['agent_id']}",
            arrive=_hand_over,
            shape=("[/", "/]"),
            last=True,
            defaults={
                "delay_ms": 0,
                "enable_transferred_agent_first_message": False,
                "preserve_client_tts_overrides": False,
                "preserve_voice_settings": False,
            },
            feature="standalone_agent_node",
        ),
        NodeKind(
            TransferNode,
            words=_transfer_words,
            arrive=_transfer,
            shape=("[/", "/]"),
            last=True,
            defaults={"transfer_type": "conference", "custom_sip_headers": [], "sip_refer_play_dialtone": False},
            feature="phone_number_node",
        ),
        NodeKind(
            EndNode,
            words=lambda node_id, node: "End",
            arrive=_end,
            shape=("([", "])"),
            last=True,
            defaults={"outcome": "success"},
            feature="end_node",
        ),
    )
}
"""Kinds by the `type` of a node."""

UNKNOWN = NodeKind(Unknown, words=_unknown_words, arrive=_stay)
"""A kind of a newer platform: the agent keeps its current role."""


def kind_of(node: Node) -> NodeKind:
    return KINDS.get(str(node.get("type")), UNKNOWN)
