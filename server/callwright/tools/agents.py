"""Tools to create, inspect, change and rehearse voice agents."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from ..api.client import ApiClient
from ..approval.call import Api
from ..approval.question import changed_fields
from ..contract.agents import (
    Agent,
    CreateAgent,
    DeleteAgent,
    DuplicateAgent,
    GetAgent,
    GetAgentKnowledgeSize,
    GetAgentLink,
    ListAgents,
    SimulateConversation,
    Simulation,
    SimulationPart,
    StreamSimulation,
    UpdateAgent,
)
from ..contract.common import AgentId, Cursor, PageSize
from ..contract.conversation.transcript import Turn
from ..contract.errors import Unreadable
from ..contract.knowledge_base import GetDocument
from ..replies.agent_hints import hints_of
from ..replies.names import unknown_values
from ..replies.rehearsal import Rehearsed
from ..replies.text import short
from ..replies.views import Deleted, Page, View, ordered
from ..requests.agent_config import (
    PROMPT_SHOWN,
    AgentView,
    Changes,
    Config,
    DocumentIds,
    FirstMessage,
    Json,
    Language,
    Llm,
    Name,
    Prompt,
    Tags,
    Temperature,
    TestIds,
    ToolIds,
    Voice,
    changes_of,
)
from ..requests.rehearsal import rehearsal_of
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.undo import Past, undoes
from .describe_config import describe_config
from .workflows import explain_workflow, validate_workflow

TOOLS = Toolset("agents", "Create, inspect, change and rehearse voice agents.")

SIMULATION_SECONDS = 600.0

Id = Annotated[AgentId, Field(description="From list_agents.")]


class AgentLine(View):
    agent_id: str
    name: str
    tags: list[str]
    last_call_unix_secs: int | None = None
    archived: bool | None = None


class Agents(Page):
    agents: list[AgentLine]


class LinkView(View):
    agent_id: str
    token: str | None = None
    expires: str | None = None
    note: str


class KnowledgeView(View):
    agent_id: str
    pages: float


@TOOLS.tool(ListAgents, title="List agents", parts=True, words="overview welche quels que quali")
async def list_agents(
    api: PlatformApi,
    search: Annotated[str | None, Field(max_length=200, description="Part of the name.")] = None,
    sort_by: Annotated[
        str, Field(pattern="^-?(name|created_at)$", description="created_at or name; - before it reverses.")
    ] = "created_at",
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Agents:
    """List all voice agents, newest first. Start here when you know only a name."""
    asked = {"page_size": page_size, "search": search, "cursor": cursor, **ordered(sort_by)}
    page = await api.send(ListAgents.model_validate(asked))
    return Agents(
        agents=[
            AgentLine(
                agent_id=a.agent_id,
                name=short(a.name),
                tags=a.tags,
                last_call_unix_secs=a.last_call_time_unix_secs,
                archived=a.archived or None,
            )
            for a in page.agents
        ],
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


@TOOLS.tool(
    GetAgent,
    title="Get agent",
    parts=True,
    words="prompt instructions configured moment currently says read zeige einstellungen configuration",
)
async def get_agent(api: PlatformApi, agent_id: Id) -> AgentView:
    """Show an agent's prompt, voice, documents, tools and criteria; or any part of its configuration in full."""
    return AgentView.of(await api.send(GetAgent(agent_id=agent_id)), prompt_shown=PROMPT_SHOWN)


@TOOLS.tool(
    CreateAgent,
    GetAgent,
    GetDocument,
    title="Create agent",
    words=(
        "receptionist bot assistant reservations bookings orders restaurant clinic practice praxis "
        "zahnarzt negozio clinica tienda support scratch voice-bot"
    ),
)
async def create_agent(
    api: PlatformApi,
    name: Name,
    prompt: Prompt,
    first_message: FirstMessage | None = None,
    language: Language | None = None,
    llm: Llm | None = None,
    temperature: Temperature | None = None,
    voice_id: Voice | None = None,
    document_ids: DocumentIds | None = None,
    tool_ids: ToolIds | None = None,
    test_ids: TestIds | None = None,
    tags: Tags | None = None,
    config: Config | None = None,
) -> AgentView:
    """Create a voice agent from a prompt. Add documents first; rehearse it with simulate_conversation afterwards."""
    body = await changes_of(
        api, None, config,
        name=name, prompt=prompt, first_message=first_message, language=language, llm=llm, temperature=temperature,
        voice_id=voice_id, document_ids=document_ids, tool_ids=tool_ids, test_ids=test_ids, tags=tags,
    )  # fmt: skip
    op = CreateAgent.model_validate({"conversation_config": {}} | body)
    made = await api.send(op)
    return _written(op, await api.send(GetAgent(agent_id=made.agent_id)))


