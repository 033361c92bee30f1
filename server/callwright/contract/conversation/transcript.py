"""What was said in a conversation, turn by turn."""

from typing import Annotated

from pydantic import Field

from ..agent.prompt import EmbeddingModel
from ..common import Known, Maybe, Wire
from .tool_calls import AnyToolResult, ToolCall

Thumb = Annotated[str, Known("like", "dislike")]


class Speaker(Wire):
    """Which agent spoke, and at which node of its workflow."""

    agent_id: str
    branch_id: str | None = None
    workflow_node_id: str | None = None


class VoicePart(Wire):
    """Words in one voice; no label means the agent's own."""

    text: str
    voice_label: str | None
    time_in_call_secs: int | None


class MultivoiceMessage(Wire):
    """A message in several voices."""

    parts: list[VoicePart]


class TurnFeedback(Wire):
    """A thumb up or down at one moment of the call."""

    score: Thumb
    time_in_call_secs: int
    """Since the call began."""


class Metric(Wire):
    """One measured time in seconds."""

    elapsed_time: float


class TurnMetrics(Wire):
    """Measured times of a turn by name."""

    metrics: dict[str, Metric] = {}


class RetrievedChunk(Wire):
    """A passage that was found; the smaller the distance, the closer."""

    document_id: str
    chunk_id: str
    vector_distance: float


class Lookup(Wire):
    """What was looked up in the knowledge base for a turn."""

    chunks: list[RetrievedChunk]
    embedding_model: EmbeddingModel
    retrieval_query: str
    rag_latency_secs: float


class TokenCount(Wire):
    """Tokens of one kind and their price in US dollars."""

    tokens: Maybe[int] = None
    price: Maybe[float] = None


class ModelUsage(Wire):
    """Tokens that one model took."""

    input: TokenCount = Field(default_factory=TokenCount)
    input_cache_read: TokenCount = Field(default_factory=TokenCount)
    input_cache_write: TokenCount = Field(default_factory=TokenCount)
    output_total: TokenCount = Field(default_factory=TokenCount)


class LlmUsage(Wire):
    """Tokens by model."""

    model_usage: dict[str, ModelUsage] = {}


class Turn(Wire):
    """One thing said or done."""

    role: Annotated[str, Known("user", "agent")]
    agent_metadata: Speaker | None = None
    message: str | None = None
    multivoice_message: MultivoiceMessage | None = None
    tool_calls: list[ToolCall] = []
    tool_results: list[AnyToolResult] = []
    feedback: TurnFeedback | None = None
    llm_override: str | None = None
    """The model that answered, where it was not the agent's own."""
    time_in_call_secs: int
    conversation_turn_metrics: TurnMetrics | None = None
    rag_retrieval_info: Lookup | None = None
    llm_usage: LlmUsage | None = None
    interrupted: Maybe[bool] = None
    original_message: str | None = None
    """What the agent was going to say before it was interrupted."""
    source_medium: Annotated[str, Known("audio", "text")] | None = None
