"""Agents: create, list, read, change, copy, share, delete, rehearse."""

from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from .agent.config import AgentConfig, ConversationConfig
from .agent.evaluation import Criterion
from .agent.normalise import normalise, split_nulls
from .agent.settings import PlatformSettings
from .agent.workflow import Workflow
from .common import AccessInfo, AgentId, Cursor, Empty, Known, Limits, Maybe, PageSize, Scalar, SortDirection, Wire
from .conversation.analysis import Analysis
from .conversation.transcript import Turn
from .guards import ASSIGNMENTS, PROMPTS, WORKFLOWS, inward, outward
from .operation import Operation, Stream
from .phone_numbers import PhoneNumber

R = TypeVar("R", covariant=True)

TurnsLimit = Annotated[int, Limits(ge=1, source="ours: a rehearsal without a turn says nothing")]

GUARDED = (
    *outward(
        *PROMPTS,
        *WORKFLOWS,
        "platform_settings.workspace_overrides",
        # what the pages of the agent load and link to
        "platform_settings.widget.**.custom_url",
        "platform_settings.widget.override_link",
        "platform_settings.widget.custom_avatar_path",
        "platform_settings.widget.**.terms_html",
    ),
    *inward(
        ASSIGNMENTS,
        # who may talk to the agent, how often, what they may change and approve, what is kept of it
        "platform_settings.auth",
        "platform_settings.call_limits",
        "platform_settings.overrides",
        "platform_settings.privacy",
        "platform_settings.safety",
        "**.client_events",
        # which agent goes on
        "workflow.nodes.*.agent_id",
    ),
)


class AgentMetadata(Wire):
    """When the agent was made and last changed. Unix seconds."""

    created_at_unix_secs: int
    updated_at_unix_secs: int


class Agent(Wire):
    """An agent in full."""

    agent_id: str
    name: str
    conversation_config: ConversationConfig
    metadata: AgentMetadata
    platform_settings: PlatformSettings = Field(default_factory=PlatformSettings)
    phone_numbers: list[PhoneNumber] = []
    workflow: Workflow | None = None
    access_info: AccessInfo | None = None
    tags: list[str] = []


class AgentSummary(Wire):
    """An agent in a list. Times in Unix seconds."""

    agent_id: str
    name: str
    tags: list[str]
    created_at_unix_secs: int
    access_info: AccessInfo
    last_call_time_unix_secs: int | None = None
    # the newest clients do not read a list without these three
    voice_id: Maybe[str] = None
    updated_at_unix_secs: Maybe[int] = None
    archived: Maybe[bool] = None


class AgentPage(Wire):
    """One page of agents."""

    agents: list[AgentSummary]
    next_cursor: str | None = None
    has_more: bool


class CreatedAgent(Wire):
    """The new agent's id."""

    agent_id: str


class ConversationToken(Wire):
    """A key to conversations with one agent. Expires at a Unix time in seconds."""

    agent_id: str
    conversation_token: str
    expiration_time_unix_secs: int | None = None
    conversation_id: str | None = None
    purpose: Maybe[Annotated[str, Known("signed_url", "shareable_link")]] = None


class AgentLink(Wire):
    """What the shareable page of an agent needs; no token means that the agent is public."""

    agent_id: str
    token: ConversationToken | None = None


class KnowledgeSize(Wire):
    """How much an agent knows, in pages."""

    number_of_pages: float


class ToolMock(Wire):
    """What a tool answers in a rehearsal."""

    default_return_value: Maybe[str] = None
    default_is_error: Maybe[bool] = None


class SimulationSpecification(Wire):
    """Who the simulated user is, and what the world answers."""

    simulated_user_config: AgentConfig
    tool_mock_config: dict[str, ToolMock] = {}
    """By the name of the tool."""
    partial_conversation_history: list[Turn] = []
    dynamic_variables: dict[str, Scalar | None] = {}


class Simulation(Wire):
    """A rehearsed conversation and its analysis."""

    simulated_conversation: list[Turn]
    analysis: Analysis


class SimulationPart(Wire):
    """A piece of a rehearsal: further turns, to be put behind those before; last of all the analysis."""

    simulated_conversation: list[Turn] = []
    analysis: Analysis | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_turns(cls, value: Any) -> Any:
        return {"simulated_conversation": cast(Any, value)} if isinstance(value, list) else value


