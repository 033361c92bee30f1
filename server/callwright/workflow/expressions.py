"""Evaluates expression conditions of a workflow: trees of comparisons over dynamic variables.

No value of a variable causes an error: a comparison of incompatible values, or one with a variable without a value,
does not hold.
"""

import operator
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

Value = str | int | float | bool
Variables = Mapping[str, Value]
Expression = Mapping[str, Any]
Ask = Callable[[str], Awaitable[bool]]
"""Whether a language model answers yes to this question about the conversation."""

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq_operator": operator.eq,
    "neq_operator": operator.ne,
    "gt_operator": operator.gt,
    "lt_operator": operator.lt,
    "gte_operator": operator.ge,
    "lte_operator": operator.le,
}


async def holds(expression: Expression, variables: Variables, ask: Ask) -> bool:
    """Whether the expression is true. `and` and `or` stop at the first child that decides: each `ask` costs."""
    kind = str(expression.get("type"))
    if kind in ("and_operator", "or_operator"):
        decides = kind == "or_operator"
        for child in expression.get("children") or ():
            if await holds(child, variables, ask) is decides:
                return decides
        return not decides and bool(expression.get("children"))
    if kind in _ORDER:
        sides = [await _value(expression[side], variables, ask) for side in ("left", "right")]
        return _compared(kind, *sides)
    return _truth(await _value(expression, variables, ask)) is True


def questions_in(expression: Expression | None) -> Iterator[str]:
    """The questions in the expression for a model."""
    if expression and expression.get("type") == "llm":
        yield expression["prompt"]
    for below in _below(expression or {}):
        yield from questions_in(below)


def _below(expression: Expression) -> list[Expression]:
    return [
        *(expression.get("children") or ()),
        *(expression[side] for side in ("left", "right") if side in expression),
    ]


async def _value(expression: Expression, variables: Variables, ask: Ask) -> Value | None:
    """The value of a leaf, or whether a subtree holds; None if a variable has no value."""
    match expression.get("type"):
        case "string_literal" | "number_literal" | "boolean_literal":
            return expression["value"]
        case "dynamic_variable":
            return variables.get(expression["name"])
        case "llm":
            return await ask(expression["prompt"])
        case str() as kind if kind in _ORDER or kind in ("and_operator", "or_operator"):
            return await holds(expression, variables, ask)
        case _:
            return None  # an operator of a newer platform


def _compared(kind: str, left: Value | None, right: Value | None) -> bool:
    """Variables often arrive as text, so a text is compared with a number or a boolean by the value that it spells."""
    if left is None or right is None:
        return False
    for read in (_truth, _number):
        if not (isinstance(left, str) and isinstance(right, str)):
            one, other = read(left), read(right)
            if one is not None and other is not None:
                return _ORDER[kind](one, other)
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[kind](left, right)
    return kind == "neq_operator"  # a text that spells no number is unequal to it


def _truth(value: Value | None) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
