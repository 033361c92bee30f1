"""A release is refused with the reason and the remedy; one that is ready is built twice, and is the same both times."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from callwright import __version__

ROOT = Path(__file__).parents[1]
PARTS = (
    *("server/callwright/__init__.py", "pyproject.toml", "CHANGELOG.md", "README.md", "LICENSE", ".gitignore"),
    *("manifests/server.json", "manifests/mcpb/manifest.json"),
)
"""Of the project, what a release looks at and what hatchling cannot build without."""


def git(tree: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(tree), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project that is ready to be released: ours, without most of its program."""
    for part in PARTS:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / part, tmp_path / part)
    head = "# Changelog\n\n## [Unreleased]\n\n"
    (tmp_path / "CHANGELOG.md").write_text(f"{head}## [{__version__}] - 2026-12-01\n\n- All of it.\n", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def commit(tree: Path) -> None:
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "Release")


def release(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.releasing", "--tree", str(tree), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def change(tree: Path, name: str, old: str, new: str) -> None:
    text = (tree / name).read_text(encoding="utf-8")
    assert old in text
    (tree / name).write_text(text.replace(old, new), encoding="utf-8")
    commit(tree)


def test_a_release_that_is_ready_is_built_twice_and_its_hashes_are_shown(tree: Path) -> None:
    done = release(tree, __version__)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.findall(r"^sha256:([0-9a-f]{64})  dist/(\S+)$", done.stdout, re.MULTILINE)
    assert sorted(name for _, name in shown) == [
        f"callwright-{__version__}-py3-none-any.whl",
        f"callwright-{__version__}.tar.gz",
    ]
    assert all((tree / "dist" / name).exists() for _, name in shown)
    assert release(tree, __version__).stdout == done.stdout


def test_another_version_than_the_one_that_is_meant_is_refused(tree: Path) -> None:
    done = release(tree, "9.9.9", "--only-check")
    assert done.returncode == 1
    assert f"callwright.__version__ is {__version__}, not 9.9.9" in done.stdout
    assert not (tree / "dist").exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("server/callwright/__init__.py", f'"{__version__}"', '"7.0.0"', "CHANGELOG.md has no section 7.0.0"),
        ("server/callwright/__init__.py", f'"{__version__}"', '"7.0.0"', "manifests/server.json says"),
        ("server/callwright/__init__.py", f'"{__version__}"', '"7.dev"', "7.dev is no version to release"),
        ("manifests/mcpb/manifest.json", f'"{__version__}"', '"0.0.9"', "manifests/mcpb/manifest.json says 0.0.9"),
        ("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n- More.\n", "has changes under Unreleased"),
        ("CHANGELOG.md", " - 2026-12-01", "", "has no date"),
        ("CHANGELOG.md", "- All of it.\n", "", "says nothing about"),
        ("CHANGELOG.md", "## [Unreleased]\n\n", "", "does not begin with the section Unreleased"),
    ],
)
def test_what_does_not_fit_the_version_is_refused(tree: Path, name: str, old: str, new: str, said: str) -> None:
    change(tree, name, old, new)
    done = release(tree, "--only-check")
    assert done.returncode == 1
    assert said in done.stdout


def test_what_is_not_committed_is_refused(tree: Path) -> None:
    (tree / "notes.txt").write_text("later")
    done = release(tree, "--only-check")
    assert done.returncode == 1
    assert "the tree is not clean (1, first notes.txt)" in done.stdout
