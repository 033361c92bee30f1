"""Files are opened inside a folder, whatever somebody swaps in it meanwhile."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from callwright.toolkit.rooted import open_new, open_to_read

INSIDE, OUTSIDE = b"inside", b"outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with `a/file`, beside one with a file of the same name."""
    for folder, content in (("root", INSIDE), ("elsewhere", OUTSIDE)):
        (tmp_path / folder / "a").mkdir(parents=True)
        (tmp_path / folder / "a" / "file").write_bytes(content)
    return (tmp_path / "root").resolve()


def read(root: Path, inside: str) -> bytes:
    with os.fdopen(open_to_read(root, Path(inside)), "rb") as file:
        return file.read()


def test_a_file_inside_is_read(root: Path) -> None:
    assert read(root, "a/file") == INSIDE


WAYS_OUT: dict[str, Callable[[Path], str]] = {
    "a link as a folder": lambda root: (root / "b").symlink_to(root.parent / "elsewhere" / "a") or "b/file",
    "a link as the file": lambda root: (root / "f").symlink_to(root.parent / "elsewhere/a/file") or "f",
    "a hard link": lambda root: os.link(root.parent / "elsewhere/a/file", root / "h") or "h",
    "upwards": lambda root: "../elsewhere/a/file",
    "another path": lambda root: str(root.parent / "elsewhere/a/file"),
    "a folder": lambda root: "a",
    "a pipe that nobody writes": lambda root: os.mkfifo(root / "p") or "p",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_else_is_opened(root: Path, way: str) -> None:
    inside = WAYS_OUT[way](root)
    with pytest.raises(OSError, match=r".*"):
        read(root, inside)


def test_a_new_file_does_not_go_through_a_link_nor_over_another(root: Path) -> None:
    (root / "b").symlink_to(root.parent / "elsewhere" / "a")
    (root / "dangling").symlink_to(root.parent / "elsewhere" / "new")
    for inside in ("b/new", "dangling", "a/file"):
        with pytest.raises(OSError, match=r".*"):
            open_new(root, Path(inside))
    os.close(open_new(root, Path("a/new")))
    assert sorted(path.name for path in root.parent.joinpath("elsewhere").rglob("*")) == ["a", "file"]


def test_a_folder_that_is_swapped_for_a_link_all_the_time_leads_nowhere_else(root: Path) -> None:
    """Of 3,000 reads, each is of the file inside, or fails."""
    real, kept, link = root / "a", root / "kept", root / "link"
    link.symlink_to(root.parent / "elsewhere" / "a")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            os.rename(real, kept)
            os.rename(link, real)
            os.rename(real, link)
            os.rename(kept, real)

    swapping = threading.Thread(target=swap)
    swapping.start()
    found: set[bytes] = set()
    for _ in range(3_000):
        try:
            found.add(read(root, "a/file"))
        except OSError:
            continue
    over.set()
    swapping.join()
    assert found == {INSIDE}
