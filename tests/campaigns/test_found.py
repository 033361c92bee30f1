"""Everything that a campaign has found stays mended, and each campaign finds nothing in its short form."""

import json

import pytest

from .campaign import FOUND, NAMES, Json, line, named

pytestmark = pytest.mark.anyio

WAYS: list[Json] = [json.loads(file.read_text("utf-8")) for file in sorted(FOUND.glob("*.json"))]


@pytest.mark.parametrize("found", WAYS, ids=lambda found: found["said"])
async def test_what_was_found_is_mended(found: Json) -> None:
    assert await named(found["campaign"]).replay(found["case"]) == [], found["said"]


@pytest.mark.parametrize("name", NAMES)
async def test_the_short_form_finds_nothing(name: str) -> None:
    module = named(name)
    report = await module.campaign(module.SHORT, 1)
    assert [finding.said for finding in report.findings] == [], line(name, report, 1, 0)
