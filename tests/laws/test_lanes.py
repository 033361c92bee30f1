"""The lanes of the suite: each holds something, all of them run in CI, and a page tells of them."""

import re

from tests.lanes import HERE, LANES, PLACES

ROOT = HERE.parent


def test_what_a_lane_names_is_there() -> None:
    assert [place for places in PLACES.values() for place in places if not (HERE / place).exists()] == []


def test_every_lane_runs_in_ci() -> None:
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert re.findall(r"^lane (\w+) scripts/test \1$", run, re.MULTILINE) == list(LANES)


def test_every_lane_is_told_of() -> None:
    told = (ROOT / "docs" / "testing.md").read_text("utf-8")
    assert re.findall(r"^\| `scripts/test (\w+)` \|", told, re.MULTILINE) == [*LANES, "conformance"]
