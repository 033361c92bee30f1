"""Tools to validate the workflow of an agent before it is saved, and to explain where it leads."""

from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field, ValidationError

from ..contract.agent.workflow import Workflow
from ..contract.agents import Agent, GetAgent
from ..contract.common import AgentId
from ..contract.merge import Json
from ..replies.text import short
from ..replies.views import View
from ..toolkit.toolset import PlatformApi
from ..workflow.graph import DirectedEdge, directed_edges, read_workflow
from ..workflow.problems import graph_problems, unreachable
from ..workflow.trying import tried
from ..workflow.wording import described, in_words, mermaid

LONGEST_DRAWING = 8_000
"""Maximum characters of a drawing."""


class Checked(View):
    valid: bool
    problems: list[str] = []
    notes: list[str] = []


class Explained(View):
    nodes: list[str]
    """Each with the edges out of it, in the order in which they are tried."""
    mermaid: str | None = None
    path: list[str]
    """Where a conversation goes in which what was given holds."""
    stays_at: str
    notes: list[str] = []


async def validate_workflow(
    workflow: Annotated[Json, Field(description="nodes and edges: describe_config, path workflow.")],
) -> Checked:
    """Find every problem of a workflow at once, before it is saved with an agent. Changes nothing."""
    try:
        shaped = Workflow.model_validate(workflow)
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors()]
        return Checked(valid=False, problems=[short(problem, 300) for problem in problems[:50]])
    whole = shaped.model_dump(mode="json", by_alias=True, exclude_unset=True)
    problems = [f"{'.'.join(map(str, problem['loc'][2:]))}: {problem['msg']}" for problem in graph_problems(whole)]
    notes = ["Whether its agents, tools and documents exist is checked when it is saved."]
    if lost := unreachable(whole):
        notes.append(f"No conversation gets to: {', '.join(map(short, lost[:20]))}.")
    return Checked(valid=not problems, problems=[short(problem, 300) for problem in problems[:50]], notes=notes)


async def explain_workflow(
    api: PlatformApi,
    agent_id: Annotated[AgentId, Field(description="From list_agents.")],
    holds: Annotated[
        list[str] | None, Field(max_length=50, description="Edges whose condition, in words, is met.")
    ] = None,
    variables: Annotated[Json | None, Field(description="Dynamic variables by name.")] = None,
    tools_succeed: Annotated[bool, Field(description="False: its tools fail.")] = True,
) -> Explained:
    """Show an agent's workflow in words and as a Mermaid drawing, and where it leads if these conditions hold."""
    agent = await api.send(GetAgent(agent_id=agent_id))
    whole = agent.workflow.model_dump(mode="json", by_alias=True, exclude_unset=True) if agent.workflow else {}
    flow = read_workflow(whole)
    if flow is None:
        raise ToolError(f"Agent {short(agent.name)!r} has no workflow: it follows its prompt alone.")
    if strange := sorted(set(holds or ()) - set(flow.edges)):
        known = ", ".join(map(short, flow.edges))
        raise ToolError(f"holds names no edge {short(strange[0])!r}. Edges: {known}.")
    given = {**_placeholders(agent), **(variables or {})}
    path = await tried(flow, given, holds or [], tools_succeed=tools_succeed)
    drawing = mermaid(flow, list(directed_edges(flow.edges)))
    fits = len(drawing) <= LONGEST_DRAWING
    lost = unreachable(whole)
    return Explained(
        nodes=[_node(id_, described(flow, id_), flow.edges_from(id_)) for id_ in flow.nodes],
        mermaid=drawing if fits else None,
        path=[_way(edge) for edge in path],
        stays_at=path[-1].target if path else flow.start or "",
        notes=[
            *([] if fits else [f"The drawing would have {len(drawing):,} characters and is left out."]),
            *([f"No conversation gets to: {', '.join(map(short, lost[:20]))}."] if lost else []),
        ],
    )


def _node(id_: str, what: str, out: list[DirectedEdge]) -> str:
    leads = "; ".join(f"{short(edge.edge_id)} to {short(edge.target)}, {in_words(edge.condition)}" for edge in out)
    return short(f"{short(id_)}: {what}. {leads or 'Nothing leads on.'}", 600)


def _way(edge: DirectedEdge) -> str:
    return short(f"{edge.source} -> {edge.target} ({edge.edge_id}: {in_words(edge.condition)})", 300)


def _placeholders(agent: Agent) -> Json:
    return dict(agent.conversation_config.agent.dynamic_variables.dynamic_variable_placeholders)
