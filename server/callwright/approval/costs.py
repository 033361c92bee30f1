"""Estimate the cost of calls from the platform's prices, for the question to a person."""

from ..api.client import ApiClient
from ..contract.agents import Agent, GetAgent
from ..contract.errors import ApiError
from ..contract.llms import CalculateAgentLlmUsage


async def costs(api: ApiClient, agent_id: str, calls: int) -> str:
    """An upper bound in words: the agent's longest call times its model's price, without the providers' fees."""
    if not calls:
        return "Costs nothing."
    agent = await api.send(GetAgent(agent_id=agent_id))
    each = agent.conversation_config.conversation.max_duration_seconds or 0
    price = await _minute(api, agent)
    said = "Costs minutes with the telephone provider and the platform"
    if not each:
        return f"{said}." if price is None else f"{said}; the language model about {price:.4f} USD a minute."
    minutes = calls * each / 60
    most = f"at most {minutes:,.0f} min" + (f" ({calls:,} x {each / 60:,.0f})" if calls > 1 else "")
    if price is None:
        return f"{said}, {most}."
    return f"{said}, {most}; the language model about {price:.4f} USD a minute, so at most {_usd(price * minutes)}."


def _usd(amount: float) -> str:
    return f"{amount:,.2f} USD" if amount >= 0.01 else "1 cent"


async def _minute(api: ApiClient, agent: Agent) -> float | None:
    """Price of the agent's model in USD a minute; None if the platform has no price for it."""
    try:
        found = await api.send(CalculateAgentLlmUsage(agent_id=agent.agent_id))
    except ApiError:
        return None  # a question without a price is better than none
    model = agent.conversation_config.agent.prompt.llm
    return next((price.price_per_minute for price in found.llm_prices if price.llm == model), None)
