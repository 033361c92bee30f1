"""The page of systems says "works" only where a test proves it, and otherwise what is missing."""

import pytest

from .systems import MISSING, SYSTEMS, System, faults, partly, places, systems_table, works

PROOF = "test_our_request_is_the_sdks"


def test_every_system_has_a_row_under_its_own_number() -> None:
    assert [row.number for row in SYSTEMS] == [*map(str, range(1, 62)), "X1", "X2", "X3"]
    assert len({row.name for row in SYSTEMS}) == len(SYSTEMS)
    assert len(systems_table().splitlines()) == len(SYSTEMS) + 2


def test_what_works_is_proved_by_a_test_that_exists_and_what_does_not_is_said() -> None:
    assert faults(SYSTEMS) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (System("1", "A", works(), works(PROOF)), "1 embedded: works, and no test proves it"),
        (System("1", "A", works(PROOF), works("test_none")), "1 hosted: no test is called test_none"),
        (System("1", "A", works(PROOF), partly(PROOF)), "1 hosted: partly, and nothing says what is missing"),
        (System("1", "A", MISSING, works(PROOF)), "1 embedded: missing, and nothing says what is missing"),
        (
            System("1", "A", MISSING._replace(tests=(PROOF,)), works(PROOF), "all"),
            "1 embedded: missing, and a test proves it",
        ),
    ],
)
def test_a_row_that_claims_too_much_is_a_fault(row: System, fault: str) -> None:
    assert faults((row,)) == [fault]


def test_a_name_that_several_tests_have_proves_nothing() -> None:
    shared = next(name for name, files in places().items() if len(files) > 1)
    row = System("1", "A", works(shared), works(PROOF))
    assert faults((row,)) == [f"1 embedded: several tests are called {shared}"]
