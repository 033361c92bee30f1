"""Expected values of tool call arguments, in tests and in the conditions of mocks."""

from ...contract.merge import JsonView
from .judge import Judge, Judgement
from .offline import NO_LLM
from .paths import MISSING, as_text
from .patterns import Undecided, is_found


async def judged(expected: JsonView, value: object, judge: Judge | None) -> Judgement:
    """`value` may be MISSING. Without a judge, an expectation that only a model can check is unknown."""
    if value is MISSING:
        return Judgement("failure", "There is no such argument.")
    match expected.get("type"):
        case "anything":
            return Judgement("success", "There is a value.")
        case "exact":
            right, wanted = as_text(value) == expected["expected_value"], f"{expected['expected_value']!r:.200}"
            return Judgement("success", "As expected.") if right else _not(value, f"expected {wanted}")
        case "regex":
            try:
                right = await is_found(expected["pattern"], as_text(value))
            except Undecided as why:
                return Judgement("unknown", str(why))
            return Judgement("success", "It matches.") if right else _not(value, "the pattern is not found in it")
        case "llm":
            if judge is None:
                return Judgement("unknown", f"Not judged: {NO_LLM}.")
            return await judge.value(expected["description"], value)
        case other:
            return Judgement("unknown", f"This platform knows no check of the type {other!r}.")


def _not(value: object, why: str) -> Judgement:
    return Judgement("failure", f"It is {as_text(value)!r:.200}; {why}.")
