"""What a language model would cost an agent."""

from typing import Annotated

from .agent.prompt import Llm
from .common import AgentId, Limits, Maybe, Wire
from .operation import Operation

Count = Annotated[int, Limits(ge=0)]


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
