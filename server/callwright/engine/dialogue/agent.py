"""The runtime's view of an agent, read once from its configuration in wire form.

Absent and null both mean "not set". Unknown fields are ignored. No configuration is refused here, because it was
validated when it was saved.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...contract.paths import at
from .passages import Document
from .tools import Tool, inline_tools
from .variables import Value

RAG_CHARACTERS = 50_000
"""The platform's `max_documents_length`."""
RAG_PASSAGES = 20
"""The platform's `max_retrieved_rag_chunks_count`."""


@dataclass(frozen=True)
class Agent:
    id: str
    first_message: str
    language: str
    languages: frozenset[str]
    prompt: str
    llm: str
    custom_llm: Mapping[str, Any] | None
    """The agent's own LLM endpoint, as it is stored; used where `llm` names it."""
    temperature: float | None
    max_tokens: int | None
    reasoning_effort: str | None
    timezone: str | None
    turn: Mapping[str, Any]
    """The turn configuration: how long the agent waits for the user."""
    placeholders: Mapping[str, Value | None]
    voices: Sequence[tuple[str, str]]
    tools: Sequence[Tool]
    mcp_server_ids: Sequence[str]
    """MCP servers whose tools the agent may call in addition to `tools`."""
    usage_modes: Mapping[str, str]
    """Document id to `prompt` (always whole) or `auto`."""
    rag: bool
    rag_characters: int
    rag_passages: int

    def whole(self, documents: Sequence[Document]) -> list[Document]:
        """Documents included whole in the prompt: those set to `prompt`, or small ones while retrieval is off."""
        fits = not self.rag and sum(len(document.text) for document in documents) <= self.rag_characters
        return [document for document in documents if fits or self.usage_modes.get(document.id) == "prompt"]

    def looked_up(self, documents: Sequence[Document]) -> list[Document]:
        """The other documents, of which the prompt includes only passages relevant to the conversation."""
        whole = {document.id for document in self.whole(documents)}
        return [document for document in documents if document.id not in whole]


def read_agent(
    agent_id: str, conversation_config: Mapping[str, Any], *, languages: Collection[str] = (), on_phone: bool = False
) -> Agent:
    """Read `conversation_config` in the platform's form. A simulated user is `{"agent": simulated_user_config}`.

    `languages`: languages besides the one of the configuration and its presets. `on_phone`: include the tools that need
    a telephone line.
    """
    agent: Mapping[str, Any] = at(conversation_config, "agent") or {}
    told = at(agent, "prompt")
    # Older versions of the API sent a simulated user's prompt as a plain string.
    prompt: Mapping[str, Any] = {"prompt": told} if isinstance(told, str) else told or {}
    language = at(agent, "language") or "en"
    presets: Mapping[str, Any] = at(conversation_config, "language_presets") or {}
    spoken = frozenset({language, *presets, *languages})
    limit = at(prompt, "max_tokens")
    rag: Mapping[str, Any] = at(prompt, "rag") or {}
    voices: Sequence[Mapping[str, Any]] = at(conversation_config, "tts", "supported_voices") or ()
    turn: dict[str, Any] = at(conversation_config, "turn") or {}
    return Agent(
        id=agent_id,
        first_message=at(agent, "first_message") or "",
        language=language,
        languages=spoken,
        prompt=at(prompt, "prompt") or "",
        llm=at(prompt, "llm") or "",
        custom_llm=at(prompt, "custom_llm"),
        temperature=at(prompt, "temperature"),
        max_tokens=limit if limit and limit > 0 else None,  # the platform writes -1 for "no limit"
        reasoning_effort=at(prompt, "reasoning_effort"),
        timezone=at(prompt, "timezone"),
        turn={name: value for name, value in turn.items() if value is not None},
        placeholders=at(agent, "dynamic_variables", "dynamic_variable_placeholders") or {},
        voices=[(voice["label"], voice.get("description") or "") for voice in voices],
        tools=inline_tools(prompt, sorted(spoken), on_phone=on_phone),
        mcp_server_ids=at(prompt, "mcp_server_ids") or (),
        usage_modes={d["id"]: d.get("usage_mode") or "auto" for d in at(prompt, "knowledge_base") or ()},
        rag=bool(at(rag, "enabled")),
        rag_characters=at(rag, "max_documents_length") or RAG_CHARACTERS,
        rag_passages=at(rag, "max_retrieved_rag_chunks_count") or RAG_PASSAGES,
    )
