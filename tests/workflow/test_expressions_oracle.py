"""Conditions against an evaluator that is written another way: how two values stand to each other, then who says so."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callwright.workflow.expressions import holds

from .test_expressions import Tree, all_of, any_of, is_, number, text, var

pytestmark = pytest.mark.anyio

SAYS: Mapping[str, frozenset[str]] = {
    "eq": frozenset({"same"}),
    "neq": frozenset({"less", "more", "other"}),
    "gt": frozenset({"more"}),
    "lt": frozenset({"less"}),
    "gte": frozenset({"more", "same"}),
    "lte": frozenset({"less", "same"}),
}
"""How the left side may stand to the right for an operator to hold. `other`: they have no order."""


def relation(left: Any, right: Any) -> str:
    """`less`, `same`, `more`, `other`, or `nothing` where a side has no value."""
    if left is None or right is None:
        return "nothing"
    kinds: set[type] = {type(left), type(right)}
    if bool in kinds:
        left, right = truth(left), truth(right)
    elif kinds != {str}:
        left, right = real(left), real(right)
    if left is None or right is None or left != left or right != right:
        return "other"
    return "same" if left == right else "less" if left < right else "more"


def truth(value: Any) -> bool | None:
    spelt = value.strip().lower() if isinstance(value, str) else value
    return True if spelt is True or spelt == "true" else False if spelt is False or spelt == "false" else None


def real(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def worth(tree: Tree, variables: Mapping[str, Any], answers: Mapping[str, bool], asked: list[str]) -> Any:
    """What the tree stands for; every question that had to be asked for it is put down in `asked`."""

    def true(below: Tree) -> bool:
        return truth(worth(below, variables, answers, asked)) is True

    kind: str = tree["type"]
    if kind.endswith("_literal"):
        return tree["value"]
    if kind == "dynamic_variable":
        return variables.get(tree["name"])
    if kind == "llm":
        asked.append(tree["prompt"])
        return answers[tree["prompt"]]
    if kind == "and_operator":
        return bool(tree["children"]) and all(true(child) for child in tree["children"])
    if kind == "or_operator":
        return any(true(child) for child in tree["children"])
    if kind == "xor_operator":
        return None
    left = worth(tree["left"], variables, answers, asked)
    right = worth(tree["right"], variables, answers, asked)
    return relation(left, right) in SAYS[kind.removesuffix("_operator")]


QUESTIONS = ("Angry?", "Loyal?", "Dutch?")
SPELT = st.sampled_from(["", "5", " 5.0", "-1", "true", " FALSE ", "many", "nan", "inf", "2026-03-01"])
NUMBERS = st.one_of(st.integers(-6, 6), st.floats())
VALUES = st.one_of(SPELT, st.text(max_size=4), NUMBERS, st.booleans())
HELD = st.dictionaries(st.sampled_from(["a", "b"]), VALUES)
ANSWERS = st.fixed_dictionaries({words: st.booleans() for words in QUESTIONS})


def literal(value: Any) -> Tree:
    if isinstance(value, bool):
        return {"type": "boolean_literal", "value": value}
    return text(value) if isinstance(value, str) else number(value)


def question(words: str) -> Tree:
    return {"type": "llm", "prompt": words}


NEWER: Tree = {"type": "xor_operator", "children": []}
LEAVES = st.one_of(
    VALUES.map(literal),
    st.sampled_from(["a", "b", "gone"]).map(var),
    st.sampled_from(QUESTIONS).map(question),
    st.just(NEWER),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda children: all_of(*children)),
        st.lists(inner, max_size=4).map(lambda children: any_of(*children)),
        st.builds(is_, st.sampled_from(sorted(SAYS)), inner, inner),
    ),
    max_leaves=12,
)


async def told(tree: Tree, variables: Mapping[str, Any], answers: Mapping[str, bool]) -> tuple[bool, list[str]]:
    """The answer of the product, and what it asked for it."""
    asked: list[str] = []

    async def ask(words: str) -> bool:
        asked.append(words)
        return answers[words]

    return await holds(tree, variables, ask), asked


@given(tree=TREES, variables=HELD, answers=ANSWERS)
@example(tree=is_("eq", text(" FALSE "), literal(False)), variables={}, answers={})
async def test_a_condition_is_what_a_naive_reader_makes_of_it_at_the_price_of_the_same_questions(
    tree: Tree, variables: dict[str, Any], answers: dict[str, bool]
) -> None:
    asked: list[str] = []
    expected = truth(worth(tree, variables, answers, asked)) is True
    assert await told(tree, variables, answers) == (expected, asked)


@given(a=VALUES, b=VALUES, placed=st.booleans())
async def test_equal_and_unequal_are_opposites_and_more_and_less_are_mirrors(a: Any, b: Any, placed: bool) -> None:
    """Of two values that are there, in the tree itself or in variables."""
    left, right = (var("a"), var("b")) if placed else (literal(a), literal(b))

    async def so(operator: str, one: Tree, other: Tree) -> bool:
        return (await told(is_(operator, one, other), {"a": a, "b": b}, {}))[0]

    equal = await so("eq", left, right)
    assert await so("neq", left, right) is not equal
    assert await so("eq", right, left) is equal
    for more, less, tied in (("gt", "lt", False), ("gte", "lte", True)):
        assert await so(more, left, right) is await so(less, right, left)
        if equal:
            assert await so(more, left, right) is tied
    assert await so("gte", left, right) is (await so("gt", left, right) or equal)
