"""The locks pin all that the graph of dependencies names, in the form in which it names it; nothing else is fetched.

pip in its mode with hashes takes `coverage[toml]` for another requirement than `coverage`: where a lock has only the
second, a newer release of it is enough to make every installation fail.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

from tests.locks import gaps, pins

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE: list[str] = PROJECT["project"]["dependencies"]
EXTRAS: list[str] = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
LOCKS = {
    "requirements.lock": CORE,
    "requirements-extras.lock": [*CORE, *EXTRAS],
    "requirements-dev.lock": [*CORE, *GROUPS["dev"]],
    "requirements-build.lock": GROUPS["build"],
}
OTHERS = sorted([*ROOT.glob("tests/*/requirements-*.txt"), *ROOT.glob("scripts/requirements-*.txt")])
NPM_LOCKS = sorted([*ROOT.glob("*/*/package-lock.json"), *ROOT.glob("tests/*/*/package-lock.json")])


@cache
def requires(name: str) -> Sequence[str] | None:
    try:
        return distribution(name).requires or ()
    except PackageNotFoundError:
        return None


def locked(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_what_the_graph_names_with_the_extras_it_names(name: str) -> None:
    assert gaps(pins(locked(name)), LOCKS[name], requires) == []


def test_an_extra_that_a_lock_leaves_out_is_a_gap() -> None:
    stripped = locked("requirements-dev.lock").replace("coverage[toml]==", "coverage==")
    found = gaps(pins(stripped), LOCKS["requirements-dev.lock"], requires)
    assert found == ["coverage is not pinned with its extras toml"]


def test_a_distribution_that_a_lock_leaves_out_is_a_gap_on_the_system_that_needs_it() -> None:
    without = re.sub(r"^pywin32==.*\n(    --hash.*\n)+", "", locked("requirements.lock"), flags=re.MULTILINE)
    assert gaps(pins(without), CORE, requires) == ["pywin32 is not pinned for win32"]


def test_the_locks_of_one_environment_agree() -> None:
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        for package, pin in pins(locked(name)).items():
            versions.setdefault(package, set()).add(pin.version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("lock", OTHERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_other_lock_of_ours_has_exact_versions_with_hashes(lock: Path) -> None:
    found = pins(lock.read_text(encoding="utf-8"))
    assert found
    assert [name for name, pin in found.items() if not pin.hashes] == []


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: path.parent.name)
def test_packages_of_npm_are_pinned_with_hashes_and_name_no_registry(lock: Path) -> None:
    packages: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    del packages[""]
    assert packages
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    wanted = json.loads(lock.with_name("package.json").read_text(encoding="utf-8"))["dependencies"]
    assert [version for version in wanted.values() if re.search(r"[\^~*]|latest", version)] == []


FETCHING = sorted(
    path
    for path in [*ROOT.glob("scripts/*"), *ROOT.glob("manifests/*"), *ROOT.glob(".ci/*"), ROOT / "README.md"]
    if path.is_file()
)


FETCH = re.compile(r"^[^#\n]*(?:pip|npm|venv_install|in_it\[@\]}\") (?:install|wheel|--\S+ -r) .*$", re.MULTILINE)
PINNED = ("--require-hashes", "--no-deps --no-build-isolation", "--no-deps --no-index")
HANDED_ON = '"$@"'
"""A function that takes the options of its callers, which are looked at themselves."""


@pytest.mark.parametrize("file", FETCHING, ids=lambda path: path.name)
def test_what_fetches_packages_wants_their_hashes(file: Path) -> None:
    commands = [line.strip() for line in FETCH.findall(file.read_text(encoding="utf-8")) if HANDED_ON not in line]
    assert [line for line in commands if not any(words in line for words in PINNED)] == []


def test_a_release_gives_the_container_the_digest_of_its_base_image() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "manifests" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert bases == ["python:3.13-slim${PYTHON_DIGEST:+@${PYTHON_DIGEST}}"] * 2
    assert "PYTHON_DIGEST: ${PYTHON_DIGEST:-}" in (ROOT / "manifests" / "compose.yaml").read_text(encoding="utf-8")
