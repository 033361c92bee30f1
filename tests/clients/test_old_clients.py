"""Released clients of three ages work with this server, and a delete asks or shows what it would do."""

import json
import os
import re
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.app import App
from callwright.http_server.serving import Listen, http_token, mcp_app
from callwright.mcp_server.prompts import GUIDES
from callwright.mcp_server.resources import PLACES
from callwright.surface import built
from tests.commands.test_cli import environment
from tests.environments import python_of
from tests.peers import serving
from tests.transports import settings
from tests.warm import callwright

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent
NEGOTIATED = {"1.8.1": "2024-11-05", "1.10.1": "2025-06-18", "1.30.0": "2025-11-25"}
"""Released versions of the SDK's client, and the newest revision that each knows."""


@asynccontextmanager
async def reachable(home: Path, transport: str) -> AsyncGenerator[tuple[list[str], dict[str, str]]]:
    """How the driver gets to a server as it is by default: its arguments, and what it reads."""
    if transport == "stdio":
        command = [*callwright(), "serve"]
        yield ["stdio", *command], environment(home)
        return
    app = App(settings(home), "embedded")
    async with serving(mcp_app(app, Listen()), lifespan="on") as url:
        yield ["http", f"{url}/mcp"], {"Authorization": f"Bearer {http_token(app)}"}


async def drive(version: str, arguments: list[str], given: dict[str, str]) -> dict[str, Any]:
    """What a client of that version saw; ids and tokens are named, not spelt."""
    python = python_of(f"mcp-{version}", HERE / f"requirements-{version}.txt")
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with anyio.fail_after(60):
        done = await anyio.run_process(
            [python, HERE / "drive.py", *arguments],
            input=json.dumps(given).encode(),
            env=own,
            check=False,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 0, done.stderr.decode()
    text = re.sub(r"agent_[0-9a-f]{28}", "AGENT", done.stdout.decode())
    text = re.sub(r"_unix_secs: \d+", "_unix_secs: TIME", text)
    return json.loads(re.sub(r"approval_token='[\w-]+'", "approval_token='TOKEN'", text))


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("version", NEGOTIATED)
async def test_an_old_client_builds_reads_and_deletes(tmp_path: Path, version: str, transport: str) -> None:
    async with reachable(tmp_path, transport) as (arguments, given):
        seen = await drive(version, arguments, given)
    changed, failed = seen["unattended"].pop("changed")
    assert (changed.splitlines()[-2:], failed) == (["changed:", "- path: name | before: Ada | after: Ada 2"], False)
    assert seen["unattended"] == {
        "version": NEGOTIATED[version],
        "server": "callwright",
        "instructed": True,
        # a process has the everyday list, and the three that reach the others
        "tools": len(built()) if transport == "http" else sum(entry["default"] for entry in built()) + 3,
        "destructive": True,
        "typed": True,
        "prompts": len(GUIDES),
        "resources": len(GUIDES) + sum("{" not in place.uri for place in PLACES) + 1,  # and the view
        "templates": sum("{" in place.uri for place in PLACES),
        "unknown tool": -32602,
        "unknown resource": -32602,
        "made": True,
        "structured": True,
        "found": True,
        "read": True,
        "deleted": [
            "Not done yet. Delete agent 'Ada 2' (AGENT) for good, with its configuration. Ask the user. If they agree,"
            " call delete_agent again, arguments unchanged, with approval_token='TOKEN'.",
            True,
        ],
        "gone": False,
        "with the token": [
            ["deleted: AGENT\nname: Ada 2", False],
            ["No agent 'AGENT'. list_agents shows them.", True],
        ],
    }
    asked = {
        "asked": ["Delete agent 'Bea 2' (AGENT) for good, with its configuration."],
        "deleted": ["deleted: AGENT\nname: Bea 2", False],
        "gone": True,
    }
    assert seen.get("attended") == (None if version == "1.8.1" else asked)
