"""Writes what is generated (surface.json, routes.json, manifests, tables of the README); --check says what is stale."""

import json
import re
import sys
from pathlib import Path

from published import links, manifests

from callwright.engine import routes
from callwright.listing import coverage_table, tool_table
from callwright.settings import settings_table
from callwright.tools.surface import dumps, snap

ROOT = Path(__file__).parents[1]
SURFACE = ROOT / "server" / "callwright" / "surface.json"
ROUTES = ROOT / "server" / "callwright" / "engine" / "routes.json"
README = ROOT / "README.md"


def generated() -> dict[Path, str]:
    entries = snap()
    readme = README.read_text(encoding="utf-8")
    for name, table in {
        "tools": tool_table(entries),
        "links": links(),
        "settings": settings_table(),
        "coverage": coverage_table(entries),
    }.items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)"
        readme, found = re.subn(pattern, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", readme, flags=re.DOTALL)
        if not found:
            raise SystemExit(f"README.md has no place for the table of {name}")
    answered = json.dumps(routes.snap(), indent=1) + "\n"
    return {SURFACE: dumps(entries), ROUTES: answered, README: readme, **manifests(ROOT / "manifests")}


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