@TOOLS.tool(
    UpdateAgent,
    GetDocument,
    title="Update agent",
    words=(
        "friendlier polite slower faster greeting welcome first message begrussung langsamer sprechen "
        "stimme accueil saludo saluto language second deutsch german teach handbook colours colors "
        "colour look improve rename prompt attach personality tone voice another sprache langue idioma "
        "lingua"
    ),
)
async def update_agent(
    api: PlatformApi,
    agent_id: Id,
    name: Name | None = None,
    prompt: Prompt | None = None,
    first_message: FirstMessage | None = None,
    language: Language | None = None,
    llm: Llm | None = None,
    temperature: Temperature | None = None,
    voice_id: Voice | None = None,
    document_ids: DocumentIds | None = None,
    tool_ids: ToolIds | None = None,
    test_ids: TestIds | None = None,
    tags: Tags | None = None,
    config: Changes | None = None,
) -> AgentView:
    """Change an agent's prompt, greeting, voice or else; what is left out stays. Lists are replaced whole."""
    body = await changes_of(
        api, agent_id, config,
        name=name, prompt=prompt, first_message=first_message, language=language, llm=llm, temperature=temperature,
        voice_id=voice_id, document_ids=document_ids, tool_ids=tool_ids, test_ids=test_ids, tags=tags,
    )  # fmt: skip
    op = UpdateAgent.model_validate({"agent_id": agent_id} | body)
    return _written(op, await api.send(op))


def _written(op: CreateAgent | UpdateAgent, agent: Agent) -> AgentView:
    return AgentView.of(agent, [*op.warnings, *unknown_values(op), *hints_of(agent)])


@TOOLS.tool(DuplicateAgent, GetAgent, title="Duplicate agent", default=False, words="experiment variant clone kopie")
async def duplicate_agent(api: PlatformApi, agent_id: Id, name: Name | None = None) -> AgentView:
    """Copy an agent with its whole configuration, to try changes on the copy. Phone numbers stay with the original."""
    given = {"agent_id": agent_id} | ({"name": name} if name else {})
    made = await api.send(DuplicateAgent.model_validate(given))
    return AgentView.of(await api.send(GetAgent(agent_id=made.agent_id)))


@TOOLS.tool(
    GetAgentLink,
    title="Get agent link",
    default=False,
    words="share colleague link try demo teilen partager compartir condividere",
)
async def get_agent_link(api: PlatformApi, agent_id: Id) -> LinkView:
    """Hand out the key to an agent's shareable page. Whoever has it can talk to the agent; nobody can take it back."""
    token = (await api.send(GetAgentLink(agent_id=agent_id))).token
    if token is None:
        return LinkView(agent_id=agent_id, note="No token is needed: anybody may talk to this agent.")
    ends = token.expiration_time_unix_secs
    return LinkView(
        agent_id=agent_id,
        token=token.conversation_token,
        expires=datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d %H:%M UTC") if ends else "never",
        note="Whoever has the token can talk to this agent.",
    )


@TOOLS.tool(GetAgentKnowledgeSize, title="Get agent knowledge size", default=False)
async def get_agent_knowledge_size(api: PlatformApi, agent_id: Id) -> KnowledgeView:
    """Tell how many pages an agent's documents have, as calculate_llm_usage counts them."""
    found = await api.send(GetAgentKnowledgeSize(agent_id=agent_id))
    return KnowledgeView(agent_id=agent_id, pages=found.number_of_pages)


@TOOLS.tool(DeleteAgent, GetAgent, title="Delete agent", words="rid old alten ancien viejo vecchio bot")
async def delete_agent(api: PlatformApi, agent_id: Id) -> Deleted:
    """Delete an agent for good; its phone numbers lose their agent, its conversations stay."""
    agent = await api.send(GetAgent(agent_id=agent_id))
    await api.send(DeleteAgent(agent_id=agent_id))
    return Deleted(deleted=agent_id, name=agent.name, also=[f"{n} has no agent now" for n in _numbers(agent)])


