"""Pages of the agents that use a resource, in the contract's shape. Several resources answer them."""

from ...contract.dependents import AgentDependent, DependentAgent, DependentAgentPage
from ..schema.tables import agent
from .paging import page
from .transaction import Tx
from .uses import select_users


def dependent_agents(tx: Tx, kind: str, id: str, *, size: int, cursor: str | None) -> DependentAgentPage:
    """One page of the agents that use the resource `kind`/`id`, oldest first. The resource must exist."""
    rows, following = page(
        tx.db,
        select_users(tx, agent, kind, id),
        by=agent.c.created_ms,
        id=agent.c.id,
        descending=False,
        size=size,
        cursor=cursor,
    )
    agents: list[AgentDependent] = [
        DependentAgent(
            type="available",
            id=row["id"],
            name=row["name"],
            created_at_unix_secs=row["created_ms"] // 1000,
            access_level="admin",
        )
        for row in rows
    ]
    return DependentAgentPage(agents=agents, next_cursor=following, has_more=following is not None)
