"""Dry-runs a workflow without a conversation: the path that it takes under assumed conditions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .choosing import choose
from .expressions import Variables, questions_in
from .graph import MOST_STEPS, DirectedEdge, Workflow, directed_edges


@dataclass
class Assumed:
    """A judge with predefined answers. Each condition holds once, so that the path cannot loop."""

    conditions: list[str]
    questions: Collection[str]

    async def first_that_holds(self, conditions: Sequence[str]) -> int | None:
        found = next((place for place, condition in enumerate(conditions) if condition in self.conditions), None)
        if found is not None:
            self.conditions.remove(conditions[found])
        return found

    async def holds(self, question: str) -> bool:
        return question in self.questions


async def tried(
    flow: Workflow, variables: Variables, holding: Collection[str], *, tools_succeed: bool
) -> list[DirectedEdge]:
    """The edges that are taken, one user turn after the other, until the conversation stays at a node.

    `holding`: the edges whose model-judged conditions are assumed to hold.
    """
    assumed = [edge.condition for edge in directed_edges(flow.edges) if edge.edge_id in holding]
    texts = [condition["condition"] for condition in assumed if condition["type"] == "llm"]
    judge = Assumed(texts, {said for condition in assumed for said in questions_in(condition.get("expression"))})
    here, taken, spoke = flow.start or "", list[DirectedEdge](), False
    while len(taken) < MOST_STEPS and not flow.kind(here).last:
        kind = flow.kind(here)
        successful = tools_succeed if kind.runs_tools else None
        out = flow.edges_from(here)
        edge = await choose(out, variables, judge, successful=successful, moves_on=spoke or kind.moves_on)
        if edge is not None:
            here, spoke = edge.target, False
            taken.append(edge)
        elif spoke or kind.moves_on:
            break
        else:
            spoke = True  # the agent speaks, then the user answers
    return taken
