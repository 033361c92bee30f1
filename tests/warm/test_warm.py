"""Warm programs do what started ones do. Each command is really started here."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import httpx2
import pytest

from ..commands.test_cli import environment, run_as
from . import STARTED, callwright

HELLO = '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}}\n'


@pytest.mark.parametrize(
    ("command", "stdin"),
    [
        ("serve", HELLO),
        ("tools", ""),
        ("openapi", ""),
        ("call get_status --json -", "{}"),
        ("approve", ""),
        ("doctor", ""),
        ("install cursor --dry-run", ""),
        ("nonsense", ""),
    ],
)
def test_a_command_says_the_same_warm_and_started(tmp_path: Path, command: str, stdin: str) -> None:
    def said(name: str, program: list[str]) -> tuple[int, str]:
        home = tmp_path / name
        done = run_as(program, home, *command.split(), stdin=stdin, HOME=str(tmp_path))
        return done.returncode, (done.stdout + done.stderr).replace(str(home), "HOME")

    status, text = said("started", STARTED)
    assert text
    assert "Traceback" not in text
    assert said("warm", callwright()) == (status, text)


@pytest.mark.parametrize(
    ("program", "end", "status"),
    [
        pytest.param(lambda: STARTED, subprocess.Popen[str].terminate, 0, id="started-in-order"),
        pytest.param(callwright, subprocess.Popen[str].terminate, 0, id="warm-in-order"),
        pytest.param(callwright, subprocess.Popen[str].kill, -signal.SIGKILL, id="warm-at-once"),
    ],
)
def test_a_signal_ends_the_program(
    tmp_path: Path, program: Callable[[], list[str]], end: Callable[[subprocess.Popen[str]], None], status: int
) -> None:
    command = [*program(), "engine", "--port", "0"]
    with subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.PIPE, text=True) as engine:
        assert engine.stderr
        url = engine.stderr.readline().split(";")[0].split()[-1]
        assert httpx2.get(url).status_code == 404
        end(engine)
        assert engine.wait(timeout=20) == status
        deadline = monotonic() + 20
        while answers(url):
            assert monotonic() < deadline


def answers(url: str) -> bool:
    try:
        httpx2.get(url)
    except httpx2.TransportError:
        return False
    return True
