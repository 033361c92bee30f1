"""A run that shows nothing is no run that passed."""

import pytest

from .runs import Run, judged

SUITE, LINT = Run("suite", ()), Run("lint", (), lint=True)
GOOD = "=== SUMMARY ===\n✓ ping: 2 passed, 0 failed\n✓ tools-list: 3 passed, 0 failed\n"


def test_checks_of_all_scenarios_are_counted() -> None:
    assert (judged(SUITE, 0, GOOD, "").checks, judged(SUITE, 0, GOOD, "").faults) == (5, [])
    one = judged(SUITE, 0, "Test Results:\nPassed: 3/3, 0 failed, 0 warnings\n", "")
    assert (one.checks, one.faults) == (3, [])


@pytest.mark.parametrize(
    ("status", "output", "fault"),
    [
        (1, GOOD, "exit status 1"),
        (0, "", "no verdict"),
        (0, GOOD + "✗ caching: 6 passed, 1 failed\n", "caching: 1 failed"),
        (0, GOOD + "✓ caching: 0 passed, 0 failed\n", "caching: nothing was checked"),
        (0, "Passed: 0/0, 0 failed, 0 warnings\n", "suite: nothing was checked"),
    ],
)
def test_what_is_not_plainly_good_is_a_fault(status: int, output: str, fault: str) -> None:
    assert fault in judged(SUITE, status, output, "").faults


def test_a_scenario_that_the_file_excuses_may_check_nothing() -> None:
    assert judged(SUITE, 0, GOOD + "✓ server-sse-polling: 0 passed, 0 failed\n", "").faults == []


def test_the_lint_passes_only_in_silence_and_with_tools() -> None:
    listed = '{"tools": [{"name": "a", "inputSchema": {}}]}'
    assert judged(LINT, 0, listed, "").faults == []
    assert judged(LINT, 0, listed, "a: empty schema").faults == ["a: empty schema"]
    assert judged(LINT, 0, '{"tools": []}', "").faults == ["no tools were listed"]
    assert "exit status 6" in judged(LINT, 6, listed, "").faults
