"""OAuth scopes: each tool has one, made of its toolset and its strongest effect."""

from functools import cache

from ..surface import Entry, built

_VERBS = {
    "read": "read",
    "create": "write",
    "update": "write",
    "delete": "write",
    "secret": "write",
    "dial": "dial",
    "grant": "grant",
}


def scope_of(toolset: str, effect: str) -> str:
    """`agents:read`, `agents:write`, `calls:dial`, `conversations:grant`."""
    return f"{toolset}:{_VERBS[effect]}"


def scopes_of(entries: list[Entry]) -> dict[str, str]:
    """Tool name -> scope."""
    return {entry["tool"]["name"]: scope_of(entry["toolset"], entry["effect"]) for entry in entries}


@cache
def scope_of_each() -> dict[str, str]:
    """Tool name -> scope, for all tools of the published surface."""
    return scopes_of(built())
