"""The executors of a live conversation's tools, and its roles with MCP tools."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from ...contract.merge import JsonView
from ...contract.paths import at
from ..dialogue.roles import RoleProvider
from ..dialogue.tools import Executor, Outcome, Tool
from ..dialogue.variables import Variables
from ..schema.tables import agent
from ..store.secrets import reveal
from ..store.transaction import Tx
from ..unit import Unit
from .clients import Client, ClientToolExecutor
from .logins import StoredLogins
from .mcp_tools import McpTools
from .offers import Known, McpRoleProvider
from .webhooks import Webhooks, webhook_client

CLOSING_SECONDS = 5.0
"""The longest time for closing the sessions with MCP servers."""


@dataclass(frozen=True)
class Live:
    """The tools and roles of a live conversation. Its first role also comes from `roles`, with the MCP tools."""

    tools: Executor
    roles: RoleProvider


@dataclass(frozen=True)
class ByType:
    """Dispatches each call to the executor of its tool's type."""

    executors: Mapping[str, Executor]

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView | None:
        found = self.executors.get(tool.type)
        return found.details(tool, arguments, variables) if found else None

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        if (found := self.executors.get(tool.type)) is None:
            return Outcome(f"Tools of the type {tool.type} cannot be called here.", is_error=True, called=False)
        return await found.run(tool, request_id, arguments, variables)


@asynccontextmanager
async def live_tools(
    unit: Unit, agent_id: str, roles: RoleProvider, client: Client, known: Known
) -> AsyncGenerator[Live]:
    """The tools of one conversation that begins with this agent; MCP sessions are closed at its end.

    `known`: the conversation's variables, which headers of MCP servers may name. Raises NotFound.
    Under zero retention no MCP server is called, even if the conversation is transferred to another agent.
    """
    zero_retention = await unit.read(lambda tx: _keeps_nothing(tx, agent_id))

    async def secrets(ids: Collection[str]) -> Mapping[str, str]:
        return await unit.read(lambda tx: {id: reveal(tx, id) for id in ids})

    failed: Exception | None = None
    async with webhook_client(unit.allow, unit.models.proxy_url) as http, anyio.create_task_group() as sessions:
        webhooks = Webhooks(http, secrets, StoredLogins(unit, http))
        executors: dict[str, Executor] = {"webhook": webhooks, "client": ClientToolExecutor(client)}
        mcp = McpTools(unit, client, sessions)
        if not zero_retention:
            executors["mcp"] = mcp
        try:
            yield Live(ByType(executors), roles if zero_retention else McpRoleProvider(roles, mcp.listings, known))
        except Exception as exc:  # kept out of the task group, which would wrap it in a group
            failed = exc
        finally:
            mcp.close()
            sessions.cancel_scope.deadline = anyio.current_time() + CLOSING_SECONDS
    if failed is not None:
        raise failed


def _keeps_nothing(tx: Tx, agent_id: str) -> bool:
    return bool(at(tx.one(agent, agent_id)["document"], "platform_settings", "privacy", "zero_retention_mode"))
