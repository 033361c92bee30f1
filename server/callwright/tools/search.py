"""The search surface, for hosts with small context windows: five tools that find, describe and run all the others.

Each dispatcher runs one kind of tool, so that its hints are true. The tool itself runs as usual, with the same
arguments, approval, errors and results.
"""

import difflib
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, TextContent, ToolAnnotations

from ..accounts.scopes import scope_of
from ..approval.policy import Policy
from ..contract.merge import Json
from ..replies.text import short
from ..surface import RUNNERS, Entry, Kind
from ..toolkit.lazy_tool import LazyTool, lazy
from ..toolkit.ranking import Ranking

BRIEFS = 6
BRIEF_LENGTH = 130
SEARCH, DESCRIBE = "search_tools", "describe_tool"
_KINDS: dict[str, Kind] = {"read": "read", "create": "write", "update": "write"}
_RUN = {
    "tool": {"type": "string", "description": "Name from search_tools."},
    "arguments": {"type": "object", "description": "As describe_tool shows them."},
}
_WIRE: dict[str, tuple[str, str, Json, list[str]]] = {
    SEARCH: (
        "Search tools",
        "Find the tool for a task, best first: names, what they do, arguments (* required). Start here.",
        {"query": {"type": "string", "description": "The task in a few words, as 'rehearse an agent'."}},
        ["query"],
    ),
    DESCRIBE: (
        "Describe tool",
        "Show a tool's arguments with their meaning, or one of them.",
        {
            "tool": {"type": "string", "description": "Name from search_tools."},
            "argument": {"type": "string", "description": "Only this one."},
        },
        ["tool"],
    ),
    RUNNERS["read"]: ("Run reading tool", "Run a tool that only reads.", _RUN, ["tool"]),
    RUNNERS["write"]: (
        "Run writing tool",
        "Run a tool that creates or updates; undo_change takes most back.",
        _RUN,
        ["tool"],
    ),
    RUNNERS["risky"]: (
        "Run risky tool",
        "Run a tool that deletes, dials, hands out access or takes in a secret. It asks, or previews, first.",
        _RUN,
        ["tool"],
    ),
}
_HINTS = {
    "read": ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False),
    "write": ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False),
    "risky": ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True),
}
_KIND_OF_OURS: dict[str, Kind] = {SEARCH: "read", DESCRIBE: "read", **{name: kind for kind, name in RUNNERS.items()}}


def kind_of(entry: Entry) -> Kind:
    """The kind of a tool. One that writes a local file is a write, although it only reads from the platform."""
    kind = _KINDS.get(entry["effect"], "risky")
    return "write" if kind == "read" and not entry["tool"]["annotations"]["readOnlyHint"] else kind


