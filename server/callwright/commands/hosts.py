"""The table of MCP hosts: for each the path and format of its configuration, and its log file."""

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


@dataclass(frozen=True)
class Host:
    """A program that starts MCP servers. `file`: path of its configuration, in JSON."""

    name: str
    title: str
    file: Callable[[], Path]
    log: Callable[[], Path | str]
    """Path of the file with the server's stderr; without a file, the place in the program that shows it."""
    key: str = "mcpServers"
    extra: tuple[tuple[str, str], ...] = ()
    """Fields of an entry besides command, args and env."""
    after: str = "Restart it to load the server."
    app_link: Callable[[str, Json], str] | None = None
    """Builds the link that opens the program with an entry of this name, for a person to confirm."""
    web_link: Callable[[str, Json], str] | None = None
    """Builds the same link as a web page of the vendor, for places that allow only web addresses."""

    def entry(self, command: list[str], env: dict[str, str]) -> Json:
        said: Json = {**dict(self.extra), "command": command[0], "args": command[1:]}
        return said | ({"env": env} if env else {})


def _home(*parts: str) -> Callable[[], Path]:
    return lambda: Path.home().joinpath(*parts)


def _application_support(*parts: str) -> Callable[[], Path]:
    """The folder of the operating system for data of applications."""

    def place() -> Path:
        from platformdirs import user_config_path

        return user_config_path(roaming=True).joinpath(*parts)

    return place


def _in_base64(address: str) -> Callable[[str, Json], str]:
    return lambda name, entry: f"{address}?name={quote(name)}&config={quote(b64encode(_compact(entry)), safe='')}"


def _compact(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _vscode_link(name: str, entry: Json) -> str:
    return f"vscode:mcp/install?{quote(_compact({'name': name, **entry}), safe='')}"


def _vscode_page(name: str, entry: Json) -> str:
    return (
        f"https://insiders.vscode.dev/redirect/mcp/install?name={quote(name)}&config={quote(_compact(entry), safe='')}"
    )


def _claude_log() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / "Claude" / "mcp-server-callwright.log"
    return _application_support("Claude", "logs", "mcp-server-callwright.log")()


HOSTS = {
    host.name: host
    for host in (
        Host(
            "claude-desktop",
            "Claude Desktop",
            _application_support("Claude", "claude_desktop_config.json"),
            log=_claude_log,
            after="Quit it and open it again to load the server.",
        ),
        Host(
            "claude-code",
            "Claude Code (this folder)",
            lambda: Path.cwd() / ".mcp.json",
            extra=(("type", "stdio"),),
            log=lambda: "its debug log: claude --debug, then /mcp",
            after="Start it in this folder and approve the server when it asks.",
        ),
        Host(
            "cursor",
            "Cursor",
            _home(".cursor", "mcp.json"),
            log=lambda: "its Output panel, channel MCP Logs",
            app_link=_in_base64("cursor://anysphere.cursor-deeplink/mcp/install"),
            web_link=_in_base64("https://cursor.com/en/install-mcp"),
        ),
        Host(
            "vscode",
            "VS Code (this folder)",
            lambda: Path.cwd() / ".vscode" / "mcp.json",
            key="servers",
            extra=(("type", "stdio"),),
            log=lambda: "its Output panel: command MCP: List Servers, then Show Output",
            after="Open the file there and press Start above the server.",
            app_link=_vscode_link,
            web_link=_vscode_page,
        ),
        Host(
            "windsurf",
            "Windsurf",
            _home(".codeium", "windsurf", "mcp_config.json"),
            log=lambda: "its Output panel, channel Windsurf",
        ),
        Host(
            "gemini-cli",
            "Gemini CLI",
            _home(".gemini", "settings.json"),
            log=lambda: "its debug console: gemini --debug, then F12",
        ),
        Host(
            "lm-studio",
            "LM Studio",
            _home(".lmstudio", "mcp.json"),
            log=lambda: "its Developer tab, Developer Logs",
            app_link=_in_base64("lmstudio://add_mcp"),
            web_link=_in_base64("https://lmstudio.ai/install-mcp"),
        ),
    )
}
"""Name on the command line -> host."""
