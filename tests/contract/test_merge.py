"""Properties of JSON merge, and of filling in defaults."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.agent.normalise import split_nulls
from callwright.contract.merge import merged, with_defaults

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
KEYS = st.sampled_from("abc")


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(
        leaves, lambda t: st.lists(t, max_size=2) | st.dictionaries(KEYS, t, max_size=3), max_leaves=6
    )
    return st.dictionaries(KEYS, values, max_size=3)


PATCHES = trees(LEAVES)
DOCUMENTS = trees(LEAVES.filter(lambda leaf: leaf is not None))


def nulls(node: Any) -> bool:
    """Whether an object holds null; what stands in a list is a value."""
    return isinstance(node, dict) and any(value is None or nulls(value) for value in node.values())  # pyright: ignore


@given(DOCUMENTS, PATCHES)
def test_a_patch_that_is_applied_twice_changes_nothing_more(document: Any, patch: Any) -> None:
    once = merged(document, patch)
    assert merged(once, patch) == once


@given(PATCHES)
def test_no_null_is_left(patch: Any) -> None:
    assert not nulls(merged({}, patch))


@given(DOCUMENTS, DOCUMENTS)
def test_keys_that_a_patch_does_not_name_stay(document: Any, patch: Any) -> None:
    after = merged(document, patch)
    assert {k: after[k] for k in document.keys() - patch.keys()} == {
        k: document[k] for k in document.keys() - patch.keys()
    }


@given(DOCUMENTS, PATCHES)
def test_nothing_that_was_given_is_changed_in_place(document: Any, patch: Any) -> None:
    before = json.dumps([document, patch])
    merged(document, patch)
    with_defaults(document, patch)
    split_nulls(patch)
    assert json.dumps([document, patch]) == before


@given(DOCUMENTS, DOCUMENTS)
def test_defaults_fill_in_and_change_nothing(document: Any, defaults: Any) -> None:
    complete = with_defaults(document, defaults)
    assert complete.keys() == document.keys() | defaults.keys()
    assert merged(complete, document) == complete
    assert with_defaults(complete, defaults) == complete


@given(PATCHES)
def test_a_patch_and_its_nulls_make_the_patch_again(patch: Any) -> None:
    rest, taken_out = split_nulls(patch)
    assert not nulls(rest)
    for *parents, last in taken_out:
        node = rest
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = None
    assert rest == patch
