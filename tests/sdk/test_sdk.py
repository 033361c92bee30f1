"""The platform's own Python SDK, two versions of it, against `callwright engine` in a process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .environment import VERSIONS, python_with

KEY = "an-engine-key-of-the-test"
DRIVE = Path(__file__).with_name("drive.py")

Line = dict[str, Any]


@pytest.fixture
def engine(tmp_path: Path) -> Generator[str]:
    """The base URL of a fresh platform on a port that was free."""
    env = {
        "CALLWRIGHT_HOME": str(tmp_path),
        "CALLWRIGHT_ENGINE_API_KEY": KEY,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "error",
    }
    command = [sys.executable, "-m", "callwright", "engine", "--port", "0"]
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


@pytest.fixture(params=VERSIONS)
def lines(request: pytest.FixtureRequest, engine: str) -> list[Line]:
    """What the SDK did and got, call by call."""
    python = python_with(request.param)
    done = subprocess.run(
        [python, str(DRIVE), engine], input=KEY, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_sdk_does_everything_with_every_resource(lines: list[Line]) -> None:
    assert {line["call"]: line["strict"] for line in lines if line["strict"] not in ("ok", "nothing to check")} == {}
    assert [f"{line['call']} {line['error']}" for line in lines if "error" in line] == [
        "agents.update 422",
        "conversations.get 404",
        "knowledge_base.documents.delete 400",
        "secrets.delete 400",
    ]
    assert {line["requests"] for line in lines} == {1}  # nothing was sent a second time

    def results(name: str) -> list[Any]:
        return [line["result"] for line in lines if line["call"] == name and "result" in line]

    assert results("knowledge_base.documents.get")[0]["name"] == "Hours"
    assert [row["name"] for row in results("knowledge_base.list")[0]["documents"]] == ["Hours"]
    assert results("knowledge_base.documents.update")[0]["name"] == "Opening hours"
    assert results("secrets.update")[0]["name"] == "CRM 2"
    assert "s3cr3t" not in json.dumps(lines)
    agent, later = results("agents.get")
    assert agent["name"] == "Ada"
    assert sorted(agent["workflow"]["nodes"]) == ["call", "end", "start", "sub", "tool"]
    assert agent["conversation_config"]["agent"]["prompt"]["built_in_tools"]["end_call"]["name"] == "end_call"
    assert results("agents.update")[0]["conversation_config"]["tts"]["speed"] == 1.1
    assert [number["phone_number"] for number in later["phone_numbers"]] == ["+442071838750"]
    assert {row["provider"] for row in results("phone_numbers.list")[0]} == {"sip_trunk", "twilio"}
    said = [turn["message"] for turn in results("agents.simulate_conversation")[0]["simulated_conversation"]]
    assert said[0] == "Hello Bo."
    assert "Bicycles are repaired on Mondays." in said[4]
    assert [len(page["conversations"]) for page in results("conversations.list")] == [0, 1]
    assert [turn["message"] for turn in results("conversations.get")[0]["transcript"]] == said
    assert results("agents.list")[-1]["agents"] == []
    assert results("knowledge_base.list")[-1]["documents"] == []
    assert results("secrets.list")[-1]["secrets"] == []
    assert results("phone_numbers.list")[-1] == []
