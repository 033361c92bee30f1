"""What a campaign is: so many attacks from one seed, counted, and of each thing that it found the smallest way there.

A campaign is a module with `SHORT` and `LONG` (how many attacks its two forms make), `campaign` and `replay`. All that
is chosen at random comes from the seed, so that the same numbers make the same attacks.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

Json = dict[str, Any]
T = TypeVar("T")

NAMES = ("obedient", "canaries", "tools", "protocol", "faults", "kills", "tenants", "addresses", "parsers", "mutants")
"""In the order of their worth."""
FOUND = Path(__file__).with_name("found")
"""Where the smallest way to each finding is kept; `test_found.py` goes all of them again."""


@dataclass(frozen=True)
class Finding:
    said: str
    """What was wrong, in one sentence."""
    case: Json
    """What `replay` needs to go there again."""


@dataclass
class Report:
    counts: Counter[str] = field(default_factory=Counter[str])
    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])
    """What is worth reading, and no finding."""


class Campaign(Protocol):
    """A module of a campaign."""

    __doc__: str | None
    SHORT: int
    LONG: int

    async def campaign(self, count: int, seed: int) -> Report: ...

    async def replay(self, case: Json) -> list[str]:
        """What is wrong today on the way that a finding took; empty where it was mended."""
        ...


def named(name: str) -> Campaign:
    return cast(Campaign, import_module(f"tests.campaigns.{name}"))


def line(name: str, report: Report, seed: int, seconds: float) -> str:
    """The one line that a run prints."""
    counted = ", ".join(f"{number:,} {what}" for what, number in report.counts.items())
    return f"{name}: {len(report.findings)} findings; {counted}; seed {seed}, {seconds:.0f} s"


def keep(name: str, finding: Finding) -> Path:
    """Store the way to a finding, once however often it is found."""
    text = json.dumps({"campaign": name, "said": finding.said, "case": finding.case}, indent=1, ensure_ascii=True)
    mark = hashlib.sha256(json.dumps(finding.case, sort_keys=True).encode()).hexdigest()[:8]
    file = FOUND / f"{name}-{mark}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{text}\n", "utf-8")
    return file


async def smallest(steps: Sequence[T], fails: Callable[[list[T]], Awaitable[bool]]) -> list[T]:
    """The fewest of these steps, in their order, that still fail: halves are left out, then quarters, then single ones."""
    left, size = list(steps), max(1, len(steps) // 2)
    while True:
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            if fewer and await fails(fewer):
                left = fewer
                break
        else:
            if size == 1:
                return left
            size //= 2
