"""Every module is reached from a command, and every dependency is imported by something, or stands here with a reason."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "server" / "callwright"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: list[str] = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]

STARTS = ("callwright.__main__", "callwright.cli")
"""What `python -m callwright` and the command `callwright` run."""

UNNAMED = {
    "python-multipart": "starlette reads forms with it, and is told to by no import of ours",
    "wsproto": "uvicorn and httpx2 speak WebSockets with it, by its name",
    "psycopg": "SQLAlchemy loads the driver that the database's URL names",
}
"""Dependencies of the program that no module of it imports, and why they are needed."""

BY_NAME = {
    "pytest-cov": "a plugin of pytest, asked for by its options",
    "pytest-xdist": "a plugin of pytest, asked for by the options of scripts/test",
    "ruff": "a program that scripts/check and scripts/fix run",
    "pyright": "a program that scripts/check runs",
    "hatchling": "builds the project, as pyproject.toml says",
    "editables": "hatchling asks for it",
}
"""The same for what the checks and the build need."""


@cache
def modules() -> dict[str, Path]:
    """The files of the program by dotted name."""
    found: dict[str, Path] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def running(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below, without what only type checkers read."""
    left = [node]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            if not (
                isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
            ):
                yield child
                left.append(child)


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """What a module may import, by dotted name: of `from a import b` both `a` and `a.b`."""
    for node in running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def leads_to(name: str, file: Path) -> frozenset[str]:
    """The modules that a module of ours leads to: what it imports or names, and the package around it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return frozenset([package, *imports(tree, package), *named(tree, package)])


def named(tree: ast.AST, package: str) -> Iterator[str]:
    """Modules that stand in a table: by dotted name, or below a package where the file imports by name."""
    nodes = list(ast.walk(tree))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    yield from (text for text in texts if text.startswith("callwright."))
    if any(isinstance(node, ast.Name) and node.id == "import_module" for node in nodes):
        places = {package + ".", *(text for text in texts if text.startswith("callwright.") and text.endswith("."))}
        yield from (place + text for place in places for text in texts if text.isidentifier())


def reached(starts: Iterable[str], found: dict[str, Path]) -> set[str]:
    """The modules among `found` that these, and what they lead to, lead to."""
    seen: set[str] = set()
    left = list(starts)
    while left:
        name = left.pop()
        if name not in found or name in seen:
            continue
        seen.add(name)
        left += leads_to(name, found[name])
    return seen


@cache
def packages_in(folder: Path) -> set[str]:
    """The packages that the files below this folder import, ours included."""
    files = (file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))
    return {name.split(".")[0] for text in files for name in imports(ast.parse(text), "")}


def imported_by(folders: Iterable[Path]) -> set[str]:
    """Distributions whose modules the files below these folders import, by canonical name."""
    owners = packages_distributions()
    names = {name for folder in folders for name in packages_in(folder)}
    return {str(canonicalize_name(owner)) for name in names for owner in owners.get(name, ())}


def unused(dependencies: Iterable[str], found: set[str]) -> set[str]:
    return {str(canonicalize_name(Requirement(line).name)) for line in dependencies} - found


def test_every_module_is_reached_from_a_command() -> None:
    assert sorted(modules().keys() - reached(STARTS, modules())) == []


def test_a_module_that_nothing_imports_is_found(tmp_path: Path) -> None:
    left_over = tmp_path / "left_over.py"
    left_over.write_text("from .app import App\n")
    found = {**modules(), "callwright.left_over": left_over}
    assert found.keys() - reached(STARTS, found) == {"callwright.left_over"}


def test_every_dependency_of_the_program_is_imported_by_it_or_has_a_reason() -> None:
    assert unused([*PROJECT["project"]["dependencies"], *EXTRAS], imported_by([PACKAGE])) == UNNAMED.keys()


@pytest.mark.parametrize("group", PROJECT["dependency-groups"])
def test_every_dependency_of_the_checks_is_imported_by_them_or_has_a_reason(group: str) -> None:
    ours = imported_by([PACKAGE, ROOT / "tests", ROOT / "scripts"])
    assert unused(PROJECT["dependency-groups"][group], ours) - BY_NAME.keys() == set()


def test_no_reason_is_given_for_what_is_imported_or_not_needed() -> None:
    listed = [line for group in PROJECT["dependency-groups"].values() for line in group]
    assert BY_NAME.keys() <= unused(listed, imported_by([PACKAGE, ROOT / "tests", ROOT / "scripts"]))


def test_a_dependency_that_nothing_imports_is_found() -> None:
    assert unused(["dbos>=3.4", "anyio>=4.16"], imported_by([PACKAGE])) == {"dbos"}