class Catalogue:
    """The tools behind the search surface, built when they are first run."""

    def __init__(self, entries: list[Entry], policy: Policy) -> None:
        self.entries = {entry["tool"]["name"]: entry for entry in entries}
        self._policy = policy
        self._tools: dict[str, LazyTool] = {}

    @cached_property
    def _ranking(self) -> Ranking:
        # The name of a tool has the most weight, then its first sentence.
        return Ranking({name: document(entry) for name, entry in self.entries.items()})

    def briefs(self, query: str, may: Callable[[str], bool] = lambda _: True) -> str:
        """Short descriptions of the best tools for a query, of those with a scope for which `may` is true."""
        ranked = self._ranking.best(query, len(self.entries))
        reached = [
            name for name in ranked if may(scope_of(self.entries[name]["toolset"], self.entries[name]["effect"]))
        ]
        if not (found := reached[:BRIEFS]):
            toolsets = dict.fromkeys(entry["toolset"] for entry in self.entries.values())
            return f"No tool fits. There are tools for: {', '.join(toolsets)}."
        return "\n".join(_brief(self.entries[name]) for name in found)

    def description(self, name: str, argument: str | None) -> str:
        entry = self.entry(name)
        schema = lazy(entry, self._policy).parameters
        properties: Json = schema["properties"]
        if argument is not None and argument not in properties:
            raise ToolError(f"{name} has no argument {short(argument)!r}; it has: {', '.join(properties) or 'none'}.")
        shown = {argument: properties[argument]} if argument else properties
        required = [each for each in schema.get("required", []) if each in shown]
        told = {"run_with": RUNNERS[kind_of(entry)], "arguments": shown, "required": required}
        about = "" if argument else f"{entry['tool']['description']}\n"
        return about + json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def tool(self, name: str, runner: str) -> LazyTool:
        """The tool of this name. Raises ToolError if another runner is for this tool, which the error names."""
        entry = self.entry(name)
        right = RUNNERS[kind_of(entry)]
        if right != runner:
            raise ToolError(f"{name} is not for {runner}: run it with {right}.")
        if name not in self._tools:
            self._tools[name] = lazy(entry, self._policy)
        return self._tools[name]

    def entry(self, name: str) -> Entry:
        if name not in self.entries:
            near = difflib.get_close_matches(name, self.entries, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"{SEARCH} finds tools."
            raise ToolError(f"No tool {short(name)!r}. {hint}")
        return self.entries[name]


def document(entry: Entry) -> str:
    """The text of a tool that is searched."""
    tool = entry["tool"]
    name = tool["name"].replace("_", " ")
    first = tool["description"].split(". ")[0]
    return f"{name} {name} {tool['title']} {first} {first} {tool['description']}"


def _brief(entry: Entry) -> str:
    tool = entry["tool"]
    required = tool["inputSchema"].get("required", [])
    names = [f"{name}*" if name in required else name for name in tool["inputSchema"]["properties"]]
    first = tool["description"].split(". ")[0].removesuffix(".")
    return f"{tool['name']}({short(', '.join(names), 90)}): {short(first, BRIEF_LENGTH)}."


class SearchTool(Tool):
    """One of the five tools of the search surface."""

    catalogue: Any

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        catalogue = cast(Catalogue, self.catalogue)
        given = _checked(self.name, arguments)
        if self.name == SEARCH:
            return _text(catalogue.briefs(given["query"], _services(context).may))
        if self.name == DESCRIBE:
            return _text(catalogue.description(given["tool"], given.get("argument")))
        tool = catalogue.tool(given["tool"], self.name)
        return await tool.run(given.get("arguments", {}), context, convert_result)


def search_tools(entries: list[Entry], policy: Policy) -> list[SearchTool]:
    """The search surface over these tools, without dispatchers that have no tool to run."""
    catalogue = Catalogue(entries, policy)
    kinds = {RUNNERS[kind_of(entry)] for entry in entries}
    return [
        SearchTool(
            fn=_no_function,
            name=name,
            title=title,
            description=description,
            parameters={"type": "object", "properties": properties, "required": required},
            fn_metadata=FuncMetadata(arg_model=ArgModelBase),
            is_async=True,
            context_kwarg=None,
            annotations=_HINTS[_KIND_OF_OURS[name]],
            catalogue=catalogue,
        )
        for name, (title, description, properties, required) in _WIRE.items()
        if name in (SEARCH, DESCRIBE) or name in kinds
    ]


def _services(context: Context[Any, Any]) -> Any:
    from ..toolkit.toolset import services

    return services(context)


def _no_function() -> None:
    """Placeholder for the function that `Tool` requires; `SearchTool.run` never calls it."""


def _checked(name: str, arguments: Json) -> Json:
    """The checked arguments; an object that was sent as JSON text is parsed. Raises ToolError."""
    properties, required = _WIRE[name][2], _WIRE[name][3]
    if strangers := [each for each in arguments if each not in properties]:
        nested = " Put the tool's own arguments into arguments." if "arguments" in properties else ""
        raise ToolError(f"Unknown argument {short(strangers[0])!r}; known: {', '.join(properties)}.{nested}")
    given = {each: value for each, value in arguments.items() if value is not None}
    if missing := [each for each in required if each not in given]:
        raise ToolError(f"{missing[0]} is required.")
    if isinstance(given.get("arguments"), str):
        try:
            given["arguments"] = json.loads(given["arguments"])
        except (ValueError, RecursionError):
            raise ToolError("arguments must be an object.") from None
    for each, value in given.items():
        if not isinstance(value, dict if each == "arguments" else str):
            raise ToolError(f"{each} must be {'an object' if each == 'arguments' else 'a text'}.")
    return given


def _text(said: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=said)])
