"""A conversation as a graph: nodes that speak or act, edges with conditions."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from ..common import Limits, Maybe, OneOf, Unknown, Variant, Wire, is_answer
from .expressions import Expression
from .node_config import NodeConfig
from .prompt import KnowledgeLocator
from .system_tools import PhoneDestination, SipDestination, TransferType, check_refer

NodeDestination = Annotated[PhoneDestination | SipDestination | Unknown, OneOf("type")]


class Position(Wire):
    """Where an editor draws the node."""

    x: Maybe[float] = None
    y: Maybe[float] = None


class StartNode(Variant):
    """Where every conversation begins."""

    type: Literal["start"] = "start"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []


class EndNode(Variant):
    """Ends the conversation."""

    type: Literal["end"] = "end"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []


class TransferNode(Variant):
    """Hands over to a person."""

    type: Literal["phone_number"] = "phone_number"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []
    transfer_destination: NodeDestination
    transfer_type: Maybe[TransferType] = None

    @model_validator(mode="after")
    def _sip_needs_refer(self, info: ValidationInfo) -> Self:
        if not is_answer(info):
            check_refer(self.transfer_destination, self.transfer_type)
        return self


class SubagentNode(Variant):
    """The agent with changes."""

    conversation_config: NodeConfig = Field(default_factory=NodeConfig)
    additional_prompt: Maybe[str] = None
    """Put behind the agent's own prompt."""
    additional_knowledge_base: list[KnowledgeLocator] = []
    additional_tool_ids: list[str] = []
    type: Literal["override_agent"] = "override_agent"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []
    label: str


class AgentNode(Variant):
    """Hands over to another agent."""

    type: Literal["standalone_agent"] = "standalone_agent"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []
    agent_id: str
    delay_ms: Maybe[Annotated[int, Limits(ge=0, source="guide: agent transfer")]] = None
    transfer_message: str | None = None
    enable_transferred_agent_first_message: Maybe[bool] = None


class ToolLocator(Wire):
    """A stored tool."""

    tool_id: str


class ToolNode(Variant):
    """Runs its tools, whatever the model thinks of it."""

    type: Literal["tool"] = "tool"
    position: Position = Field(default_factory=Position)
    edge_order: list[str] = []
    tools: list[ToolLocator] = []


Node = Annotated[StartNode | EndNode | TransferNode | SubagentNode | AgentNode | ToolNode | Unknown, OneOf("type")]


class Always(Variant):
    """Holds at once."""

    label: str | None = None
    type: Literal["unconditional"] = "unconditional"


class Judged(Variant):
    """Holds when the model finds so."""

    label: str | None = None
    type: Literal["llm"] = "llm"
    condition: str


class ToolOutcome(Variant):
    """Holds when the tools of the node succeeded, or when they failed."""

    label: str | None = None
    type: Literal["result"] = "result"
    successful: bool


class Computed(Variant):
    """Holds when the expression is true."""

    label: str | None = None
    type: Literal["expression"] = "expression"
    expression: Expression


Condition = Annotated[Always | Judged | ToolOutcome | Computed | Unknown, OneOf("type")]


class Edge(Wire):
    """A way from one node to another, and back."""

    source: str
    target: str
    forward_condition: Condition | None = None
    """Leads from source to target."""
    backward_condition: Condition | None = None
    """Leads from target back to source."""


class Workflow(Wire):
    """Nodes and edges by id."""

    edges: dict[str, Edge] = {}
    nodes: dict[str, Node] = {}
    prevent_subagent_loops: Maybe[bool] = None
    """The newest clients do not read a workflow without it."""
