"""Searching with a pattern of somebody else: right, and over in time."""

import anyio
import pytest

from callwright.engine.dialogue import patterns
from callwright.engine.dialogue.patterns import LONGEST_TEXT, Undecided, check_pattern, is_found

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^ORD-[0-9]{8}$", "ORD-12345678", True),
        (r"^ORD-[0-9]{8}$", "my ORD-12345678", False),
        (r"ORD", "my ORD-1", True),
        (r"^Müller$", "Müller", True),
        (r"(?i)yes", "YES", True),
        (r"[[a]", "a", True),
    ],
)
async def test_a_pattern_is_found_as_its_author_anchored_it(pattern: str, text: str, found: bool) -> None:
    check_pattern(pattern)
    assert await is_found(pattern, text) is found


async def test_a_catastrophic_pattern_ends_and_the_server_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.5)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await anyio.sleep(0.01)
            beats += 1

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(beat)
            with pytest.raises(Undecided, match="simplify the pattern"):
                await is_found(r"^(a+)+$", "a" * 60 + "b")
            tasks.cancel_scope.cancel()
    assert beats > 5


async def test_a_long_value_is_not_searched() -> None:
    with pytest.raises(Undecided, match="20,001 characters"):
        await is_found("a", "a" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize("pattern", ["(", "a" * 501, "(?<n", r"\1", "a{99999999999999999999}"])
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        check_pattern(pattern)
