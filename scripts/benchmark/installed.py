"""What an installation brings, and what importing each layer costs."""

import re
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .rows import Row

PACKAGE = Path(__file__).parents[2] / "server" / "callwright"
MB = 2**20
LAYERS = (
    "contract.agents",
    "net.http",
    "db.database",
    "ledger.ledger",
    "api.client",
    "toolkit.lazy_tool",
    "engine.http.app",
    "app",
)


def install_rows() -> list[Row]:
    """The runtime closure of `callwright` without extras, as this environment's metadata has it."""
    found = _closure("callwright")
    size = sum(_size(dist) for name, dist in found.items() if name != "callwright") + _size_of_tree(PACKAGE)
    biggest = sorted(found, key=lambda name: _size(found[name]), reverse=True)[:3]
    note = ", ".join(f"{name} {_size(found[name]) / MB:.0f}" for name in biggest)
    return [
        Row("packages of the core install", len(found), goal=50),
        Row("size of the core install, no bytecode", size / MB, "MB", goal=100, note=note),
    ]


def import_rows() -> list[Row]:
    """Each layer imported alone, with all that it needs; and how much of that is its own code."""
    return [_imported(layer) for layer in LAYERS]


def _imported(layer: str) -> Row:
    module = f"callwright.{layer}"
    program = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    said = subprocess.run(program, check=True, capture_output=True, text=True).stderr
    lines = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)", said)
    whole = sum(int(total) for _, total, indent, name in lines if not indent and name.startswith("callwright"))
    own = sum(int(own) for own, _, _, name in lines if name.startswith("callwright"))
    return Row(f"import of {module}", whole / 1000, "ms", note=f"own modules {own / 1000:.0f} ms")


def _closure(root: str) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    wanted: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        name, extras = asked = wanted.pop()
        if asked in seen:
            continue
        seen.add(asked)
        found[name] = distribution(name)
        for line in found[name].requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                wanted.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return found


def _size(dist: Distribution) -> int:
    paths = (Path(str(dist.locate_file(file))) for file in dist.files or () if not file.name.endswith(".pyc"))
    return sum(path.stat().st_size for path in paths if path.is_file())


def _size_of_tree(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc")
