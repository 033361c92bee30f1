"""Completions for the arguments of prompts and of resource templates."""

from collections.abc import Awaitable, Callable
from typing import Any

from ..api.client import ApiClient
from ..contract.agent_tests import ListInvocations
from ..contract.agents import ListAgents
from ..contract.conversations import ListConversations
from ..contract.knowledge_base import ListDocuments

MOST = 100
"""Maximum values in one answer, a limit of the protocol."""

Known = dict[str, str]
"""Arguments that are filled in already, by name."""
Source = Callable[[ApiClient, str, Known], Awaitable[list[str]]]


async def _agents(api: ApiClient, typed: str, _: Known) -> list[str]:
    """Ids of agents whose id begins with the text, or whose name contains it."""
    named = await api.send(ListAgents(page_size=MOST, search=typed or None))
    found = [agent.agent_id for agent in named.agents]
    if typed.startswith("agent_"):
        every = await api.send(ListAgents(page_size=MOST))
        found += [agent.agent_id for agent in every.agents if agent.agent_id.startswith(typed)]
    return found


async def _conversations(api: ApiClient, typed: str, known: Known) -> list[str]:
    """Ids of conversations, with rehearsals, because a new agent often has no other ones."""
    asked: dict[str, Any] = {"page_size": MOST, "include_simulated": True}
    asked |= {"agent_id": known["agent_id"]} if known.get("agent_id") else {}
    page = await api.send(ListConversations.model_validate(asked))
    return [row.conversation_id for row in page.conversations if row.conversation_id.startswith(typed)]


async def _documents(api: ApiClient, typed: str, _: Known) -> list[str]:
    page = await api.send(ListDocuments(page_size=MOST))
    rows: list[Any] = list(page.documents)
    wanted = typed.lower()
    return [row.id for row in rows if row.id.startswith(typed) or wanted in row.name.lower()]


async def _test_runs(api: ApiClient, typed: str, known: Known) -> list[str]:
    if not known.get("agent_id"):
        return []  # the platform lists runs by their agent
    page = await api.send(ListInvocations(agent_id=known["agent_id"], page_size=MOST))
    return [row.id for row in page.results if row.id.startswith(typed)]


SOURCES: dict[str, tuple[str, Source]] = {
    "agent_id": ("list_agents", _agents),
    "conversation_id": ("list_conversations", _conversations),
    "document_id": ("list_documents", _documents),
    "invocation_id": ("list_test_invocations", _test_runs),
}
"""Argument name -> the tool whose scope and approval policy apply, and the function that reads the values."""

CHOICES: dict[str, tuple[str, ...]] = {
    "language": (
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
        "sv",
        "da",
        "no",
        "fi",
        "cs",
        "tr",
        "ja",
        "ko",
        "zh",
        "hi",
    ),
    "target": ("hosted", "embedded"),
}
