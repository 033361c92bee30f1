"""A real file system of a few megabytes, which a test fills, empties and makes read-only."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Disk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._filling = root / "filling"

    def fill(self) -> None:
        fd = os.open(self._filling, os.O_WRONLY | os.O_CREAT)
        try:
            with suppress(OSError):
                while True:
                    os.write(fd, bytes(4096))
        finally:
            os.close(fd)

    def empty(self) -> None:
        self._filling.unlink()

    def read_only(self, *, on: bool) -> None:
        _run("mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.root))


@contextmanager
def small_disk(root: Path, size: str = "2m") -> Generator[Disk]:
    root.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(root))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here (root on Linux can)")
    try:
        yield Disk(root)
    finally:
        _run("umount", "-l", str(root))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
