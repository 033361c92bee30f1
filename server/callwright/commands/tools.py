"""`callwright tools`: list the published tools under the policy in force."""

from typing import Any

from ..app import App
from ..approval.policy import Policy
from ..mcp_server.tool_visibility import chosen
from ..surface import Entry, built
from ..toolkit.lazy_tool import lazy
from ..tools import WITHOUT_TOOL

_WORDS = {
    "readOnlyHint": "reads",
    "destructiveHint": "replaces or destroys",
    "idempotentHint": "safe to repeat",
    "openWorldHint": "reaches out",
}
_HINTS = tuple(_WORDS)


def listed(app: App) -> list[dict[str, Any]]:
    """Every offered tool: name, title, toolset, operations, four hints, approval, first line of the description."""
    return [
        {
            "name": entry["tool"]["name"],
            "title": entry["tool"]["title"],
            "toolset": entry["toolset"],
            "operations": entry["operations"],
            **{hint: entry["tool"]["annotations"][hint] for hint in _HINTS},
            "approval": app.policy.of_tool(entry["tool"]["name"], entry["effect"]),
            "description": entry["tool"]["description"].splitlines()[0],
        }
        for entry in chosen(built(), app.settings.toolsets, app.bounds, app.policy)
    ]


def as_mcp_server(app: App) -> dict[str, Any]:
    """Settings for Callwright as an MCP server of the platform's agents, with the same approvals as here.

    `approval_policy`, and a decision for each tool, bound by a hash to its listed name, description and schema.
    """
    from ..engine.mcp.approval import tool_hash

    offered = chosen(built(), app.settings.toolsets, app.bounds, app.policy)
    tools = [(lazy(entry, app.policy), app.policy.of_tool(entry["tool"]["name"], entry["effect"])) for entry in offered]
    decided = [
        {
            "tool_name": tool.name,
            "tool_hash": tool_hash(tool.name, tool.description, tool.parameters),
            "approval_policy": policy,
        }
        for tool, policy in tools
    ]
    return {"approval_policy": "require_approval_per_tool", "tool_approval_hashes": decided}


def document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """JSON form of the list: the rows, and the operations that have no tool, each with the reason."""
    return {"tools": rows, "without_tool": WITHOUT_TOOL}


def table(rows: list[dict[str, Any]]) -> str:
    """Text form of the list. R: reads only, D: destroys or replaces, I: safe to repeat, O: reaches the outside."""
    letters = dict(zip(_HINTS, "RDIO", strict=True))
    lines = [("TOOL", "TOOLSET", "HINTS", "APPROVAL", "WHAT")]
    for row in rows:
        hints = "".join(letter if row[hint] else "-" for hint, letter in letters.items())
        lines.append((row["name"], row["toolset"], hints, row["approval"], row["description"]))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    shown = ["  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4]]) for line in lines]
    return "\n".join([*shown, "", "R reads only, D destroys or replaces, I safe to repeat, O reaches the outside"])


def tools_of(operation: str, entries: list[Entry]) -> list[str]:
    """The tools whose purpose is an operation: those that declare it first; without one, all that may send it.

    An operation that changes something is the purpose of every tool that may send it. The toolset `server` is left out,
    because `undo_change` may send the operations of other tools.
    """
    offered = [entry for entry in entries if operation in entry["operations"] and entry["toolset"] != "server"]
    own = [entry for entry in offered if entry["operations"][0] == operation or not operation.startswith("GET ")]
    return [entry["tool"]["name"] for entry in own or offered]


def coverage_table(entries: list[Entry]) -> str:
    """Markdown: every operation, its tools, and its coverage by the embedded platform, as its handler declares."""
    from ..engine.http.coverage import covered

    rows = ["| operation | tool | embedded | shown by |", "|---|---|---|---|"]
    for row in covered():
        tools = ", ".join(f"`{name}`" for name in tools_of(row.operation, entries))
        tools = tools or f"none: {WITHOUT_TOOL[row.operation]}"
        how = f"partly; missing: {row.missing}" if row.missing else "real"
        rows.append(f"| `{row.operation}` | {tools} | {how} | `{row.proof}` |")
    return "\n".join(rows)


def tool_table(entries: list[Entry]) -> str:
    """Markdown: every tool of the surface, under the default policy."""
    from ..contract import all_operations

    guarded = {f"{op.method} {op.path}" for op in all_operations() if op.guarded}
    policy = Policy()
    rows = ["| tool | toolset | hints | approval | what |", "|---|---|---|---|---|"]
    for entry in entries:
        tool = entry["tool"]
        hints = ", ".join(word for hint, word in _WORDS.items() if tool["annotations"][hint]) or "creates"
        asked = policy.of_tool(tool["name"], entry["effect"]).replace("_", " ")
        if asked == "auto approved" and guarded & set(entry["operations"]):
            asked = "auto approved; guarded settings ask"
        rows.append(f"| `{tool['name']}` | {entry['toolset']} | {hints} | {asked} | {tool['description']} |")
    return "\n".join(rows)
