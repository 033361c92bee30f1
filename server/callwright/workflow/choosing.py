"""Which way is taken now."""

from collections.abc import Sequence
from typing import Protocol

from .expressions import Variables, holds
from .graph import Way


class Judge(Protocol):
    """Whoever knows what is true of the conversation as it stands."""

    async def first_that_holds(self, conditions: Sequence[str]) -> int | None: ...
    async def holds(self, question: str) -> bool: ...


async def choose(
    out: Sequence[Way], variables: Variables, judge: Judge | None, *, successful: bool | None, moves_on: bool
) -> Way | None:
    """The way that is taken now; None to stay.

    What is certain comes before what a model has to find: the result of the tools (`successful`), then expressions in
    their order, then one question about all conditions in words, and what is unconditional (if `moves_on`) last.
    """

    async def ask(question: str) -> bool:
        return judge is not None and await judge.holds(question)

    for way in out:
        if way.condition["type"] == "result" and way.condition["successful"] is successful:
            return way
    for way in out:
        if way.condition["type"] == "expression" and await holds(way.condition["expression"], variables, ask):
            return way
    judged = [way for way in out if way.condition["type"] == "llm"]
    if judged and judge is not None:
        number = await judge.first_that_holds([way.condition["condition"] for way in judged])
        if number is not None:
            return judged[number]
    unconditional = (way for way in out if way.condition["type"] == "unconditional")
    return next(unconditional, None) if moves_on else None
