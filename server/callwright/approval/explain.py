"""Explain the approval policy in force: one tool with the rule that decided, or the list of tools that ask."""

import difflib
from dataclasses import asdict

from mcp.server.mcpserver.exceptions import ToolError

from ..contract import all_operations
from ..contract.merge import Json
from ..replies.text import short
from ..surface import Entry, built
from .policy import Policy

_OUTSIDE = {
    "person": "a person approves outside the conversation",
    "token": "a preview and an approval_token",
    "refuse": "refused",
}


def explained(policy: Policy, name: str | None) -> Json:
    """Mode, exemptions and caps, and the rule for the tool `name`, or the tools that ask if None.

    Raises ToolError for an unknown tool.
    """
    entries = {entry["tool"]["name"]: entry for entry in built()}
    bounds = {name.replace("_", " "): most for name, most in asdict(policy.caps).items() if most is not None}
    common: Json = {
        "mode": policy.mode,
        "exempt": [*policy.exempt.hosts, *(f"{prefix}…" for prefix in policy.exempt.phone_prefixes)],
        "caps": [f"{name}: {most}" for name, most in bounds.items()],
    }
    if name is None:
        return common | _all(policy, entries)
    if name not in entries:
        near = difflib.get_close_matches(name, entries, 1)
        raise ToolError(f"No tool {short(name)!r}. {f'Did you mean {near[0]!r}?' if near else 'Leave tool out.'}")
    return common | {"rule": _one(policy, entries[name])}


def guarded_by(entry: Entry) -> list[str]:
    """The guarded paths that the requests of a tool may set."""
    sent = [op for op in all_operations() if f"{op.method} {op.path}" in entry["operations"]]
    return sorted({guard.pattern for op in sent for guard in op.guarded})


def _all(policy: Policy, entries: dict[str, Entry]) -> Json:
    said = {name: policy.of_tool(name, entry["effect"]) for name, entry in entries.items()}
    return {
        "requires_approval": [name for name, each in said.items() if each == "requires_approval"],
        "asks_for_guarded": [name for name, entry in entries.items() if _asks_for_guarded(policy, entry)],
        "disabled": [name for name, each in said.items() if each == "disabled"],
    }


def _asks_for_guarded(policy: Policy, entry: Entry) -> bool:
    name, effect = entry["tool"]["name"], entry["effect"]
    asks_anyway = policy.of_tool(name, effect) != "auto_approved"
    return not asks_anyway and bool(policy.reason(name, effect, effect, guarded_by(entry)))


def _one(policy: Policy, entry: Entry) -> Json:
    name, effect = entry["tool"]["name"], entry["effect"]
    decided, why = policy.decided(name, effect)
    rule: Json = {"tool": name, "policy": decided, "why": why}
    for_guarded = _asks_for_guarded(policy, entry)
    if for_guarded:
        rule["guarded"] = guarded_by(entry)
    if decided == "requires_approval" or for_guarded:
        by_token = policy.unattended == "person" and not policy.person_needed(name, effect)
        rule["if_nobody_can_be_asked"] = _OUTSIDE["token" if by_token else policy.unattended]
    return rule
