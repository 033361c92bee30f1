"""What other programs read about this one is valid where it has a schema, and says what is true."""

import json
import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio
import pytest
from jsonschema import Draft7Validator

from callwright import __version__
from callwright.app import App
from callwright.commands.hosts import HOSTS, Host
from callwright.http_server.serving import Listen, mcp_app
from callwright.settings import described
from tests.peers import serving
from tests.transports import settings

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


def entry_of(link: str) -> tuple[str, Any]:
    """Name and entry that a program reads out of a link."""
    address, _, query = link.partition("?")
    if address == "vscode:mcp/install":
        found: Any = json.loads(unquote(query))
        return found.pop("name"), found
    given = dict(parse_qsl(query, strict_parsing=True))
    plain = given["config"] if given["config"].startswith("{") else b64decode(given["config"], validate=True)
    return given["name"], json.loads(plain)


@pytest.mark.parametrize("host", [host for host in HOSTS.values() if host.app_link], ids=lambda host: host.name)
def test_a_link_carries_any_path_whole(host: Host) -> None:
    entry = host.entry(
        ["/Böb & Co/100%/a+b/>>>>>/callwright", "serve", "--toolsets", "a,b"], {"CALLWRIGHT_HOME": "/x?y=z#1"}
    )
    assert host.app_link
    assert host.web_link
    for link in (host.app_link, host.web_link):
        assert entry_of(link("callwright", entry)) == ("callwright", entry)
        assert set(link("callwright", entry)).isdisjoint(' ()<>"')  # which would end it in a text


def test_the_readmes_links_carry_the_snippets() -> None:
    readme = (MANIFESTS.parent / "README.md").read_text(encoding="utf-8")
    part = readme.partition("<!-- generated: links -->")[2].partition("<!-- end -->")[0]
    links = dict(re.findall(r"\[([^\]]+)\]\((https://[^)]+)\)", part))
    cursor, vscode = [next(iter(read(name).values())) for name in ("cursor.json", "vscode.json")]
    assert {host: dict([entry_of(link)]) for host, link in links.items()} == {
        "Cursor": cursor, "VS Code": vscode, "LM Studio": cursor
    }  # fmt: skip


def test_the_readme_names_every_host_that_can_be_installed_into() -> None:
    readme = (MANIFESTS.parent / "README.md").read_text(encoding="utf-8")
    part = readme.partition("## Add it to your assistant")[2].partition("\n## ")[0]
    assert [
        host.name for host in HOSTS.values() if host.name not in part or host.title.partition(" (")[0] not in part
    ] == []


def test_the_bundle_asks_for_settings_that_there_are_and_hides_secrets() -> None:
    bundle = read("mcpb/manifest.json")
    secret = {setting["name"]: setting["secret"] for setting in described()}
    env = bundle["server"]["mcp_config"]["env"]
    assert set(env) <= set(secret)
    for name, value in env.items():
        asked = bundle["user_config"][value.removeprefix("${user_config.").removesuffix("}")]
        assert asked.get("sensitive", False) is secret[name]
        assert asked["default"] == ""
    assert bundle["version"] == __version__
    assert (MANIFESTS / "mcpb" / Path(bundle["server"]["entry_point"]).name).exists()


def healthy(port: int) -> bool:
    """What the container's health check says of a server on this port."""
    [check] = re.findall(r"HEALTHCHECK .*?CMD (\[.*\])$", (MANIFESTS / "Dockerfile").read_text(), re.MULTILINE)
    program, *arguments = json.loads(check)
    assert program == "python"
    command = [sys.executable, *(argument.replace("8000", str(port)) for argument in arguments)]
    return subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0


@pytest.mark.anyio
async def test_the_container_is_healthy_while_the_server_answers_and_no_longer(tmp_path: Path) -> None:
    asgi = mcp_app(App(settings(tmp_path), "embedded"), Listen())
    async with serving(asgi, lifespan="on") as url:
        port = int(url.rpartition(":")[2])
        assert await anyio.to_thread.run_sync(healthy, port)
    assert not await anyio.to_thread.run_sync(healthy, port)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with serving(broken) as url:
        assert not await anyio.to_thread.run_sync(healthy, int(url.rpartition(":")[2]))
