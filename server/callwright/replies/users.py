"""Views of the agents that use a resource, shared by several tools."""

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from ..contract.dependents import DependentAgentPage
from .text import short
from .views import Page, View

NAMED = 10


class UsingAgent(View):
    agent_id: str | None = None
    name: str


def named(user: Any) -> str:
    """A user as `'Ada' (agent_1)`; for one that the API key may not see, only the known fields."""
    name, id = getattr(user, "name", None), getattr(user, "id", None)
    return f"{short(str(name))!r} ({id})" if name and id else str(name or id or "something hidden")


def refuse_while_used(what: str, users: list[str], remedy: str) -> None:
    """Raises ToolError if `users` is not empty, so that no person is asked about a deletion that would be refused."""
    if users:
        more = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
        raise ToolError(f"{what} is used by {', '.join(users[:NAMED])}{more}. {remedy}")


class UsingAgents(Page):
    agents: list[UsingAgent]

    @classmethod
    def of(cls, page: DependentAgentPage) -> "UsingAgents":
        found: list[Any] = list(page.agents)
        return cls(
            agents=[
                UsingAgent(agent_id=getattr(agent, "id", None), name=short(str(getattr(agent, "name", "hidden"))))
                for agent in found
            ],
            has_more=page.has_more,
            next_cursor=page.next_cursor,
        )