class AgentWrite(Operation[R]):
    """A request with an agent's document, which is brought to its one spelling first (see `agent.normalise`)."""

    _warnings: list[str] = PrivateAttr(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What was written differently, in words for the person who wrote it."""
        return self._warnings

    @model_validator(mode="wrap")
    @classmethod
    def _normalise(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        document, warnings = normalise(data)
        request = handler(document)
        request._warnings = warnings
        return request


class CreateAgent(AgentWrite[CreatedAgent], method="POST", path="/v1/convai/agents/create", guarded=GUARDED):
    """Make an agent."""

    conversation_config: ConversationConfig
    platform_settings: PlatformSettings | None = None
    workflow: Workflow | None = None
    name: str | None = None
    tags: list[str] | None = None


class ListAgents(Operation[AgentPage], method="GET", path="/v1/convai/agents"):
    """Find agents, newest first unless told otherwise."""

    page_size: PageSize = 30
    search: str | None = None
    sort_direction: SortDirection = "desc"
    sort_by: Literal["name", "created_at"] = "created_at"
    archived: bool | None = None
    """Only those that are, or only those that are not."""
    cursor: Cursor | None = None


class GetAgent(Operation[Agent], method="GET", path="/v1/convai/agents/{agent_id}"):
    """Read an agent in full."""

    agent_id: AgentId


class UpdateAgent(AgentWrite[Agent], method="PATCH", path="/v1/convai/agents/{agent_id}", guarded=GUARDED):
    """Change parts of an agent, by JSON merge: objects are merged, lists and plain values are replaced.

    Inside the three sections null takes a value out, whatever its type: a key of a map is gone then, and what has a
    default gets it back. A section itself is not null (but a workflow may be): that would take out what is guarded.
    """

    _taken_out: list[tuple[str, ...]] = PrivateAttr(default_factory=list[tuple[str, ...]])

    agent_id: AgentId
    conversation_config: ConversationConfig = Field(default_factory=ConversationConfig)
    platform_settings: PlatformSettings = Field(default_factory=PlatformSettings)
    workflow: Workflow | None = None
    name: str | None = None
    tags: list[str] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _set_nulls_apart(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        rest, taken_out = data, list[tuple[str, ...]]()
        for section in ("conversation_config", "platform_settings", "workflow"):
            if isinstance(data, dict) and section in data:
                part, nulls = split_nulls(cast(dict[str, Any], data)[section])
                rest = {**rest, section: part}
                taken_out += [(section, *path) for path in nulls]
        request = handler(rest)
        request._taken_out = taken_out
        return request

    def _make_body(self) -> dict[str, Any] | None:
        body = super()._make_body() or {}
        for *parents, last in self._taken_out:
            node = body
            for name in parents:
                node = node.setdefault(name, {})
            node[last] = None
        return body


class DeleteAgent(Operation[Empty], method="DELETE", path="/v1/convai/agents/{agent_id}"):
    """Delete an agent for good."""

    agent_id: AgentId


class DuplicateAgent(
    Operation[CreatedAgent],
    method="POST",
    path="/v1/convai/agents/{agent_id}/duplicate",
    like="POST /v1/convai/agents/create",
):
    """Copy an agent; no phone number moves to the copy."""

    agent_id: AgentId
    name: str | None = None
    """Of the copy."""


class GetAgentLink(Operation[AgentLink], method="GET", path="/v1/convai/agents/{agent_id}/link", effect="grant"):
    """Hand out the key to an agent's shareable page."""

    agent_id: AgentId


class GetAgentKnowledgeSize(
    Operation[KnowledgeSize], method="GET", path="/v1/convai/agent/{agent_id}/knowledge-base/size"
):
    """Read how much an agent knows."""

    agent_id: AgentId


class SimulateConversation(
    AgentWrite[Simulation],
    method="POST",
    path="/v1/convai/agents/{agent_id}/simulate-conversation",
    guarded=(*outward(*PROMPTS), *inward(ASSIGNMENTS)),
):
    """Rehearse: the agent talks, in text, with a simulated user; then the conversation is judged."""

    agent_id: AgentId
    simulation_specification: SimulationSpecification
    extra_evaluation_criteria: list[Criterion] | None = None
    """Judged besides the agent's own."""
    new_turns_limit: Maybe[TurnsLimit] = None


class StreamSimulation(
    AgentWrite[Stream[SimulationPart]],
    method="POST",
    path="/v1/convai/agents/{agent_id}/simulate-conversation/stream",
    guarded=(*outward(*PROMPTS), *inward(ASSIGNMENTS)),
):
    """Rehearse as `SimulateConversation` does, answering turn by turn; the last part carries the analysis."""

    agent_id: AgentId
    simulation_specification: SimulationSpecification
    extra_evaluation_criteria: list[Criterion] | None = None
    """Judged besides the agent's own."""
    new_turns_limit: Maybe[TurnsLimit] = None
