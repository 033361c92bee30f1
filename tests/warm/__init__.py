"""Warm programs: `callwright` as a process, without the second of processor time that its imports take.

A server (`forking.py`) has imported everything and forks for each program, which has arguments, environment, folder,
standard streams, signals and an exit status of its own. What a test says about the start itself, or about a sudden
death, it says of a program that was really started.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

PYTHON = [sys.executable, "-W", "error"]
STARTED = [*PYTHON, "-m", "callwright"]
"""The program, really started. Its arguments come after it."""


def callwright() -> list[str]:
    """The program, warm. Its arguments come after it."""
    return [*python(), "-m", "callwright"]


def python() -> list[str]:
    """A Python that has imported the program; `-m` or `-c` comes after it. Where it cannot be forked, it is started."""
    if not hasattr(os, "fork"):
        return PYTHON
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("program.py")), _server()]


@cache
def _server() -> str:
    """The address of this process's server, which ends with this process."""
    folder = tempfile.mkdtemp(prefix="warm-")
    address = os.path.join(folder, "socket")
    server = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.warm.forking", address],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the terminal is for those who started the programs
    )

    def end() -> None:
        server.communicate()
        os.rmdir(folder)

    atexit.register(end)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    return address
