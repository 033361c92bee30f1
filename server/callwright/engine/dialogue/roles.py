"""A role: an agent with its model, tools and documents, as configured at a node of its workflow."""

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
    """None: the role runs offline, by quoting its documents."""
    workflow: Workflow | None = None
    needs: frozenset[str] = frozenset()
    """Variables in texts reached only later in the conversation, which no tool sets before."""
    node_id: str | None = None
    """The workflow node of this role."""
    retrieval: Retrieval = Bm25Retriever
    """Creates the retriever for the role's documents."""


class RoleProvider(Protocol):
    """Loads the roles of a conversation: the agent's own at the nodes of its workflow, and those of other agents."""

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        """The role at a node. At a tool node it has exactly the node's tools. `language`: used if the agent has it.

        Raises NotFound, and BadRequest for an agent that may not take part.
        """
        ...