@TOOLS.tool(
    StreamSimulation,
    SimulateConversation,
    title="Simulate conversation",
    long=True,
    words=(
        "rehearse rehearsal try out angry customer pretend caller live role-play wutend probe prove essaye "
        "ensaya prova ausprobieren testen"
    ),
)
async def simulate_conversation(
    api: PlatformApi,
    agent_id: Id,
    caller: Annotated[
        str,
        Field(min_length=1, max_length=20_000, description="Who calls and what for. Without an LLM: one line a turn."),
    ],
    criteria: Annotated[
        list[str] | None, Field(max_length=20, description="Goals to judge by, as 'states the refund deadline'.")
    ] = None,
    variables: Annotated[Json | None, Field(description="Dynamic variables by name.")] = None,
    tool_mocks: Annotated[Json | None, Field(description="Tool name to its answer in the rehearsal.")] = None,
    max_turns: Annotated[int, Field(ge=1, le=100, description="New turns, 1 to 100.")] = 20,
    config: Annotated[Json | None, Field(description="Rest of the body. See describe_config, kind simulation.")] = None,
) -> Rehearsed:
    """Rehearse an agent in text against a simulated caller and judge it. Rings nobody, mocks tools, costs LLM use."""
    body = rehearsal_of(config, caller, criteria or [], variables, tool_mocks)
    asked = {"agent_id": agent_id, "new_turns_limit": max_turns, **body}
    if api.platform == "embedded":
        return Rehearsed.of(await _followed(api, StreamSimulation.model_validate(asked)))
    # The hosted platform's stream format is not published, and an unreadable rehearsal would be charged nevertheless.
    whole = SimulateConversation.model_validate(asked)
    return Rehearsed.of(await api.send(whole, deadline=SIMULATION_SECONDS))


async def _followed(api: Api, op: StreamSimulation) -> Simulation:
    """Run a streamed rehearsal, with a progress report for each turn."""
    turns: list[Turn] = []
    last = SimulationPart()
    async with aclosing(api.stream(op, deadline=SIMULATION_SECONDS)) as parts:
        async for part in parts:
            turns, last = [*turns, *part.simulated_conversation], part
            if part.simulated_conversation:
                await api.report(f"turn {len(turns)}: {turns[-1].role}")
    if last.analysis is None:
        raise Unreadable("The rehearsal ended without its analysis.")
    # The embedded platform adds the id of the conversation and why it ended to the part with the analysis.
    return Simulation(simulated_conversation=turns, analysis=last.analysis, **(last.model_extra or {}))


TOOLS.tool(title="Describe configuration", words="settings options fields possible set configure parameters")(
    describe_config
)
TOOLS.tool(title="Validate workflow", default=False, words="correct valid check saving prufe")(validate_workflow)
TOOLS.tool(
    GetAgent, title="Explain workflow", default=False, words="draw diagram flow flows picture explain nodes erklare"
)(explain_workflow)


@TOOLS.preview(DeleteAgent)
async def _what_would_go(api: ApiClient, op: DeleteAgent) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    numbers = _numbers(agent)
    loses = f" {', '.join(numbers)} would have no agent to answer." if numbers else ""
    return f"Delete agent {short(agent.name)!r} ({op.agent_id}) for good, with its configuration.{loses}"


@TOOLS.preview(CreateAgent)
async def _what_would_be_made(_: ApiClient, op: CreateAgent) -> str:
    return f"Create agent {short(op.name or 'New agent')!r}."


@TOOLS.preview(UpdateAgent)
async def _what_would_change(api: ApiClient, op: UpdateAgent) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    numbers = _numbers(agent)
    answers = f" It answers {', '.join(numbers)}." if numbers else ""
    return f"Change agent {short(agent.name)!r} ({op.agent_id}): {changed_fields(op)}.{answers}"


@TOOLS.preview(DuplicateAgent)
async def _what_would_be_copied(api: ApiClient, op: DuplicateAgent) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    return f"Copy agent {short(agent.name)!r} ({op.agent_id}), without its phone numbers."


@TOOLS.preview(GetAgentLink)
async def _what_would_be_opened(api: ApiClient, op: GetAgentLink) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    return f"Hand out a key: whoever has it can talk to agent {short(agent.name)!r} ({op.agent_id})."


@TOOLS.preview(StreamSimulation)
@TOOLS.preview(SimulateConversation)
async def _what_would_be_rehearsed(api: ApiClient, op: StreamSimulation | SimulateConversation) -> str:
    agent = await api.send(GetAgent(agent_id=op.agent_id))
    return f"Rehearse agent {short(agent.name)!r} ({op.agent_id}), at most {op.new_turns_limit or 20} turns."


def _numbers(agent: Agent) -> list[str]:
    found: list[Any] = [getattr(number, "phone_number", None) for number in agent.phone_numbers]
    return [str(number) for number in found if number]


_ANSWER_ONLY = ("agent_id", "metadata", "access_info", "phone_numbers")


@undoes(UpdateAgent, reads=GetAgent, sends=UpdateAgent)
def _put_back(past: Past) -> UpdateAgent:
    return UpdateAgent(agent_id=past.target, **past.inverse())


@undoes(DeleteAgent, reads=GetAgent, sends=CreateAgent)
def _made_again(past: Past) -> CreateAgent:
    return CreateAgent.model_validate({k: v for k, v in past.before.items() if k not in _ANSWER_ONLY})
