"""`callwright install` and `callwright doctor --host`: real files, real processes, nothing lost."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.commands.hosts import HOSTS

from ..manifests.test_manifests import entry_of
from .test_cli import run


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of somebody, in which the commands run."""
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("APPDATA", str(home / "AppData"))
    monkeypatch.chdir(home)
    return home


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("host", HOSTS)
def test_each_host_gets_an_entry_by_absolute_path(person: Path, host: str) -> None:
    done = run(person / "data", "install", host, "--toolsets", "agents,knowledge", "--read-only")
    assert done.returncode == 0, done.stderr
    [file] = [f for f in person.rglob("*.json") if "data" not in f.parts]
    [(name, entry)] = read(file)[HOSTS[host].key].items()
    assert name == "callwright"
    assert os.path.isabs(entry["command"])
    assert entry["args"][-4:] == ["serve", "--toolsets", "agents,knowledge", "--read-only"]
    assert entry["env"] == {"CALLWRIGHT_HOME": str(person / "data")}
    assert done.stdout == f"{file} written. {HOSTS[host].after}\n"
    assert file.stat().st_mode & 0o077 == 0  # it may hold a key


def test_what_is_there_stays_and_a_copy_of_it_is_kept(person: Path) -> None:
    file = person / ".cursor" / "mcp.json"
    file.parent.mkdir()
    before = '{"mcpServers": {"other": {"command": "x"}}, "theme": "dark"}'
    file.write_text(before)
    file.chmod(0o644)
    first = run(person / "data", "install", "cursor")
    assert f"What was there is kept as {file}.bak1." in first.stdout
    assert read(file)["theme"] == "dark"
    assert sorted(read(file)["mcpServers"]) == ["callwright", "other"]
    assert file.with_name("mcp.json.bak1").read_text() == before
    assert file.stat().st_mode & 0o777 == 0o644
    again = run(person / "data", "install", "cursor")
    assert again.stdout.startswith(f"{file} was right already.")
    run(person / "data", "install", "cursor", "--read-only")
    assert sorted(f.name for f in file.parent.iterdir()) == ["mcp.json", "mcp.json.bak1", "mcp.json.bak2"]


def test_a_dry_run_shows_the_file_and_writes_nothing(person: Path) -> None:
    done = run(person / "data", "install", "vscode", "--dry-run")
    head, _, text = done.stdout.partition(" would hold:\n")
    assert head == str(person / ".vscode" / "mcp.json")
    assert json.loads(text)["servers"]["callwright"]["type"] == "stdio"
    assert not (person / ".vscode").exists()


def test_a_link_holds_what_would_be_written_and_writes_nothing(person: Path) -> None:
    link = run(person / "data", "install", "cursor", "--read-only", "--link").stdout.strip()
    assert list(person.iterdir()) == []
    run(person / "data", "install", "cursor", "--read-only")
    assert dict([entry_of(link)]) == read(person / ".cursor" / "mcp.json")["mcpServers"]
    key = {"ELEVENLABS_API_KEY": "sk_canary_0123456789"}
    shown = run(person / "data", "install", "cursor", "--env", "ELEVENLABS_API_KEY", "--link", **key)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert run(person / "data", "install", "windsurf", "--link").stderr == (
        "callwright: Windsurf has no such link. Leave --link out, and its configuration is written.\n"
    )


@pytest.mark.parametrize("text", ["// comment\n{}", "[]", '{"mcpServers": []}', "{"])
def test_a_file_that_cannot_be_rewritten_safely_is_left_alone(person: Path, text: str) -> None:
    file = person / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text(text)
    done = run(person / "data", "install", "cursor")
    assert done.returncode == 2
    assert "by hand" in done.stderr
    assert file.read_text() == text
    assert [f.name for f in file.parent.iterdir()] == ["mcp.json"]


def test_a_variable_is_copied_by_name_and_its_value_never_shown(person: Path) -> None:
    key = "sk_canary_0123456789"
    done = run(person / "data", "install", "cursor", "--env", "ELEVENLABS_API_KEY", ELEVENLABS_API_KEY=key)
    assert done.returncode == 0
    assert read(person / ".cursor" / "mcp.json")["mcpServers"]["callwright"]["env"]["ELEVENLABS_API_KEY"] == key
    assert key not in done.stdout + done.stderr
    missing = run(person / "data", "install", "cursor", "--env", "CALLWRIGHT_LLM_MODEL")
    assert missing.stderr == snapshot(
        "callwright: --env CALLWRIGHT_LLM_MODEL: that variable has no value here. Set it, then run this again.\n"
    )


def test_a_file_that_holds_a_value_is_for_its_owner_and_its_copy_too(person: Path) -> None:
    file = person / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    done = run(person / "data", "install", "cursor", "--env", "ELEVENLABS_API_KEY", ELEVENLABS_API_KEY="sk_canary")
    assert done.returncode == 0, done.stderr
    modes = {each.name: each.stat().st_mode & 0o777 for each in file.parent.iterdir()}
    assert modes == {"mcp.json": 0o600, "mcp.json.bak1": 0o600}


def test_the_doctor_starts_what_is_configured_as_the_host_would(person: Path) -> None:
    """In an environment with nothing in it but what the entry says."""
    nothing = run(person / "data", "doctor", "--host", "cursor")
    assert nothing.returncode == 2
    assert "Run: callwright install cursor" in nothing.stderr
    run(person / "data", "install", "cursor")
    file = person / ".cursor" / "mcp.json"
    config = read(file)
    config["mcpServers"]["callwright"]["env"]["PYTHONPATH"] = os.pathsep.join(sys.path)
    file.write_text(json.dumps(config))
    done = run(person / "data", "doctor", "--host", "cursor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "starts in an empty environment, 34 tools, embedded platform" in done.stdout
    config["mcpServers"]["callwright"]["args"] = ["-m", "callwright", "serve", "--toolsets", "nonsense"]
    file.write_text(json.dumps(config))
    broken = run(person / "data", "doctor", "--host", "cursor")
    assert broken.returncode == 1
    assert "does not start as the host would start it" in broken.stdout
    assert "Unknown toolset 'nonsense'." in broken.stdout
    config["mcpServers"]["callwright"]["command"] = str(person / "gone" / "callwright")
    file.write_text(json.dumps(config))
    assert "gone/callwright does not exist" in run(person / "data", "doctor", "--host", "cursor").stdout


@pytest.mark.parametrize("host", HOSTS)
def test_the_doctor_tells_where_each_host_shows_what_the_server_logs(person: Path, host: str) -> None:
    run(person / "data", "install", host)
    [line] = [line for line in run(person / "data", "doctor", "--host", host).stdout.splitlines() if " log " in line]
    assert line == f"ok       log            what the server says to stderr is in {logged(person)[host]}"


def logged(person: Path) -> dict[str, str]:
    claude = person / ".config/Claude/logs/mcp-server-callwright.log"
    return {
        "claude-desktop": str(claude),
        "claude-code": "its debug log: claude --debug, then /mcp",
        "cursor": "its Output panel, channel MCP Logs",
        "vscode": "its Output panel: command MCP: List Servers, then Show Output",
        "windsurf": "its Output panel, channel Windsurf",
        "gemini-cli": "its debug console: gemini --debug, then F12",
        "lm-studio": "its Developer tab, Developer Logs",
    }
