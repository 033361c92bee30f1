"""The contract is the platform's, but for a short table of deliberate differences."""

import random
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from callwright.contract.agents import SimulationPart
from callwright.contract.calls import TelephonyCallConfig
from callwright.contract.common import Wire
from callwright.contract.operation import Operation
from tests.contract.facts import published
from tests.laws.differences import ALLOWED, OPERATIONS, Pairs, all_differences, compare, declarer, models, table

OURS_ALONE = {SimulationPart, TelephonyCallConfig}
"""Models of answers that are published without fields, or not at all."""


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.__name__)
def test_an_operation_is_the_platforms(op: type[Operation[Any]]) -> None:
    assert set(compare(op)) - ALLOWED.keys() == set()


def test_every_published_operation_is_there_and_no_other() -> None:
    assert sorted((op.method, op.path) for op in OPERATIONS) == sorted(published())
    assert len(OPERATIONS) == 85


def test_no_allowance_is_left_over_and_they_are_few() -> None:
    assert all_differences() == ALLOWED.keys()
    assert len(ALLOWED) <= 40


def test_people_can_read_the_differences() -> None:
    lines = table().splitlines()
    assert lines[0] == f"{len(ALLOWED)} deliberate differences in 85 operations"
    assert {line.strip() for line in lines if line.startswith(" ")} == ALLOWED.keys()


def test_every_model_is_compared_but_those_that_are_ours_alone() -> None:
    seen: Pairs = set()
    all_differences(seen)
    assert set(models()) - {model for model, _ in seen} == OURS_ALONE


def test_the_law_sees_each_of_50_fields_that_is_deleted_or_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    having: dict[tuple[str, str], list[type[Wire]]] = {}
    for model in models():
        for name in model.model_fields if model not in OURS_ALONE else ():
            having.setdefault((declarer(model, name), name), []).append(model)
    chosen = random.Random(20261120).sample(sorted(having), 50)
    for turn, (declared_by, name) in enumerate(chosen):
        with monkeypatch.context() as change:
            for model in having[declared_by, name]:
                fields = dict(model.model_fields)
                if turn % 2:
                    del fields[name]
                else:
                    fields[name] = FieldInfo.from_annotation(bytes)
                change.setattr(model, "__pydantic_fields__", fields)
            assert all_differences() != ALLOWED.keys(), f"{declared_by}.{name}"
    assert all_differences() == ALLOWED.keys()


def test_the_law_sees_a_parameter_in_the_wrong_place() -> None:
    class Wrong(Operation[None], method="DELETE", path="/v1/convai/knowledge-base/{documentation_id}"):
        documentation_id: int | None = None

    assert set(compare(Wrong)) == {
        "Wrong.documentation_id: integer != string",
        "Wrong.documentation_id: null allowed by us only",
        "Wrong.documentation_id: required",
        "Wrong.force: missing",
        "Wrong: answers None with 200",
    }
