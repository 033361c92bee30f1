"""The tools of MCP servers as they are offered to an agent's model."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from ...contract.errors import ApiError
from ...contract.merge import Json
from ..checks import check_mcp_policy
from ..dialogue.roles import Cast, Role
from ..dialogue.tools import Tool
from ..handlers import Tx, Unit
from ..mcp_client import Endpoint, tools_of
from ..mcp_servers import approval_of, reached, tool_config
from .webhooks import DEFAULT_SECONDS

LONGEST_NAME = 64
"""Characters that models take."""


@dataclass(frozen=True)
class Listing:
    """A server's settings, and its tools as it lists them."""

    id: str
    config: Json
    tools: Sequence[Json]


Listings = Callable[[Sequence[str]], Awaitable[Sequence[Listing]]]
"""Of servers by their ids; those that cannot be reached are left out."""


class OfferingCast:
    """A cast whose roles also have the tools of their MCP servers. A tool node has its own tools alone."""

    def __init__(self, cast: Cast, listings: Listings) -> None:
        self._cast, self._listings = cast, listings

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        return await with_offers(await self._cast.role(agent_id, node_id, language), self._listings)


async def with_offers(role: Role, listings: Listings) -> Role:
    """The role with the tools of its servers; one that speaks offline calls none, so nobody is asked for it."""
    agent = role.agent
    if not agent.mcp_server_ids or role.llm is None:
        return role
    found = await listings(agent.mcp_server_ids)
    more = offered(found, {tool.name for tool in agent.tools})
    return replace(role, agent=replace(agent, tools=[*agent.tools, *more]))


def offered(listings: Sequence[Listing], taken: set[str]) -> list[Tool]:
    """Each under a name that models take and that nothing else has; the server's name stands before it where two
    have the same. Tools about which nothing was decided, where each must be, are not offered.
    """
    used = set(taken)
    bare = Counter(_safe(tool["name"]) for listing in listings for tool in listing.tools)
    tools: list[Tool] = []
    for listing in listings:
        for tool in listing.tools:
            approval = approval_of(tool, listing.config)["approval"]
            if approval == "disabled":
                continue
            name = _safe(tool["name"])
            if bare[name] > 1 or name in used:
                name = _safe(f"{listing.config['name']}_{name}")
            name = next(one for one in _numbered(name) if one not in used)
            used.add(name)
            tools.append(_tool(name, tool, listing, requires_approval=approval != "auto_approved"))
    return tools


def _tool(name: str, tool: Json, listing: Listing, *, requires_approval: bool) -> Tool:
    server, own = listing.config, tool_config(listing.config, tool["name"]) or {}
    settings = {**server, **{key: value for key, value in own.items() if value is not None}}
    overrides: Mapping[str, Json] = settings.get("input_overrides") or {}
    schema: Json = tool.get("inputSchema") or {}
    declared: Mapping[str, Json] = schema.get("properties") or {}
    properties = {
        key: prop | {"description": overrides[key]["prompt"]} if overrides.get(key, {}).get("prompt") else prop
        for key, prop in declared.items()
        if overrides.get(key, {}).get("source", "llm") == "llm"
    }
    required = [key for key in schema.get("required") or () if key in properties]
    description = str(tool.get("description") or "")
    config: dict[str, Any] = {
        "mcp_server_id": listing.id,
        "mcp_server_name": server["name"],
        "mcp_tool_name": tool["name"],
        "mcp_tool_description": description,
        "approval_policy": server["approval_policy"],
        "requires_approval": requires_approval,
        "response_timeout_secs": settings.get("response_timeout_secs") or DEFAULT_SECONDS,
        "input_overrides": overrides,
        "request_meta": server.get("request_meta") or {},
        "assignments": own.get("assignments") or [],
        "execution_mode": settings.get("execution_mode"),
        "disable_interruptions": settings.get("disable_interruptions"),
        "force_pre_tool_speech": settings.get("force_pre_tool_speech"),
    }
    parameters: Json = {**schema, "type": "object", "properties": properties, "required": required}
    return Tool("mcp", name, description, properties, required, config=config, parameters=parameters)


def listings_of(unit: Unit) -> Listings:
    """Asks each server once, whoever wants to know; for rehearsals and tests, which call no tool."""
    asked: dict[str, Listing | None] = {}
    once = anyio.Lock()

    async def ask(id: str) -> None:
        asked[id] = await _asked(unit, id)

    async def listings(server_ids: Sequence[str]) -> Sequence[Listing]:
        async with once, anyio.create_task_group() as asking:
            for id in set(server_ids) - asked.keys():
                asking.start_soon(ask, id)
        return [found for id in server_ids if (found := asked[id]) is not None]

    return listings


async def _asked(unit: Unit, server_id: str) -> Listing | None:
    try:
        config, endpoint = await unit.read(lambda tx: allowed(tx, server_id))
        return Listing(server_id, config, await tools_of(endpoint, unit.allow, unit.models.proxy_url))
    except ApiError:
        return None


def allowed(tx: Tx, server_id: str) -> tuple[Json, Endpoint]:
    """A server of the workspace, with its secrets in the clear. Raises ApiError where it may not be called."""
    check_mcp_policy(tx)
    return reached(tx, server_id)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST_NAME] or "tool"


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        tail = f"_{number}"
        yield name[: LONGEST_NAME - len(tail)] + tail
        number += 1
