"""What a language model would cost an agent."""

from typing import Annotated

from .agent.prompt import Llm
from .common import AgentId, Known, Limits, Maybe, Wire
from .operation import Operation

TURNS_A_MINUTE = 4
HISTORY_TOKENS = 400
"""Of one turn: what was said so far, on average over a conversation of four minutes."""
CHARACTERS_A_TOKEN = 4
CHARACTERS_A_PAGE = 2_000
"""500 tokens. The measure is ours: the platform does not say what a page is, nor what a minute has."""
PASSAGE_CHARACTERS = 50_000
"""What retrieval puts into one turn at most, unless the agent says otherwise."""

Count = Annotated[int, Limits(ge=0, source="ours: counts")]
ServiceTier = Annotated[str, Known("standard", "fast")]


class LlmPrice(Wire):
    """What one model would cost, in US dollars."""

    llm: Llm
    price_per_minute: float
    price_per_message: Maybe[float] = None
    """The newest clients do not read a price without it."""


class LlmPrices(Wire):
    """What each model would cost."""

    llm_prices: list[LlmPrice]


class CalculateLlmUsage(Operation[LlmPrices], method="POST", path="/v1/convai/llm-usage/calculate", effect="read"):
    """Estimate what each model costs for a prompt of this size. Changes nothing."""

    prompt_length: Count
    """Characters."""
    number_of_pages: Count
    """Pages of knowledge."""
    rag_enabled: bool


class CalculateAgentLlmUsage(
    Operation[LlmPrices], method="POST", path="/v1/convai/agent/{agent_id}/llm-usage/calculate", effect="read"
):
    """Estimate what each model costs for an agent; what is left out is taken from the agent. Changes nothing."""

    agent_id: AgentId
    prompt_length: Count | None = None
    """Characters."""
    number_of_pages: Count | None = None
    """Pages of knowledge."""
    rag_enabled: bool | None = None


class RetirementRule(Wire):
    """Days before a model's end, and shares in percent, by which its conversations move to another model."""

    warning_start_days: int
    fallback_start_days: int
    fallback_complete_days: int
    fallback_start_percentage: int
    fallback_complete_percentage: int


class Retirement(Wire):
    """Whether a model is on its way out, and what comes in its place."""

    llm: Llm
    is_deprecated: bool
    provider_deprecation_date: str | None = None
    """ISO 8601."""
    replacement_model: Llm | None = None


class LlmInfo(Wire):
    """What one model can do. Limits in tokens."""

    llm: Llm
    is_checkpoint: bool
    """Whether it is a dated variant."""
    max_tokens_limit: int
    """Of one answer."""
    max_context_limit: int
    supports_image_input: bool
    supports_document_input: bool
    supports_parallel_tool_calls: bool
    available_service_tiers: Maybe[list[ServiceTier]] = None
    """The newest clients do not read a model without it."""
    deprecation_info: Retirement | None = None


class LlmList(Wire):
    """Which models there are."""

    llms: list[LlmInfo]
    default_deprecation_config: RetirementRule


class ListLlms(Operation[LlmList], method="GET", path="/v1/convai/llm/list", measured=False):
    """Read which models there are, with their limits."""
