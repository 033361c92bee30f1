"""Limit the tools that a connection can list and call: those of the server, over HTTP those of its URL's toolsets."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from ..approval.policy import Policy
from ..bounds import Bounds
from ..replies.text import short
from ..settings import SettingError
from ..surface import RUNNERS, Entry, reads_only

EVERYDAY = ("default",)
_LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_WRONG_PROMPT = ("Unknown prompt", "Missing required arguments")
"""Prefixes of SDK errors that are about the request; other errors are about the prompt's function."""
_KEPT = 32
"""Maximum cached lists, one for each URL; bounded because a URL may hold any text."""


async def one_page(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware that refuses cursors: every list is a single page, and the SDK would answer any cursor with it."""
    if ctx.method in _LISTS and (ctx.params or {}).get("cursor") is not None:
        raise MCPError(INVALID_PARAMS, "Unknown cursor: the list is one page. Ask again without it.")
    return await call_next(ctx)


async def named_prompts(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware that reports a missing prompt as the client's error, as the SDK would report a server error."""
    try:
        return await call_next(ctx)
    except ValueError as exc:
        if ctx.method == "prompts/get" and str(exc).startswith(_WRONG_PROMPT):
            raise MCPError(INVALID_PARAMS, str(exc)) from None
        raise


class ToolVisibility:
    """Middleware that limits the tools of one server for each connection.

    `/mcp?toolsets=agents,calls` limits a connection to these toolsets. A URL never exceeds the operator's choice:
    bounds, policy and configured toolsets apply to every URL. Only the everyday list of the default
    setting (`default`) is no limit, so that a URL can ask for other tools.
    """

    def __init__(
        self,
        entries: list[Entry],
        toolsets: Sequence[str],
        bounds: Bounds,
        policy: Policy,
        *,
        by_url: bool,
        beside: Sequence[str] = (),
    ) -> None:
        """`beside`: names of the tools that find and run the others, for connections that choose no toolsets."""
        self._entries, self._bounds, self._policy = entries, bounds, policy
        self._finds = bool(beside)
        self._unasked = _names(chosen(entries, toolsets, bounds, policy)) | frozenset(beside)
        open_ = by_url and tuple(toolsets) == EVERYDAY
        self.tools = chosen(entries, ("all",) if open_ else toolsets, bounds, policy)
        """All tools that a connection can reach with any URL."""
        self._reachable = _names(self.tools)
        self._all = self._reachable | frozenset(beside)
        self._of_url = lru_cache(_KEPT)(self._asked_for)
        self._shaped: dict[str, HandlerResult] = {}
        self._listed = lru_cache(_KEPT)(self._bounded_list)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        offered = self._offered(ctx.request)
        if ctx.method == "tools/list":
            if ctx.protocol_version not in self._shaped:
                self._shaped[ctx.protocol_version] = await call_next(ctx)
            return self._listed(ctx.protocol_version, offered)
        if ctx.method == "tools/call" and (name := (ctx.params or {}).get("name")) not in offered:
            raise MCPError(INVALID_PARAMS, self._where(str(name), finds=self._finds and offered == self._unasked))
        return await call_next(ctx)

    def _offered(self, request: Any) -> frozenset[str]:
        """Names of the tools that a request may see. Raises MCPError if its URL names an unknown toolset."""
        given: list[str] = request.query_params.getlist("toolsets") if request is not None else []
        return self._of_url(",".join(given)) if given else self._unasked

    def _asked_for(self, given: str) -> frozenset[str]:
        toolsets = [name.strip() for name in given.split(",") if name.strip()]
        try:
            asked = chosen(self._entries, toolsets, self._bounds, self._policy)
        except SettingError as exc:
            raise MCPError(INVALID_PARAMS, str(exc)) from None
        return _names(asked) & self._reachable

    def _bounded_list(self, protocol_version: str, offered: frozenset[str]) -> HandlerResult:
        """The list, cut to the offered tools. The SDK builds the whole list once for each protocol version."""
        whole: Any = self._shaped[protocol_version]
        return whole if offered == self._all else _cut(whole, offered)

    def _where(self, name: str, *, finds: bool) -> str:
        """Where a tool is that the client does not see. `finds`: the client has the tools that find and run others."""
        entry = next((entry for entry in self._entries if entry["tool"]["name"] == name), None)
        if entry is None:
            import difflib

            near = difflib.get_close_matches(name, [entry["tool"]["name"] for entry in self._entries], 1)
            return f"Unknown tool: {short(name)}. " + (
                f"Did you mean {near[0]}?" if near else "tools/list has all names."
            )
        if finds and (self._bounds.allow(cast(Any, entry["effect"])) is None) and self._offers(entry):
            kind = "reading" if reads_only(entry) else "changing"
            way = f"run it with {RUNNERS[kind]}, as tool, with its arguments as arguments"
            return f"Unknown tool: {name}. It is not listed: {way}."
        return f"Unknown tool: {name}. It is of the toolset {entry['toolset']}, which is not offered here."

    def _offers(self, entry: Entry) -> bool:
        return bool(chosen([entry], ("all",), self._bounds, self._policy))


def _names(entries: list[Entry]) -> frozenset[str]:
    return frozenset(entry["tool"]["name"] for entry in entries)


def _cut(whole: dict[str, Any], offered: frozenset[str]) -> HandlerResult:
    return {**whole, "tools": [tool for tool in whole["tools"] if tool["name"] in offered]}


def chosen(entries: list[Entry], toolsets: Sequence[str], bounds: Bounds, policy: Policy) -> list[Entry]:
    """The tools of these toolsets that the bounds allow and the policy does not disable, in the order of the surface.

    `default` stands for the everyday tools of all toolsets, `all` for every tool. `server` (status, changes, undo) is
    included beside others. An unknown toolset is refused with an error that lists the known ones.
    """
    known = list(dict.fromkeys(entry["toolset"] for entry in entries))
    wanted = set(known) if "all" in toolsets else {*toolsets} - {"default"}
    if wanted and "all" not in toolsets:
        wanted.add("server")
    if unknown := sorted(wanted - set(known)):
        raise SettingError(f"Unknown toolset {unknown[0]!r}. Known: {', '.join(known)}; or default, or all.")
    return [
        entry
        for entry in entries
        if (entry["toolset"] in wanted or ("default" in toolsets and entry["default"]))
        and bounds.allow(cast(Any, entry["effect"])) is None
        and (reads_only(entry) or not bounds.read_only)
        and policy.of_tool(entry["tool"]["name"], entry["effect"]) != "disabled"
    ]
