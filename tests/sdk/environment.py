"""An environment of its own for each version of the platform's Python SDK, made once and kept in `.venv`."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
VERSIONS = ("2.23.0", "2.78.0")
"""The age of our contract, and the newest. They do not get on in one environment."""


def python_with(version: str) -> Path:
    """The interpreter of the environment. Made anew where the locked requirements changed."""
    lock = HERE / f"requirements-{version}.txt"
    folder = Path(sys.prefix) / f"sdk-{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "stamp"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        if uv := shutil.which("uv"):
            _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
            _run(uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(lock))
        else:
            venv.create(folder, with_pip=True)
            _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))  # fmt: skip
        stamp.write_text(wanted)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
