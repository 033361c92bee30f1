"""Lazy tools: `tools/list` is read from a built file, and a tool's module is imported at its first call."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata

from ..approval.policy import META, TOKEN, TOKEN_SCHEMA, Policy
from ..surface import TOOLSETS, Entry

if TYPE_CHECKING:
    from .toolset import FunctionTool


def snap(modules: Iterable[str] = TOOLSETS) -> list[Entry]:
    """The tool list built from the functions; it imports all of them, so only `scripts/snap` and a test use it."""
    from .toolset import FunctionTool, Toolset

    entries: list[Entry] = []
    for module in modules:
        toolset: Toolset = import_module(module).TOOLS
        for spec in toolset.specs.values():
            wire = FunctionTool(spec, toolset).published().model_dump(mode="json", by_alias=True, exclude_none=True)
            entry = Entry(
                module=module,
                toolset=toolset.name,
                effect=spec.effect,
                default=spec.default,
                long=spec.long,
                words=spec.words,
                operations=[f"{op.method} {op.path}" for op in spec.sends],
                tool=wire,
            )
            entries.append(entry)
    return entries


class LazyTool(Tool):
    """A tool that is published from the file; its function is imported at the first call."""

    module: str

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        return await _function_tool(self.module, self.name).call(arguments, context)


@cache
def _function_tool(module: str, name: str) -> "FunctionTool":
    """The tool behind an entry. It knows no server, so all servers of a process share it."""
    from .toolset import FunctionTool

    toolset = import_module(module).TOOLS
    return FunctionTool(toolset.specs[name], toolset)


def _no_function() -> None:
    """Placeholder for the function that `Tool` requires; `LazyTool.run` never calls it."""


def lazy(entry: Entry, policy: Policy) -> LazyTool:
    """The tool of an entry, with the additions of the policy in force: its `_meta`, and the argument for the token."""
    wire = entry["tool"]
    name, schema = wire["name"], wire["inputSchema"]
    if policy.takes_token(name, entry["effect"]):
        schema = {**schema, "properties": cast(dict[str, Any], schema.get("properties", {})) | {TOKEN: TOKEN_SCHEMA}}
    return LazyTool(
        fn=_no_function,
        name=name,
        title=wire.get("title"),
        description=wire.get("description", ""),
        parameters=schema,
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=wire.get("outputSchema")),
        is_async=True,
        context_kwarg=None,
        annotations=wire.get("annotations"),
        meta={META: policy.of_tool(name, entry["effect"])},
        module=entry["module"],
    )
