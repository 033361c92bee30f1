"""The table of sample calls is whole: no sweep that takes its calls from there leaves anything out."""

from callwright.contract import all_operations
from tests.samples import SAMPLES

from .test_surface import SPECS

SEVERAL = {"undo_change"}
"""Tools that send whatever takes a change back, and so belong to no one operation."""


def test_every_operation_has_a_row() -> None:
    assert {op.__name__ for op in all_operations()} - {row.op.__name__ for row in SAMPLES} == set()


def test_every_tool_that_sends_an_operation_has_a_row_with_one_of_its_own() -> None:
    operations = {*all_operations()}
    sending = {name for name, (_, spec) in SPECS.items() if operations.intersection(spec.sends)}
    assert sending - {row.tool for row in SAMPLES} == SEVERAL
    assert [(row.tool, row.op) for row in SAMPLES if row.tool and row.op not in SPECS[row.tool][1].sends] == []


def test_no_operation_has_two_rows_that_say_how_it_is_requested() -> None:
    asked = [row.op for row in SAMPLES if row.request is not None or row.files is not None or row.sdk]
    assert len(asked) == len({*asked})
