"""Who uses a thing, as several tools answer it."""

from typing import Any

from ..contract.dependents import DependentAgentPage
from .text import short
from .views import Page, View


class UsingAgent(View):
    agent_id: str | None = None
    name: str


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
