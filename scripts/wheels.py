"""Whether every locked package has a wheel for the systems that most users have: no compiler is at hand there.

`python -m scripts.wheels [SYSTEM ...]` resolves program, extras and what builds the project for each system, with the
hashes of the locks, and fails with a list of what has no wheel. Nothing is installed.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements-extras.lock", "requirements-build.lock")
PYTHON = "3.11"
SYSTEMS: dict[str, dict[str, str]] = {
    "win_amd64": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    "macosx_11_0_arm64": {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "os_name": "posix",
        "platform_machine": "arm64",
    },
}
"""By the tag of its wheels: what the markers of a requirement find there."""
WITHOUT_WHEEL: dict[tuple[str, str], str] = {}
"""System and package: why it may lack a wheel, and what its user does instead."""

_NONE_FOUND = re.compile(r"No matching distribution found for ([^\s=\[]+)")


def locked(text: str) -> dict[str, str]:
    """The entries of a lock, each whole with its hashes, by its first line without the continuation."""
    entries = re.findall(r"^(\S.*?)((?: \\\n    --hash=\S+)+)$", text, re.MULTILINE)
    return {requirement: requirement.partition(";")[0].strip() + hashes for requirement, hashes in entries}


def needed_on(system: str) -> dict[str, str]:
    """What the locks ask for on a system: entries without markers, by package. pip would evaluate those for its own."""
    version = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    environment: dict[str, Any] = {**version, **cpython, **SYSTEMS[system]}
    found: dict[str, str] = {}
    for lock in LOCKS:
        for line, entry in locked((ROOT / lock).read_text(encoding="utf-8")).items():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                found[requirement.name] = entry
    return found


def without_wheel(system: str, wanted: dict[str, str]) -> list[str]:
    """The packages that have none. Raises SystemExit where pip fails for another reason."""
    left, lacking = dict(wanted), list[str]()
    while said := _refused(system, left):
        match = _NONE_FOUND.search(said)
        if match is None or match[1] not in left:
            sys.exit(said)
        lacking.append(match[1])
        del left[match[1]]
    return lacking


def _refused(system: str, wanted: dict[str, str]) -> str:
    """What pip says against it; empty where it would install all of it."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "requirements.txt"
        file.write_text("\n".join(wanted.values()) + "\n", encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", f"{place}/target"),
            *("--platform", system, "--python-version", PYTHON, "--implementation", "cp", "-r", str(file)),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.stderr if done.returncode else ""


def main(systems: list[str]) -> int:
    failed = False
    for system in systems or SYSTEMS:
        began, wanted = time.monotonic(), needed_on(system)
        lacking = without_wheel(system, wanted)
        allowed = {name for known, name in WITHOUT_WHEEL if known == system}
        for name in sorted(set(lacking) - allowed):
            print(f"wheels: {name} has none for {system}, and WITHOUT_WHEEL in scripts/wheels.py has no reason for it")
        for name in sorted(allowed - set(lacking)):
            print(f"wheels: {name} has one for {system} now: take it out of WITHOUT_WHEEL in scripts/wheels.py")
        failed |= set(lacking) != allowed
        seconds = time.monotonic() - began
        print(f"wheels: {len(wanted) - len(lacking)} of {len(wanted)} packages have one for {system} ({seconds:.0f} s)")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
