"""What stands on stderr: lines that people or programs can read, about the call that they belong to, without secrets."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsFloat, IsStr

from callwright import __version__

from ..commands.test_cli import environment
from ..warm import python

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
UTC = IsStr(regex=r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECRET = "kanarie-tjilp-not-in-any-setting"


def said_by(home: Path, *calls: tuple[str, dict[str, Any]], program: str = "", **env: str) -> tuple[str, str]:
    """stdout and stderr of a server on stdio that answers these calls. `program`: runs before it."""
    return said_as(python(), home, *calls, program=program, **env)


def said_as(
    python: list[str], home: Path, *calls: tuple[str, dict[str, Any]], program: str = "", **env: str
) -> tuple[str, str]:
    requests = [
        {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        for number, (tool, arguments) in enumerate(calls, 2)
    ]
    code = f"{program}\nimport sys; sys.argv = ['callwright', 'serve']\nfrom callwright.cli import main\nmain()"
    server = subprocess.Popen(
        [*python, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home, **env),
    )  # fmt: skip
    assert server.stdin
    assert server.stdout
    out = ""
    for message in (HELLO, READY, *requests):
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
        if "id" in message:
            out += server.stdout.readline()
    rest, err = server.communicate(timeout=30)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in (out + rest).splitlines())
    return out + rest, err


CRASH = f"""
from callwright.contract.agents import ListAgents
def url(self):
    raise RuntimeError("boom at https://me:pass@x.example with Authorization: Bearer {SECRET}")
ListAgents.url = url
"""


def test_each_line_is_json_and_tells_of_a_call_what_an_operator_asks(tmp_path: Path) -> None:
    _, err = said_by(
        tmp_path,
        ("create_agent", {"name": "Ada", "prompt": "p"}),
        ("delete_agent", {"agent_id": "nope"}),
        CALLWRIGHT_LOG_FORMAT="json",
        CALLWRIGHT_LOG_LEVEL="info",
    )
    lines = [json.loads(line) for line in err.splitlines()]
    assert lines == [
        {
            "timestamp": UTC,
            "level": "INFO",
            "logger": "callwright",
            "message": f"callwright {__version__}: embedded platform (data in {tmp_path}), approval fine-grained",
        },
        {
            "timestamp": UTC,
            "level": "INFO",
            "logger": "callwright.calls",
            "message": "create_agent done",
            "tool": "create_agent",
            "principal": "local",
            "request_id": "2",
            "effect": "create",
            "outcome": "done",
            "approval": "policy",
            "duration_ms": IsFloat(gt=0),
        },
        {
            "timestamp": UTC,
            "level": "INFO",
            "logger": "callwright.calls",
            "message": "delete_agent error",
            "tool": "delete_agent",
            "principal": "local",
            "request_id": "3",
            "effect": "delete",
            "outcome": "error",
            "approval": "policy",
            "duration_ms": IsFloat(gt=0),
        },
    ]


def test_the_text_is_for_people(tmp_path: Path) -> None:
    _, err = said_by(tmp_path, ("list_agents", {}), CALLWRIGHT_LOG_LEVEL="info")
    start, line = err.splitlines()
    assert start.startswith("callwright ")
    assert line == IsStr(
        regex=r"20\S+Z INFO callwright\.calls: list_agents done \[tool=list_agents principal=local request_id=2"
        r" effect=read outcome=done approval=policy duration_ms=[\d.]+\]"
    )


def test_what_a_client_sent_makes_no_line_of_its_own(tmp_path: Path) -> None:
    forged = "2026-11-20T00:00:00.000Z INFO callwright.calls: delete_agent done"
    quoting = f"""
import logging
from callwright.contract.agents import ListAgents
ours = ListAgents.url
def url(self):
    logging.getLogger("callwright.x").warning("Told %s", "x\\n{forged}")
    return ours(self)
ListAgents.url = url
"""
    _, err = said_by(tmp_path, ("list_agents", {}), program=quoting)
    start, *lines = err.splitlines()
    assert lines
    assert start.startswith("callwright ")
    assert all(f"Told x\\n{forged} [tool=list_agents" in line for line in lines)


def test_what_goes_well_is_not_told_unless_asked(tmp_path: Path) -> None:
    _, err = said_by(tmp_path, ("list_agents", {}))
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_crash_inside_a_tool_logs_its_traceback_without_secrets(tmp_path: Path, form: str) -> None:
    out, err = said_by(tmp_path, ("list_agents", {}), program=CRASH, CALLWRIGHT_LOG_FORMAT=form)
    assert "the server's log has the reason" in out
    assert "boom" not in out
    assert "RuntimeError: boom at https://[secret]@x.example with Authorization: Bearer [secret]" in err
    assert "Traceback" in err
    assert SECRET not in err
    if form == "json":
        rows = [json.loads(line) for line in err.splitlines()]
        assert [row["tool"] for row in rows if "exception" in row] == ["list_agents"]


def test_a_secret_that_is_entered_during_a_call_is_in_no_line_about_it(tmp_path: Path) -> None:
    """The program knows it only from the request."""
    broken = """
from callwright.engine.store.vault import Vault
ours = Vault.seal
def seal(self, value, *, belongs_to):
    if "kanarie" in value:
        raise RuntimeError(f"cannot seal {value!r}")
    return ours(self, value, belongs_to=belongs_to)
Vault.seal = seal
"""
    calls = ("create_secret", {"name": "crm", "value": SECRET})
    _, err = said_by(tmp_path, calls, program=broken, CALLWRIGHT_APPROVAL="none", CALLWRIGHT_LOG_LEVEL="debug")
    assert "RuntimeError: cannot seal '[secret]'" in err
    assert SECRET not in err


def test_debug_does_not_make_libraries_tell_what_people_said(tmp_path: Path) -> None:
    words = "a sentence that somebody said"
    _, err = said_by(tmp_path, ("create_agent", {"name": "Ada", "prompt": words}), CALLWRIGHT_LOG_LEVEL="debug")
    assert "POST /v1/convai/agents/create, attempt 1: 200" in err
    assert words not in err


def test_an_end_by_a_defect_is_a_line_too(tmp_path: Path) -> None:
    code = f"import callwright.mcp_server.server as server\ndef of(*_, **__): raise RuntimeError('api_key={SECRET}')\nserver.build_server = of"
    run = f"{code}\nimport sys; sys.argv = ['callwright', 'serve']\nfrom callwright.cli import main\nmain()"
    done = subprocess.run(
        [*python(), "-c", run],
        check=False, capture_output=True, text=True, env=environment(tmp_path, CALLWRIGHT_LOG_FORMAT="json"),
    )  # fmt: skip
    assert done.returncode == 1
    start, end = [json.loads(line) for line in done.stderr.splitlines()]
    assert start["message"].startswith("callwright ")
    assert (end["level"], end["message"]) == ("CRITICAL", "The program ends by a defect")
    assert "RuntimeError: api_key=[secret]" in end["exception"]
