"""Lock files against the graph of dependencies, as the metadata of installed distributions has it."""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVIRONMENTS: tuple[dict[str, Any], ...] = tuple(
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": sys_platform,
        "platform_system": system,
        "os_name": os_name,
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for version in ("3.11", "3.12", "3.13", "3.14")
    for sys_platform, system, os_name, machine in (
        ("linux", "Linux", "posix", "x86_64"),
        ("darwin", "Darwin", "posix", "arm64"),
        ("win32", "Windows", "nt", "AMD64"),
    )
)
"""The supported systems and versions of Python, as markers of requirements see them."""

Requires = Callable[[str], Iterable[str] | None]
"""Of a distribution, what its metadata requires; None where it is not installed here."""


@cache
def _parsed(line: str) -> Requirement:
    return Requirement(line)


@cache
def _true(marker: Marker | None, number: int, extra: str = "") -> bool:
    """Whether a marker holds in the environment of this number. Kept, because packaging takes long to find it out."""
    return marker is None or marker.evaluate({**ENVIRONMENTS[number], "extra": extra})


@dataclass(frozen=True)
class Pin:
    """One entry of a lock."""

    version: str
    extras: frozenset[str]
    marker: Marker | None
    hashes: tuple[str, ...]


def pins(text: str) -> dict[str, Pin]:
    """The entries of a lock by canonical name. Raises ValueError where a line is none, or a version is not exact."""
    found: dict[str, Pin] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        said, *hashes = re.split(r"\s+--hash=", entry.strip())
        requirement = Requirement(said)
        [specifier] = requirement.specifier
        if specifier.operator != "==":
            raise ValueError(f"{said!r} is not exact")
        name = canonicalize_name(requirement.name)
        pin = Pin(specifier.version, frozenset(requirement.extras), requirement.marker, tuple(hashes))
        if name in found:
            raise ValueError(f"{name} is pinned twice")
        found[name] = pin
    return found


@dataclass
class Need:
    """What the graph wants of one distribution in one environment."""

    extras: set[str] = field(default_factory=set[str])
    specifiers: set[str] = field(default_factory=set[str])


def needs(roots: Iterable[str], requires: Requires, environment: int) -> dict[str, Need]:
    """Every distribution that the requirements `roots` bring in the environment of this number."""
    found: dict[str, Need] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [asked for asked in map(_parsed, roots) if _true(asked.marker, environment)]
    while left:
        asked = left.pop()
        name = canonicalize_name(asked.name)
        need = found.setdefault(name, Need())
        need.extras |= asked.extras
        need.specifiers.add(str(asked.specifier))
        key = name, frozenset(asked.extras)
        if key not in seen:
            seen.add(key)
            below = map(_parsed, requires(name) or ())
            left += [r for r in below if any(_true(r.marker, environment, extra) for extra in ("", *asked.extras))]
    return found


def gaps(lock: Mapping[str, Pin], roots: Iterable[str], requires: Requires) -> list[str]:
    """What keeps pip from installing `roots` from this lock with hashes alone, or what is in it for nothing."""
    roots, found, reached = list(roots), dict[str, None](), set[str]()
    for number, environment in enumerate(ENVIRONMENTS):
        needed = needs(roots, requires, number)
        reached |= needed.keys()
        for name, need in needed.items():
            pin = lock.get(name)
            if pin is None or not _true(pin.marker, number):
                found[f"{name} is not pinned for {environment['sys_platform']}"] = None
                continue
            if lacking := {canonicalize_name(extra) for extra in need.extras - pin.extras}:
                found[f"{name} is not pinned with its extras {', '.join(sorted(lacking))}"] = None
            for specifier in need.specifiers:
                if not Requirement(f"{name}{specifier}").specifier.contains(pin.version, prereleases=True):
                    found[f"{name} {pin.version} is not {specifier}"] = None
    for name, pin in lock.items():
        if not pin.hashes:
            found[f"{name} has no hash"] = None
        if name not in reached and any(_true(pin.marker, number) for number in range(len(ENVIRONMENTS))):
            found[f"{name} is pinned, and nothing needs it"] = None
    return sorted(found)


_METADATA = "import json; from importlib.metadata import distributions as d; print(json.dumps([(x.name, x.requires) for x in d()]))"


def gaps_in(python: Path, lock: Path, roots: Iterable[str]) -> list[str]:
    """The same for an environment beside ours, by the metadata that its own interpreter finds."""
    said = subprocess.run([python, "-c", _METADATA], check=True, capture_output=True, text=True).stdout
    installed: dict[str, list[str]] = {canonicalize_name(name): lines or [] for name, lines in json.loads(said)}
    return gaps(pins(lock.read_text(encoding="utf-8")), roots, installed.get)
