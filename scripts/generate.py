"""Writes what is generated: packaged tables, manifests, parts of documents. --check says what is stale."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from meanings import meanings
from published import links, manifests

from callwright.commands.tools import coverage_table, tool_table
from callwright.engine.http import routes
from callwright.settings import settings_table
from callwright.surface import Entry, dumps
from callwright.toolkit.lazy_tool import snap

ROOT = Path(__file__).parents[1]
SURFACE = ROOT / "server" / "callwright" / "surface.json"
ROUTES = ROOT / "server" / "callwright" / "engine" / "http" / "routes.json"
MEANINGS = ROOT / "server" / "callwright" / "contract" / "meanings.json"


def _systems(name: str) -> Callable[[list[Entry]], str]:
    """A function of `tests/laws/systems.py`. The table of systems names tests, so it lives beside them."""
    sys.path.insert(0, str(ROOT))
    from tests.laws import systems

    made: Callable[[], str] = getattr(systems, name)
    return lambda _: made()


PARTS: tuple[tuple[str, str, Callable[[list[Entry]], str]], ...] = (
    ("README.md", "links", lambda _: links()),
    ("docs/tools.md", "tools", tool_table),
    ("docs/settings.md", "settings", lambda _: settings_table()),
    ("docs/coverage.md", "coverage", coverage_table),
    ("docs/systems.md", "counts", _systems("counts")),
    ("docs/systems.md", "systems", _systems("systems_table")),
)
"""Generated parts of documents: file, name of the place (`<!-- generated: NAME -->` to `<!-- end -->`), content."""


def documents(entries: list[Entry]) -> dict[Path, str]:
    """The documents with their generated parts replaced. Stops where a document has no place for its part."""
    found: dict[Path, str] = {}
    for file, name, content in PARTS:
        path = ROOT / file
        text = found.get(path) or path.read_text(encoding="utf-8")
        pattern, part = rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", content(entries)
        found[path], places = re.subn(pattern, lambda m, p=part: f"{m[1]}{p}\n{m[2]}", text, flags=re.DOTALL)
        if places != 1:
            raise SystemExit(f"{file} must have one place for the generated part {name!r}, and has {places}")
    return found


def generated() -> dict[Path, str]:
    entries = snap()
    data = {
        SURFACE: dumps(entries),
        ROUTES: json.dumps(routes.snap(), indent=1) + "\n",
        MEANINGS: json.dumps(meanings(), ensure_ascii=False, indent=1) + "\n",
    }
    return {**data, **documents(entries), **manifests(ROOT / "manifests")}


def main() -> int:
    stale = [p for p, text in generated().items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"stale: {path.relative_to(ROOT)}; run scripts/snap\n")
        return int(bool(stale))
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'written' if path in stale else 'current'}: {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
