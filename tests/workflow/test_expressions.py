"""Conditions that are worked out: what compares with what, and that nothing a variable holds breaks them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.workflow.expressions import holds

pytestmark = pytest.mark.anyio

Tree = dict[str, Any]
YES: Tree = {"type": "boolean_literal", "value": True}
NO: Tree = {"type": "boolean_literal", "value": False}


def text(value: str) -> Tree:
    return {"type": "string_literal", "value": value}


def number(value: float) -> Tree:
    return {"type": "number_literal", "value": value}


def var(name: str) -> Tree:
    return {"type": "dynamic_variable", "name": name}


def is_(operator: str, left: Tree, right: Tree) -> Tree:
    return {"type": f"{operator}_operator", "left": left, "right": right}


def all_of(*children: Tree) -> Tree:
    return {"type": "and_operator", "children": list(children)}


def any_of(*children: Tree) -> Tree:
    return {"type": "or_operator", "children": list(children)}


async def worked_out(tree: Tree, says: bool = False, **variables: Any) -> bool:
    async def ask(_: str) -> bool:
        return says

    return await holds(tree, variables, ask)


HOLDS = {
    "a text that is the same": is_("eq", var("tier"), text("vip")),
    "a text that is another": is_("neq", var("tier"), text("basic")),
    "a number over a number": is_("gte", var("amount"), number(500)),
    "a text that spells a number": is_("lt", number(499.5), var("spelt")),
    "the same number, written otherwise": is_("eq", var("spelt"), number(500)),
    "a truth that is spelt": is_("eq", var("flag"), YES),
    "texts by the alphabet, as dates are": is_("gt", text("2026-03-01"), text("2026-02-28")),
    "a text that is no number": is_("neq", text("many"), number(5)),
    "a variable that is true": var("ready"),
    "every child": all_of(YES, is_("gt", number(2), number(1))),
    "one child": any_of(NO, NO, YES),
    "a comparison of conditions": is_("eq", all_of(YES), any_of(YES)),
}
HOLDS_NOT = {
    "a variable without a value": is_("eq", var("gone"), text("")),
    "even the opposite, without a value": is_("neq", var("gone"), text("vip")),
    "a text over a number": is_("gt", text("many"), number(5)),
    "a text as a truth": var("tier"),
    "one child of two": all_of(YES, NO),
    "no child at all": all_of(),
    "nobody of nobody": any_of(),
    "an operator of a newer platform": {"type": "xor_operator", "children": [YES, NO]},
    "a comparison with one": is_("eq", {"type": "xor_operator"}, NO),
    "the model's no": {"type": "llm", "prompt": "Angry?"},
}
VARIABLES: Tree = {"tier": "vip", "amount": 500, "spelt": "500", "flag": "true", "ready": True}


@pytest.mark.parametrize("case", HOLDS)
async def test_it_holds(case: str) -> None:
    assert await worked_out(HOLDS[case], **VARIABLES)


@pytest.mark.parametrize("case", HOLDS_NOT)
async def test_it_does_not_hold(case: str) -> None:
    assert not await worked_out(HOLDS_NOT[case], **VARIABLES)


async def test_the_model_is_asked_only_where_nothing_else_decides() -> None:
    asked: list[str] = []

    async def ask(question: str) -> bool:
        asked.append(question)
        return True

    angry, loyal = {"type": "llm", "prompt": "Angry?"}, {"type": "llm", "prompt": "Loyal?"}
    assert not await holds(all_of(NO, angry), {}, ask)
    assert await holds(any_of(YES, angry), {}, ask)
    assert asked == []
    assert await holds(all_of(YES, angry, any_of(NO, loyal)), {}, ask)
    assert asked == ["Angry?", "Loyal?"]


_LEAVES = st.one_of(
    st.text(max_size=5).map(text),
    st.floats(allow_nan=True).map(number),
    st.sampled_from([YES, NO]),
    st.sampled_from(["a", "b", "gone"]).map(var),
    st.just({"type": "llm", "prompt": "?"}),
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda children: all_of(*children)),
        st.lists(inner, max_size=3).map(lambda children: any_of(*children)),
        st.builds(is_, st.sampled_from(["eq", "neq", "gt", "lt", "gte", "lte"]), inner, inner),
    ),
    max_leaves=8,
)
_VALUES = st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.booleans())


@given(tree=_TREES, a=_VALUES, b=_VALUES, says=st.booleans())
async def test_whatever_the_variables_hold_there_is_an_answer(tree: Tree, a: Any, b: Any, says: bool) -> None:
    answer = await worked_out(tree, says, a=a, b=b)
    assert answer in (True, False)
    assert await worked_out(all_of(tree, YES), says, a=a, b=b) is answer
    assert await worked_out(any_of(tree, NO), says, a=a, b=b) is answer
