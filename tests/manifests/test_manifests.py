"""What other programs read about this one is valid where it has a schema, and says what is true."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft7Validator

from callwright import __version__
from callwright.app import App
from callwright.serving import Listen, mcp_app
from callwright.settings import described
from tests.arms import settings
from tests.peers import serving

HERE = Path(__file__).parent
MANIFESTS = HERE.parents[1] / "manifests"


def read(name: str) -> Any:
    return json.loads((MANIFESTS / name).read_text(encoding="utf-8"))


def test_the_registrys_entry_is_valid_and_names_no_package_that_nobody_published() -> None:
    entry = read("server.json")
    schema: Any = json.loads((HERE / "schemas" / "mcp-registry-server.schema.json").read_text(encoding="utf-8"))
    validator: Any = Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(entry)] == []
    assert entry["version"] == __version__
    assert "packages" not in entry


@pytest.mark.parametrize("name", ["claude-desktop.json", "cursor.json", "vscode.json"])
def test_a_snippet_has_an_absolute_path_to_fill_in(name: str) -> None:
    [servers] = read(name).values()
    assert servers["callwright"]["command"] == "/path/to/.venv/bin/callwright"
    assert servers["callwright"]["args"] == ["serve"]


def test_the_bundle_asks_for_settings_that_there_are_and_hides_secrets() -> None:
    bundle = read("mcpb/manifest.json")
    secret = {setting["name"]: setting["secret"] for setting in described()}
    env = bundle["server"]["mcp_config"]["env"]
    assert set(env) <= set(secret)
    for name, value in env.items():
        asked = bundle["user_config"][value.removeprefix("${user_config.").removesuffix("}")]
        assert asked.get("sensitive", False) is secret[name]
    assert bundle["version"] == __version__
    assert (MANIFESTS.parent / bundle["server"]["entry_point"]).exists()


def healthy(port: int) -> bool:
    """What the container's health check says of a server on this port."""
    [check] = re.findall(r"HEALTHCHECK .*?CMD (\[.*\])$", (MANIFESTS / "Dockerfile").read_text(), re.MULTILINE)
    program, *arguments = json.loads(check)
    assert program == "python"
    command = [sys.executable, *(argument.replace("8000", str(port)) for argument in arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0


@pytest.mark.anyio
async def test_the_container_is_healthy_while_the_server_answers_and_no_longer(tmp_path: Path) -> None:
    asgi = mcp_app(App(settings(tmp_path)), Listen())
    async with serving(asgi, lifespan="on") as url:
        port = int(url.rpartition(":")[2])
        assert await anyio.to_thread.run_sync(healthy, port)
    assert not await anyio.to_thread.run_sync(healthy, port)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with serving(broken) as url:
        assert not await anyio.to_thread.run_sync(healthy, int(url.rpartition(":")[2]))
