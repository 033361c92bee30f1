"""Environments beside ours, for packages that do not get on with it: made once from a lock, kept in `.venv`."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from filelock import FileLock

MAY_SKIP = os.environ.get("TESTS_MAY_SKIP") != "no"
"""Whether tests of a program that this machine does not have are skipped; where everything is installed, they fail."""


def python_of(name: str, lock: Path) -> Path:
    """The interpreter of the environment `name`. Made anew where the locked requirements changed.

    Workers that want the same one at once wait for the first of them to make it.
    """
    folder = Path(sys.prefix) / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "stamp"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    with FileLock(f"{folder}.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, python, lock)
            stamp.write_text(wanted)
    return python


def _make(folder: Path, python: Path, lock: Path) -> None:
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "--require-hashes", "-r", str(lock))  # fmt: skip
    else:
        venv.create(folder, with_pip=True)
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))  # fmt: skip


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
