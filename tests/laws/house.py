"""Rooms and arrows of the program, and what the drawing in docs/architecture.md allows. `python -m tests.laws.house`."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.laws.test_unused import running

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "server" / "callwright"
DRAWING = ROOT / "docs" / "architecture.md"
LARGE, SMALL = 400, 25
"""Lines of a file at which somebody should look whether it is one thing, and whether it is a thing at all."""

Graph = Mapping[str, set[str]]


def floors(block: str) -> list[list[str]]:
    """The rooms of each floor, from the top, as the block of this name in the drawing says."""
    found = re.search(rf"^```{block}\n(.*?)^```", DRAWING.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{DRAWING.name} has no block named {block}"
    return [re.split(r"\s{2,}", line, maxsplit=1)[0].split() for line in found[1].splitlines()]


@cache
def floor_of(block: str) -> dict[str, int]:
    """Room -> number of its floor; the top one is 0."""
    return {room: number for number, rooms in enumerate(floors(block)) for room in rooms}


@cache
def modules() -> dict[str, Path]:
    """Files by dotted name, from the package on: `tools.agents`."""
    found: dict[str, Path] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imported(module: str) -> Iterator[str]:
    """Modules of ours that a module imports at any time; what only type checkers read does not count."""
    file, known = modules()[module], modules()
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in running(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*package[: len(package) - node.level + 1], *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                deeper = f"{base}.{alias.name}".strip(".")
                yield deeper if deeper in known else base


@cache
def arrows() -> Graph:
    """Module -> modules that it imports."""
    return {module: {other for other in imported(module) if other not in ("", module)} for module in modules()}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def engine_room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def between_rooms() -> Graph:
    return _joined(room_of, (m for m in modules() if m))


def inside_the_engine() -> Graph:
    return _joined(engine_room_of, (m for m in modules() if m.startswith("engine.")))


def _joined(room_of: Callable[[str], str], some: Iterable[str]) -> Graph:
    members, found = set(some), defaultdict[str, set[str]](set)
    for module in members:
        found[room_of(module)] |= {room_of(other) for other in arrows()[module] if other in members}
    return {room: others - {room} for room, others in found.items()}


def upward(graph: Graph, floor: Mapping[str, int]) -> list[str]:
    """Arrows that do not point to a floor below."""
    return sorted(
        f"{room} -> {other}" for room, others in graph.items() for other in others if floor[other] <= floor[room]
    )


def circles(graph: Graph) -> list[list[str]]:
    """Sets of nodes of which each reaches each other one."""
    reach: dict[str, set[str]] = {node: set(others) for node, others in graph.items()}
    grown = True
    while grown:
        grown = False
        for known in reach.values():
            farther = set[str]().union(*(reach.get(other, set()) for other in known)) - known
            grown |= bool(farther)
            known.update(farther)
    found = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in reach if a in reach[a]}
    return sorted(sorted(circle) for circle in found)


def main() -> None:
    write = sys.stdout.write
    for name, graph, floor in (
        ("house", between_rooms(), floor_of("floors")),
        ("engine", inside_the_engine(), floor_of("engine")),
    ):
        files = defaultdict[str, int](int)
        for module in modules():
            if name == "house" or module.startswith("engine."):
                files[room_of(module) if name == "house" else engine_room_of(module)] += 1
        write(f"{name}: {len(graph)} rooms, {sum(map(len, graph.values()))} arrows\n")
        for room in sorted(graph, key=lambda room: (floor[room], room)):
            write(f"  {room} ({files[room]}) -> {' '.join(sorted(graph[room])) or '-'}\n")
        write(f"  upward: {', '.join(upward(graph, floor)) or 'none'}\n")
        write(f"  circles: {circles(graph) or 'none'}\n")
    write(f"circles between modules: {circles(arrows()) or 'none'}\n")
    sizes = sorted((len(file.read_text(encoding="utf-8").splitlines()), module) for module, file in modules().items())
    write(f"over {LARGE} lines: {_named(s for s in sizes if s[0] > LARGE)}\n")
    write(
        f"under {SMALL} lines: {_named(s for s in sizes if s[0] < SMALL and modules()[s[1]].name != '__init__.py')}\n"
    )


def _named(sizes: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{module} {lines}" for lines, module in sizes) or "none"


if __name__ == "__main__":
    main()
