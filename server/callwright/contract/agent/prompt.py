"""What an agent is told, knows and can do."""

from typing import Annotated

from pydantic import Field

from ..common import HeaderValue, Known, Maybe, OneOf, SecretLocator, Unknown, Wire
from .system_tools import BuiltInTools, SystemTool
from .tools import ClientTool, WebhookTool

Llm = Annotated[
    str,
    Known(
        "gpt-4o-mini",
        "gpt-4o",
        "gpt-4",
        "gpt-4-turbo",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4.1-nano",
        "gpt-5",
        "gpt-5-mini",
        "gpt-5-nano",
        "gpt-3.5-turbo",
        "gemini-1.5-pro",
        "gemini-1.5-flash",
        "gemini-2.0-flash",
        "gemini-2.0-flash-lite",
        "gemini-2.5-flash-lite",
        "gemini-2.5-flash",
        "claude-sonnet-4-5",
        "claude-sonnet-4",
        "claude-haiku-4-5",
        "claude-3-7-sonnet",
        "claude-3-5-sonnet",
        "claude-3-5-sonnet-v1",
        "claude-3-haiku",
        "grok-beta",
        "custom-llm",
        "qwen3-4b",
        "qwen3-30b-a3b",
        "gpt-oss-20b",
        "gpt-oss-120b",
        "glm-45-air-fp8",
        "gemini-2.5-flash-preview-09-2025",
        "gemini-2.5-flash-lite-preview-09-2025",
        "gemini-2.5-flash-preview-05-20",
        "gemini-2.5-flash-preview-04-17",
        "gemini-2.5-flash-lite-preview-06-17",
        "gemini-2.0-flash-lite-001",
        "gemini-2.0-flash-001",
        "gemini-1.5-flash-002",
        "gemini-1.5-flash-001",
        "gemini-1.5-pro-002",
        "gemini-1.5-pro-001",
        "claude-sonnet-4@20250514",
        "claude-sonnet-4-5@20250929",
        "claude-haiku-4-5@20251001",
        "claude-3-7-sonnet@20250219",
        "claude-3-5-sonnet@20240620",
        "claude-3-5-sonnet-v2@20241022",
        "claude-3-haiku@20240307",
        "gpt-5-2025-08-07",
        "gpt-5-mini-2025-08-07",
        "gpt-5-nano-2025-08-07",
        "gpt-4.1-2025-04-14",
        "gpt-4.1-mini-2025-04-14",
        "gpt-4.1-nano-2025-04-14",
        "gpt-4o-mini-2024-07-18",
        "gpt-4o-2024-11-20",
        "gpt-4o-2024-08-06",
        "gpt-4o-2024-05-13",
        "gpt-4-0613",
        "gpt-4-0314",
        "gpt-4-turbo-2024-04-09",
        "gpt-3.5-turbo-0125",
        "gpt-3.5-turbo-1106",
        "watt-tool-8b",
        "watt-tool-70b",
    ),
]
UsageMode = Annotated[str, Known("prompt", "auto")]
DocumentType = Annotated[str, Known("file", "url", "text")]
EmbeddingModel = Annotated[str, Known("e5_mistral_7b_instruct", "multilingual_e5_large_instruct")]
ReasoningEffort = Annotated[str, Known("minimal", "low", "medium", "high")]
InlineTool = Annotated[WebhookTool | ClientTool | SystemTool | Unknown, OneOf("type")]


class KnowledgeLocator(Wire):
    """A document that the agent knows."""

    type: DocumentType
    name: str
    id: str
    usage_mode: Maybe[UsageMode] = None
    """`prompt`: always in the prompt as a whole; `auto`: looked up where retrieval is on."""


class CustomLlm(Wire):
    """An endpoint of your own that speaks chat completions."""

    url: str
    """With or without `/chat/completions` at its end."""
    model_id: str | None = None
    api_key: SecretLocator | None = None
    request_headers: dict[str, HeaderValue] = {}
    api_version: str | None = None


class Retrieval(Wire):
    """How passages are looked up instead of putting whole documents in the prompt."""

    enabled: Maybe[bool] = None
    embedding_model: Maybe[EmbeddingModel] = None
    max_vector_distance: Maybe[float] = None
    """Passages further away than this are not used."""
    max_documents_length: Maybe[int] = None
    """Characters of passages in one turn."""
    max_retrieved_rag_chunks_count: Maybe[int] = None


class Prompt(Wire):
    """What the agent is told, with which model, tools and knowledge."""

    prompt: Maybe[str] = None
    llm: Maybe[Llm] = None
    reasoning_effort: ReasoningEffort | None = None
    temperature: Maybe[float] = None
    max_tokens: Maybe[int] = None
    """Of one answer; -1: no limit."""
    tool_ids: list[str] = []
    """Tools that are stored on their own; `tools` are written out here."""
    built_in_tools: BuiltInTools = Field(default_factory=BuiltInTools)
    mcp_server_ids: list[str] = []
    native_mcp_server_ids: list[str] = []
    knowledge_base: list[KnowledgeLocator] = []
    custom_llm: CustomLlm | None = None
    """Read where `llm` is `custom-llm`."""
    ignore_default_personality: bool | None = None
    rag: Retrieval = Field(default_factory=Retrieval)
    timezone: str | None = None
    """IANA name; tells the model the time."""
    tools: list[InlineTool] = []
