"""One run of the sweep for each version of the SDK, against `callwright engine` in a process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from tests.peers import serving
from tests.warm import callwright

from . import peer
from .environment import VERSIONS, python_with

KEY = "an-engine-key-of-the-test"
ROOT = Path(__file__).parents[2]

Line = dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """What one version of the SDK did and got."""

    version: str
    calls: list[Line] = field(repr=False)
    """What was answered: `call`, `method`, `path`, how many `requests`, the `result`, what `strict` models say."""
    refusals: list[Line] = field(repr=False)
    """What was refused: the same with `status` and `body`."""
    saw: dict[str, Any] = field(repr=False)
    """Effects, read back."""
    text: str = field(repr=False)
    """All of it as it was printed."""


@pytest.fixture(scope="session")
def other_end() -> Generator[str]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(peer.app(), lifespan="on")) as url,
    ):
        yield url


@pytest.fixture(scope="session", params=VERSIONS)
def sweep(request: pytest.FixtureRequest, other_end: str, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    python = python_with(request.param)
    with _engine(tmp_path_factory.mktemp("home")) as url:
        command = [python, "-m", "tests.sdk.drive", url, other_end]
        done = subprocess.run(command, input=KEY, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    # Every run has ids and ports of its own.
    text = re.sub(r"\b([a-z]+)_[0-9a-f]{28}\b", r"\1_…", done.stdout.replace(other_end, "http://other.end"))
    lines: list[Line] = [json.loads(line) for line in text.splitlines()]
    saw = {line["saw"]: line["value"] for line in lines if "saw" in line}
    assert len(saw) == sum("saw" in line for line in lines)  # nothing is seen under the name of something else
    return Sweep(
        request.param,
        calls=[line for line in lines if "result" in line],
        refusals=[line for line in lines if "body" in line],
        saw=saw,
        text=done.stdout,
    )


@contextmanager
def _engine(home: Path) -> Generator[str]:
    """The base URL of a fresh platform on a port that was free. It may reach this machine."""
    env = {
        "CALLWRIGHT_HOME": str(home),
        "CALLWRIGHT_ENGINE_API_KEY": KEY,
        "CALLWRIGHT_ALLOW_PRIVATE": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "error",
    }
    command = [*callwright(), "engine", "--port", "0"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said + process.stderr.read()
            yield found[0]
        finally:
            process.terminate()
            rest = process.stderr.read()
    assert "Traceback" not in rest, rest
