"""Reach every tool from a short list: `find` tells which there are, two more run those that are not listed.

One runs what only reads, the other what changes something, so that the hints of each are true, and "always allow" in a
host covers what it says. The tool itself runs as usual, with the same arguments, approval, errors and results.
"""

import json
from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, TextContent, ToolAnnotations

from ..accounts.scopes import scope_of
from ..approval.policy import Policy
from ..replies.text import short
from ..surface import FIND, RUNNERS, Entry, Kind, reads_only
from ..toolkit.lazy_tool import LazyTool, lazy

if TYPE_CHECKING:
    from ..toolkit.ranking import Ranking

Json = dict[str, Any]

HITS = 6
HIT_LENGTH = 130
FEW_ARGUMENTS = 3
_RUN = {
    "tool": {"type": "string", "description": "Name, from find."},
    "arguments": {"type": "object", "description": "The tool's own, as find shows them."},
}
_WIRE: dict[str, tuple[str, str, Json, list[str]]] = {
    FIND: (
        "Find",
        "Find the tool for a task, in any words: there are more than are listed. A tool's name tells its arguments.",
        {"query": {"type": "string", "description": "The task, or the name of a tool."}},
        ["query"],
    ),
    RUNNERS["reading"]: ("Run reading", "Run a tool that find names and that only reads.", _RUN, ["tool"]),
    RUNNERS["changing"]: (
        "Run changing",
        "Run a tool that find names and that changes, deletes, dials or grants. What is risky asks the person.",
        _RUN,
        ["tool"],
    ),
}
_HINTS = {
    "reading": ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
    "changing": ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
    ),
}
_KIND_OF_OURS: dict[str, Kind] = {FIND: "reading", **{name: kind for kind, name in RUNNERS.items()}}


def kind_of(entry: Entry) -> Kind:
    """The kind of a tool. One that writes a local file is changing, although it only reads from the platform."""
    return "reading" if reads_only(entry) else "changing"


class Catalogue:
    """The tools that can be found, built when they are first run."""

    def __init__(self, entries: list[Entry], policy: Policy, listed: Collection[str] = ()) -> None:
        """`listed`: the tools that the client sees in full and calls by their own names."""
        self.entries = {entry["tool"]["name"]: entry for entry in entries}
        self._policy, self._listed = policy, frozenset(listed)
        self._tools: dict[str, LazyTool] = {}

    @cached_property
    def _ranking(self) -> "Ranking":
        from ..toolkit.ranking import Ranking

        texts = {name: document(entry) for name, entry in self.entries.items()}
        return Ranking(texts, {name: entry["words"] for name, entry in self.entries.items()})

    def found(self, query: str, may: Callable[[str], bool] = lambda _: True) -> str:
        """The best tools for a query, of those with a scope for which `may` is true, and how each is run.

        The name of a tool is answered with its arguments. A query that fits nothing is answered with all names.
        """
        reached = {name: entry for name, entry in self.entries.items() if may(_scope(entry))}
        if query.strip() in reached:
            return self._described(query.strip())
        best = [name for name in self._ranking.best(query, len(self.entries)) if name in reached][:HITS]
        if not best:
            return f"Nothing fits {short(query, 60)!r}. There are: {', '.join(reached)}."
        return "\n".join(self._hit(reached[name]) for name in best)

    def _hit(self, entry: Entry) -> str:
        tool = entry["tool"]
        properties: Json = tool["inputSchema"]["properties"]
        required = tool["inputSchema"].get("required", [])
        few = len(properties) <= FEW_ARGUMENTS
        names = [
            f"{name}{'*' if name in required else ''}" + (_told(properties[name]) if few else "") for name in properties
        ]
        first = tool["description"].split(". ")[0].removesuffix(".")
        return f"{tool['name']}({short(', '.join(names), 160)}), {self.way(entry)}: {short(first, HIT_LENGTH)}."

    def way(self, entry: Entry) -> str:
        """How a tool is run, in words."""
        return "listed" if entry["tool"]["name"] in self._listed else f"with {RUNNERS[kind_of(entry)]}"

    def _described(self, name: str) -> str:
        entry = self.entry(name)
        schema = lazy(entry, self._policy).parameters
        way = "call it by its name" if name in self._listed else f"run it with {RUNNERS[kind_of(entry)]}"
        told = {"arguments": schema["properties"], "required": schema.get("required", [])}
        shown = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return f"{name}: {way}. {entry['tool']['description']}\n{shown}"

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
            import difflib

            near = difflib.get_close_matches(name, self.entries, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"{FIND} tells which there are."
            raise ToolError(f"No tool {short(name)!r}. {hint}")
        return self.entries[name]


def document(entry: Entry) -> str:
    """The text of a tool that is searched. Its name has the most weight, then its first sentence."""
    tool = entry["tool"]
    name = tool["name"].replace("_", " ")
    first = tool["description"].split(". ")[0]
    return f"{name} {name} {tool['title']} {first} {first} {tool['description']}"


def _told(schema: Json) -> str:
    """What an argument is, in a few words."""
    return f": {short(str(schema.get('description', schema.get('type', ''))), 40)}"


def _scope(entry: Entry) -> str:
    return scope_of(entry["toolset"], entry["effect"])


class FindTool(Tool):
    """One of the three tools that reach the others."""

    catalogue: Any

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        catalogue = cast(Catalogue, self.catalogue)
        given = _checked(self.name, arguments)
        if self.name == FIND:
            return _text(catalogue.found(given["query"], _services(context).may))
        tool = catalogue.tool(given["tool"], self.name)
        return await tool.run(given.get("arguments", {}), context, convert_result)


def find_tools(entries: list[Entry], policy: Policy, listed: Collection[str] = ()) -> list[FindTool]:
    """The three tools over these, without one that has no tool to run."""
    catalogue = Catalogue(entries, policy, listed)
    kinds = {RUNNERS[kind_of(entry)] for entry in entries}
    return [
        FindTool(
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
        if name == FIND or name in kinds
    ]


def _services(context: Context[Any, Any]) -> Any:
    from ..toolkit.toolset import services

    return services(context)


def _no_function() -> None:
    """Placeholder for the function that `Tool` requires; `FindTool.run` never calls it."""


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
