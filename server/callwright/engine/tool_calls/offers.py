"""The tools of MCP servers in the form offered to an agent's model."""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from ...contract.errors import ApiError
from ...contract.merge import Json
from ..checks.configuration import check_mcp_policy
from ..dialogue.agent import Agent
from ..dialogue.roles import Role, RoleProvider
from ..dialogue.tools import Tool
from ..dialogue.variables import Value, Variables, gather, system_variables
from ..mcp.approval import approval_of
from ..mcp.client import Endpoint, tools_of
from ..mcp.servers import reached, tool_config
from ..store.transaction import Tx
from ..unit import Unit
from .webhooks import DEFAULT_SECONDS

LONGEST_NAME = 64
"""The longest tool name, in characters, that models accept."""
_Asked = tuple[str, tuple[tuple[str, str], ...]]
"""The id of a server, and the headers of the request to it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """A server's settings, and the tools that it lists."""

    id: str
    config: Json
    tools: Sequence[Json]


Listings = Callable[[Sequence[str], Variables], Awaitable[Sequence[Listing]]]
"""Lists the tools of servers by id, connected with these variables; unreachable servers are left out."""
Known = Callable[[Agent], Variables]
"""The current variables of a conversation, with this agent as the speaker."""


class McpRoleProvider:
    """Provides roles that include the tools of their MCP servers. A tool node has only its own tools."""

    def __init__(self, roles: RoleProvider, listings: Listings, known: Known) -> None:
        self._roles, self._listings, self._known = roles, listings, known

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        return await with_offers(await self._roles.role(agent_id, node_id, language), self._listings, self._known)


async def with_offers(role: Role, listings: Listings, known: Known) -> Role:
    """The role with the tools of its servers. An offline role calls no tool, so no server is listed for it."""
    agent = role.agent
    if not agent.mcp_server_ids or role.llm is None:
        return role
    found = await listings(agent.mcp_server_ids, known(agent))
    more = offered(found, {tool.name for tool in agent.tools})
    return replace(role, agent=replace(agent, tools=[*agent.tools, *more]))


def offered(listings: Sequence[Listing], taken: set[str]) -> list[Tool]:
    """The tools, each under a valid and unique name, prefixed with the server's name if two tools have the same one.
    Tools without a decision are left out if the server requires one for each tool.
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
        "response_mocks": own.get("response_mocks") or [],
        "execution_mode": settings.get("execution_mode"),
        "disable_interruptions": settings.get("disable_interruptions"),
        "force_pre_tool_speech": settings.get("force_pre_tool_speech"),
    }
    parameters: Json = {**schema, "type": "object", "properties": properties, "required": required}
    return Tool("mcp", name, description, properties, required, config=config, parameters=parameters)


def rehearsed(agent_id: str, conversation_id: str, given: Mapping[str, Value | None], now: float) -> Known:
    """The variables of a rehearsal or a test, whose clock does not advance. `now`: Unix seconds."""

    def known(agent: Agent) -> Variables:
        system = system_variables(
            agent_id=agent_id,
            current_agent_id=agent.id,
            conversation_id=conversation_id,
            now=now,
            started=now,
            timezone=agent.timezone,
        )
        return gather(agent.placeholders, given, system)

    return known


def listings_of(unit: Unit) -> Listings:
    """Lists each server once and caches the result; for rehearsals and tests, which call no tool.

    A server whose headers depend on variables is listed once for each of their values.
    """
    asked: dict[_Asked, Listing | None] = {}
    once = anyio.Lock()

    async def ask(key: _Asked, config: Json, endpoint: Endpoint) -> None:
        try:
            asked[key] = Listing(key[0], config, await tools_of(endpoint, unit.allow, unit.models.proxy_url))
        except ApiError as why:
            log.info("An MCP server lists no tools for a rehearsal: %s", type(why).__name__)
            asked[key] = None

    async def listings(server_ids: Sequence[str], variables: Variables) -> Sequence[Listing]:
        wanted: dict[_Asked, tuple[Json, Endpoint]] = {}
        for id in server_ids:
            if (found := await admitted(unit, id, variables)) is not None:
                wanted[id, tuple(sorted(found[1].headers.items()))] = found
        async with once, anyio.create_task_group() as asking:
            for key in wanted.keys() - asked.keys():
                asking.start_soon(ask, key, *wanted[key])
        return [listing for key in wanted if (listing := asked[key]) is not None]

    return listings


async def admitted(unit: Unit, server_id: str, variables: Variables) -> tuple[Json, Endpoint] | None:
    """A server of the workspace, with its secrets decrypted; None if it may not be called, with the reason logged."""

    def read(tx: Tx) -> tuple[Json, Endpoint]:
        check_mcp_policy(tx)
        return reached(tx, server_id, variables)

    try:
        return await unit.read(read)
    except ApiError as why:
        log.info("The MCP server %s is not called: %s", server_id, why)
        return None


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:LONGEST_NAME] or "tool"


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        tail = f"_{number}"
        yield name[: LONGEST_NAME - len(tail)] + tail
        number += 1
