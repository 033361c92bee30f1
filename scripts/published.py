"""What other programs read about this one: host snippets, the registry's server.json, the bundle's manifest.json."""

import json
from pathlib import Path
from typing import Any

from callwright import __version__
from callwright.commands.hosts import HOSTS
from callwright.settings import described

NAME = "io.github.callwright/callwright"
TITLE = "Callwright"
LINE = "Build, rehearse and watch voice agents; embedded platform without an account, approvals built in."
COMMAND = ["/path/to/.venv/bin/callwright", "serve"]
ASKED = {
    "ELEVENLABS_API_KEY": ("ElevenLabs API key", "Leave it empty for the embedded platform."),
    "CALLWRIGHT_LLM_BASE_URL": ("Language model endpoint", "OpenAI-compatible; empty: rehearsals are offline."),
    "CALLWRIGHT_LLM_API_KEY": ("Language model key", "Key of that endpoint, where it needs one."),
    "CALLWRIGHT_LLM_MODEL": ("Language model", "Name of the model to ask there."),
}
"""Settings that the bundle's installer asks a person for."""

Json = dict[str, Any]


def manifests(folder: Path) -> dict[Path, str]:
    snippets = {
        f"{host.name}.json": {host.key: {"callwright": host.entry(COMMAND, {})}}
        for host in (HOSTS["claude-desktop"], HOSTS["cursor"], HOSTS["vscode"])
    }
    found = {**snippets, "server.json": _registry(), "mcpb/manifest.json": _bundle()}
    return {folder / name: json.dumps(text, indent=2, ensure_ascii=False) + "\n" for name, text in found.items()}


def links() -> str:
    """Markdown: links that open a host with its snippet filled in."""
    return " · ".join(
        f"[{host.title.partition(' (')[0]}]({host.web_link('callwright', host.entry(COMMAND, {}))})"
        for host in HOSTS.values()
        if host.web_link
    )


def _registry() -> Json:
    """Without packages: none is published under this name, and nobody is told to fetch what somebody else may own."""
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME,
        "title": TITLE,
        "description": LINE,
        "version": __version__,
    }


def _bundle() -> Json:
    """MCPB 0.4: uv makes the environment, with the locked versions of the requirements, outside the bundle's folder."""
    secret = {setting["name"]: setting["secret"] for setting in described()}
    asked: Json = {
        name.lower(): {
            "type": "string",
            "title": title,
            "description": what,
            "required": False,
            "default": "",
            **({"sensitive": True} if secret[name] else {}),
        }
        for name, (title, what) in ASKED.items()
    }
    return {
        "manifest_version": "0.4",
        "name": "callwright",
        "display_name": TITLE,
        "version": __version__,
        "description": LINE,
        "author": {"name": "Callwright"},
        "license": "MIT",
        "server": {
            "type": "uv",
            "entry_point": "server/start.py",
            "mcp_config": {
                "command": "uv",
                "args": [
                    *("run", "--no-project", "--python", ">=3.11"),
                    *("--with-requirements", "${__dirname}/requirements.lock"),
                    *("${__dirname}/server/start.py", "serve"),
                ],
                "env": {name: f"${{user_config.{name.lower()}}}" for name in ASKED},
            },
        },
        "tools_generated": True,
        "prompts_generated": True,
        "compatibility": {"platforms": ["darwin", "linux", "win32"], "runtimes": {"python": ">=3.11"}},
        "user_config": asked,
    }
