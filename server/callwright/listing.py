"""`callwright tools`: the published surface under the policy in force."""

from typing import Any

from .app import App
from .tools.policy import Policy
from .tools.surface import Entry, built, chosen

_WORDS = {
    "readOnlyHint": "reads",
    "destructiveHint": "replaces or destroys",
    "idempotentHint": "safe to repeat",
    "openWorldHint": "reaches out",
}
_HINTS = tuple(_WORDS)


def listed(app: App) -> list[dict[str, Any]]:
    """Every offered tool: name, title, toolset, four hints, approval, first line of the description."""
    return [
        {
            "name": entry["tool"]["name"],
            "title": entry["tool"]["title"],
            "toolset": entry["toolset"],
            **{hint: entry["tool"]["annotations"][hint] for hint in _HINTS},
            "approval": app.policy.of_tool(entry["tool"]["name"], entry["effect"]),
            "description": entry["tool"]["description"].splitlines()[0],
        }
        for entry in chosen(built(), app.settings.toolsets, app.bounds, app.policy)
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """For a terminal. R reads only, D destroys or replaces, I safe to repeat, O reaches the outside."""
    letters = dict(zip(_HINTS, "RDIO", strict=True))
    lines = [("TOOL", "TOOLSET", "HINTS", "APPROVAL", "WHAT")]
    for row in rows:
        hints = "".join(letter if row[hint] else "-" for hint, letter in letters.items())
        lines.append((row["name"], row["toolset"], hints, row["approval"], row["description"]))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    shown = ["  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4]]) for line in lines]
    return "\n".join([*shown, "", "R reads only, D destroys or replaces, I safe to repeat, O reaches the outside"])


def tool_table(entries: list[Entry]) -> str:
    """Markdown: every tool of the surface, under the policy that is in force when nothing is set."""
    policy = Policy()
    rows = ["| tool | toolset | hints | approval | what |", "|---|---|---|---|---|"]
    for entry in entries:
        tool = entry["tool"]
        hints = ", ".join(word for hint, word in _WORDS.items() if tool["annotations"][hint]) or "creates"
        asked = policy.of_tool(tool["name"], entry["effect"]).replace("_", " ")
        rows.append(f"| `{tool['name']}` | {entry['toolset']} | {hints} | {asked} | {tool['description']} |")
    return "\n".join(rows)
