"""The published tool list as a build artefact: `tools/list` from a file, a tool built when it is first called."""

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any, Literal, TypedDict, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import Tool as PublishedTool

from ..bounds import Bounds
from ..settings import SettingError
from . import TOOLSETS
from .policy import META, TOKEN, TOKEN_SCHEMA, Policy

Kind = Literal["read", "write", "risky"]
RUNNERS: dict[Kind, str] = {"read": "run_read_tool", "write": "run_write_tool", "risky": "run_risky_tool"}
"""Of the search surface, the tools that run another one, by what that one does."""


class Entry(TypedDict):
    """One tool in `surface.json`."""

    module: str
    toolset: str
    effect: str
    default: bool
    long: bool
    """Whether a call of it may become a task."""
    operations: list[str]
    """What it may send, its own operation first."""
    tool: dict[str, Any]


def snap(modules: Iterable[str] = TOOLSETS) -> list[Entry]:
    """The surface, from the functions. The slow way round; `scripts/snap` and a test use it."""
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
                operations=[f"{op.method} {op.path}" for op in spec.sends],
                tool=wire,
            )
            entries.append(entry)
    return entries


def dumps(entries: list[Entry]) -> str:
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def built() -> list[Entry]:
    """The surface as it was shipped."""
    return json.loads(files("callwright").joinpath("surface.json").read_bytes())


def chosen(entries: list[Entry], toolsets: Sequence[str], bounds: Bounds, policy: Policy) -> list[Entry]:
    """The tools of these toolsets that the bounds allow and the policy does not disable.

    `default` stands for the everyday tools of all toolsets, `all` for every tool. `server` (status, changes, undo) is
    always there. An unknown toolset is refused with the known ones.
    """
    known = list(dict.fromkeys(entry["toolset"] for entry in entries))
    wanted = set(known) if "all" in toolsets else {*toolsets, "server"} - {"default"}
    if unknown := sorted(wanted - set(known)):
        raise SettingError(f"Unknown toolset {unknown[0]!r}. Known: {', '.join(known)}; or default, or all.")
    return [
        entry
        for entry in entries
        if (entry["toolset"] in wanted or ("default" in toolsets and entry["default"]))
        and bounds.allow(cast(Any, entry["effect"])) is None
        and not (bounds.read_only and _writes(entry))
        and policy.of_tool(entry["tool"]["name"], entry["effect"]) != "disabled"
    ]


def _writes(entry: Entry) -> bool:
    """A tool that reads the platform may still make a file on this machine."""
    return not entry["tool"].get("annotations", {}).get("readOnlyHint", entry["effect"] == "read")


class LazyTool(Tool):
    """Published from the file; the function behind it is imported at the first call."""

    module: str
    built: Any = None

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        if self.built is None:
            from .toolset import FunctionTool

            toolset = import_module(self.module).TOOLS
            self.built = FunctionTool(toolset.specs[self.name], toolset)
        return await self.built.call(arguments, context)


def _no_function() -> None:
    """`Tool` wants a function; `LazyTool.run` never reaches this one."""


def lazy(entry: Entry, policy: Policy) -> LazyTool:
    """The tool of an entry, with what the policy in force adds: its `_meta`, and the token's argument."""
    wire = PublishedTool.model_validate(entry["tool"])
    schema = wire.input_schema
    if policy.takes_token(wire.name, entry["effect"]):
        schema = {**schema, "properties": cast(dict[str, Any], schema.get("properties", {})) | {TOKEN: TOKEN_SCHEMA}}
    return LazyTool(
        fn=_no_function,
        name=wire.name,
        title=wire.title,
        description=wire.description or "",
        parameters=schema,
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=wire.output_schema),
        is_async=True,
        context_kwarg=None,
        annotations=wire.annotations,
        meta={META: policy.of_tool(wire.name, entry["effect"])},
        module=entry["module"],
    )
