"""`callwright doctor --host`: start the configured server as its host would, with a minimal environment."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import anyio

from .doctor import Finding
from .hosts import Host
from .install import installed

SECONDS = 20.0
BARE_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
"""PATH with which desktop hosts start servers, instead of the one of a person's shell."""


def examine_host(host: Host) -> list[Finding]:
    """Check that the configured server starts, answers and lists tools. Raises SettingError if none is configured."""
    entry = installed(host)
    findings = [Finding("ok", "configuration", f"{host.title}: {host.file()}")]
    command = str(entry.get("command", ""))
    if not os.path.isabs(command):
        findings.append(
            Finding("warning", "command", f"{command!r} is no absolute path; a desktop host may not find it.")
        )
    if shutil.which(command, path=BARE_PATH) is None:
        return [
            *findings,
            Finding("missing", "command", f"{command} does not exist. Run: callwright install {host.name}"),
        ]
    findings.append(anyio.run(_started, entry))
    findings.append(Finding("ok", "log", f"what the server says to stderr is in {host.log()}"))
    return findings


async def _started(entry: dict[str, Any]) -> Finding:
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    env = {"PATH": BARE_PATH, "HOME": str(Path.home()), **entry.get("env", {})}
    words = [str(word) for word in entry.get("args", [])]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        parameters = StdioServerParameters(command=str(entry["command"]), args=words, env=env)
        try:
            with anyio.fail_after(SECONDS):
                async with Client(stdio_client(parameters, errlog=said)) as client:
                    tools = (await client.list_tools()).tools
                    status = await client.call_tool("get_status", {})
        except Exception as exc:  # any error at the start is the finding
            said.seek(0)
            last = " ".join(said.read().split())[-400:]
            return Finding(
                "missing", "start", f"does not start as the host would start it ({type(exc).__name__}): {last}"
            )
    facts: Any = status.structured_content or {}
    where = facts.get("platform", "?")
    return Finding("ok", "start", f"starts in an empty environment, {len(tools)} tools, {where} platform")
