"""Who speaks on the agent's side: an agent with what belongs to it, as the node of its workflow has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...workflow.graph import Workflow
from .agent import Agent
from .bm25 import Bm25Retriever
from .llm import LLM
from .passages import Document, Retrieval


@dataclass(frozen=True)
class Role:
    agent: Agent
    documents: Sequence[Document] = ()
    llm: LLM | None = None
    """None: it speaks offline, by quoting its documents."""
    workflow: Workflow | None = None
    needs: frozenset[str] = frozenset()
    """Variables that texts name which are only reached later in the conversation, and that no tool sets before."""
    node_id: str | None = None
    """Where in its workflow it speaks like this."""
    retrieval: Retrieval = Bm25Retriever
    """How passages are looked up in its documents."""


class RoleProvider(Protocol):
    """The roles that a conversation can come to: the agent's own at the nodes of its workflow, and other agents."""

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        """At a tool node the role has exactly the tools of the node. `language`: in which it speaks, if it can.

        Raises NotFound, and BadRequest for an agent that may not take part.
        """
        ...
