"""What is examined, and how a program's output becomes a verdict."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import toolchain
from .serve import Kind

EXPECTED = Path(__file__).parent / "expected-failures.yml"
OLD, NEW = "0.1.16", "0.2.0-alpha.12"
LEGACY = ("2025-06-18", "2025-11-25")
MODERN = "2026-07-28"

GENERIC = {
    "server-initialize": LEGACY,
    "server-session-lifecycle": LEGACY,
    "ping": LEGACY,
    "tools-list": (*LEGACY, MODERN),
    "resources-list": (*LEGACY, MODERN),
    "prompts-list": (*LEGACY, MODERN),
    "server-sse-multiple-streams": ("2025-11-25", MODERN),
    "dns-rebinding-protection": ("2025-11-25", MODERN),
    "sep-2164-resource-not-found": (MODERN,),
    "caching": (MODERN,),
    "http-header-validation": (MODERN,),
    "input-required-result-unsupported-methods": (MODERN,),
}
"""Scenarios that want nothing in particular of a server, and the revisions that they are about."""

EXTENSIONS = ("sep-2640-skills-enumeration", "sep-2640-skills-manifest", "sep-2640-skills-directory")
"""Scenarios of extensions, which have versions of their own."""

TASKS = (
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
)
"""Likewise, with fixtures. tasks-status-notifications only says that it is not written yet."""

OF_SESSIONS = ("server-session-lifecycle", "server-sse-multiple-streams")
"""Of these, what the older revisions mean by a session; a server that keeps none has nothing to show."""


@dataclass(frozen=True)
class Run:
    """One program against one server."""

    what: str
    command: tuple[str, ...]
    """`URL` stands for the server's."""
    server: Kind = "plain"
    lint: bool = False


@dataclass(frozen=True)
class Verdict:
    run: Run
    checks: int
    faults: list[str]


def runs() -> Iterator[Run]:
    """Everything, the longest first."""
    for version in (MODERN, *LEGACY):
        suite = _suite(NEW, "--suite", "all", "--spec-version", version)
        yield Run(f"{NEW} at {version}, all, with fixtures", suite, "fixtures")
    yield Run(f"{OLD}, all, with fixtures", _suite(OLD, "--suite", "all"), "fixtures")
    for scenario, versions in GENERIC.items():
        for version in versions:
            suite = _suite(NEW, "--scenario", scenario, "--spec-version", version)
            yield Run(f"{NEW} at {version}, {scenario}", suite)
            if version == MODERN or scenario not in OF_SESSIONS:
                yield Run(f"{NEW} at {version}, {scenario}, stateless", suite, "stateless")
            yield Run(f"{NEW} at {version}, {scenario}, JSON answers", suite, "json")
    for scenario in EXTENSIONS:
        yield Run(f"{NEW}, {scenario}", _suite(NEW, "--scenario", scenario))
    for scenario in TASKS:
        yield Run(f"{NEW}, {scenario}", _suite(NEW, "--scenario", scenario), "fixtures")
    for era in ("legacy", "modern"):
        for query in ("", "?toolsets=all"):
            lint = (*toolchain.inspector(), f"URL{query}", "--protocol-era", era, "--method", "tools/list", "--strict")
            yield Run(f"inspector --strict, {era}, /mcp{query}", lint, lint=True)


def _suite(version: str, *arguments: str) -> tuple[str, ...]:
    return (*toolchain.suite(version), "server", "--url", "URL", "--expected-failures", str(EXPECTED), *arguments)


def judged(run: Run, status: int, output: str, errors: str) -> Verdict:
    """A run is good if its program says so, and says of every scenario that something was checked."""
    faults = [] if status == 0 else [f"exit status {status}", *output.splitlines()[-40:]]
    if run.lint:
        tools = len(re.findall(r'"inputSchema":', output))
        return Verdict(run, tools, [*faults, *errors.splitlines(), *([] if tools else ["no tools were listed"])])
    found = re.findall(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", output, re.MULTILINE)
    excused = re.findall(r"^  - (\S+)", EXPECTED.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        found = [(run.what, *each) for each in re.findall(r"^Passed: (\d+)/\d+, (\d+) failed", output, re.MULTILINE)]
    faults += [f"{name}: {failed} failed" for name, _, failed in found if failed != "0"]
    faults += [f"{name}: nothing was checked" for name, passed, _ in found if passed == "0" and name not in excused]
    return Verdict(run, sum(int(passed) for _, passed, _ in found), faults if found else ["no verdict", *faults])
