"""Chooses the edge that a conversation takes next."""

from collections.abc import Sequence
from typing import Protocol

from .expressions import Variables, holds
from .graph import DirectedEdge


class Judge(Protocol):
    """Decides which conditions hold in the conversation as it stands."""

    async def first_that_holds(self, conditions: Sequence[str]) -> int | None: ...
    async def holds(self, question: str) -> bool: ...


async def choose(
    out: Sequence[DirectedEdge], variables: Variables, judge: Judge | None, *, successful: bool | None, moves_on: bool
) -> DirectedEdge | None:
    """The edge that is taken now; None to stay at the node.

    Certain conditions come before those that need a model: first the result of the tools (`successful`), then
    expressions in their order, then one question about all conditions in words, and last the unconditional edge (if
    `moves_on`).
    """

    async def ask(question: str) -> bool:
        return judge is not None and await judge.holds(question)

    for edge in out:
        if edge.condition["type"] == "result" and edge.condition["successful"] is successful:
            return edge
    for edge in out:
        if edge.condition["type"] == "expression" and await holds(edge.condition["expression"], variables, ask):
            return edge
    judged = [edge for edge in out if edge.condition["type"] == "llm"]
    if judged and judge is not None:
        number = await judge.first_that_holds([edge.condition["condition"] for edge in judged])
        if number is not None:
            return judged[number]
    unconditional = (edge for edge in out if edge.condition["type"] == "unconditional")
    return next(unconditional, None) if moves_on else None
