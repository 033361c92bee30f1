"""The published tool list, `surface.json`, read without importing any tool."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypedDict

TOOLSETS = (
    "callwright.tools.agents",
    "callwright.tools.conversations",
    "callwright.tools.widget",
    "callwright.tools.knowledge_base",
    "callwright.tools.phone_numbers",
    "callwright.tools.secrets",
    "callwright.tools.agent_tools",
    "callwright.tools.llms",
    "callwright.tools.pronunciation_dictionaries",
    "callwright.tools.agent_tests",
    "callwright.tools.mcp_servers",
    "callwright.tools.calls",
    "callwright.tools.workspace",
    "callwright.tools.server",
)

Kind = Literal["reading", "changing"]

FIND = "find"
RUNNERS: dict[Kind, str] = {"reading": "run_reading", "changing": "run_changing"}
"""Kind of a tool -> the tool that runs those which are not listed. So "always allow" for one covers what it says."""


class Entry(TypedDict):
    """One tool in `surface.json`."""

    module: str
    toolset: str
    effect: str
    default: bool
    long: bool
    """Whether a call of the tool may become a task."""
    words: str
    """What people say when they want it."""
    operations: list[str]
    """Operations that the tool may send, its main one first."""
    tool: dict[str, Any]


def reads_only(entry: Entry) -> bool:
    """Whether a tool changes nothing, neither on the platform nor on this machine."""
    return entry["tool"].get("annotations", {}).get("readOnlyHint", entry["effect"] == "read")


def dumps(entries: list[Entry]) -> str:
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


@cache
def built() -> list[Entry]:
    """The tool list as shipped. It is read once and shared, so whoever needs another list makes a copy."""
    return json.loads(files("callwright").joinpath("surface.json").read_bytes())
