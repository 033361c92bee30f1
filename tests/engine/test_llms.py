"""What language models cost: the formula by hand, and where its sizes come from."""

import pytest
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agents import GetAgentKnowledgeSize
from callwright.contract.llms import CalculateAgentLlmUsage, CalculateLlmUsage, ListLlms, LlmPrices

from .helpers import agent, dump, knowing, text, workflow

pytestmark = pytest.mark.anyio


def minute(prices: LlmPrices) -> dict[str, float]:
    return {price.llm: price.price_per_minute for price in prices.llm_prices}


async def calculated(api: ApiClient, length: int, pages: int, *, rag: bool = False) -> LlmPrices:
    return await api.send(CalculateLlmUsage(prompt_length=length, number_of_pages=pages, rag_enabled=rag))


async def test_a_price_is_what_the_formula_gives_by_hand(api: ApiClient) -> None:
    """4 turns a minute, each with 1,000 tokens of prompt, 10 x 500 of knowledge, 400 of history; 100 tokens said."""
    prices = await calculated(api, 4_000, 10)
    gpt_4o = next(price for price in prices.llm_prices if price.llm == "gpt-4o")
    by_hand = (4 * (1_000 + 5_000 + 400) * 2.5 + 100 * 10) / 1_000_000
    assert (gpt_4o.price_per_minute, gpt_4o.price_per_message) == (pytest.approx(by_hand), pytest.approx(by_hand / 4))  # pyright: ignore[reportUnknownMemberType]
    assert minute(prices)["gpt-oss-20b"] == 0.0015


async def test_the_cheapest_comes_first(api: ApiClient) -> None:
    costs = list(minute(await calculated(api, 4_000, 0)).values())
    assert costs == sorted(costs)
    assert len(costs) == 21


async def test_retrieval_bounds_what_knowledge_costs(api: ApiClient) -> None:
    """The passages of one turn have at most 50,000 characters, which are 25 pages."""
    few, many = await calculated(api, 0, 25, rag=True), await calculated(api, 0, 400, rag=True)
    assert minute(few) == minute(many)
    assert minute(await calculated(api, 0, 25)) == minute(few)
    assert minute(await calculated(api, 0, 400))["gemini-2.0-flash"] > minute(many)["gemini-2.0-flash"]


async def test_a_model_that_cannot_take_the_prompt_has_no_price(api: ApiClient) -> None:
    small, large = minute(await calculated(api, 31_000, 0)), minute(await calculated(api, 32_000, 0))
    assert small.keys() - large.keys() == {"gpt-4"}


async def test_an_agents_price_follows_from_what_it_has(api: ApiClient) -> None:
    document = await text(api, content="x" * 60_000)
    ada = await agent(api, knowing(document, prompt="p" * 4_000))
    prices = await api.send(CalculateAgentLlmUsage(agent_id=ada))
    assert minute(prices) == minute(await calculated(api, 4_000, 30))
    shorter = await api.send(CalculateAgentLlmUsage(agent_id=ada, prompt_length=400, number_of_pages=0))
    assert minute(shorter) == minute(await calculated(api, 400, 0))


async def test_an_agents_own_retrieval_counts(api: ApiClient) -> None:
    document = await text(api, content="x" * 60_000)
    rag = {"enabled": True, "max_documents_length": 20_000}
    ada = await agent(api, knowing(document, prompt="", rag=rag))
    assert minute(await api.send(CalculateAgentLlmUsage(agent_id=ada))) == minute(await calculated(api, 0, 10))
    whole = await api.send(CalculateAgentLlmUsage(agent_id=ada, rag_enabled=False))
    assert minute(whole) == minute(await calculated(api, 0, 30))


async def test_the_size_of_an_agents_knowledge_is_told_in_pages(api: ApiClient) -> None:
    """2,000 characters a page; each document counts once, also what only a step of the workflow knows."""
    first, second = await text(api, content="ä" * 3_000), await text(api, content="x" * 500)
    locator = {"type": "text", "name": "n", "id": second}
    node = {"type": "override_agent", "label": "Desk", "additional_knowledge_base": [locator, {**locator, "id": first}]}
    ada = await agent(api, knowing(first), workflow=workflow(node))
    assert dump(await api.send(GetAgentKnowledgeSize(agent_id=ada))) == {"number_of_pages": 1.75}
    assert dump(await api.send(GetAgentKnowledgeSize(agent_id=await agent(api)))) == {"number_of_pages": 0.0}


async def test_models_are_listed_with_their_limits(api: ApiClient) -> None:
    found = {model.llm: model for model in (await api.send(ListLlms())).llms}
    assert minute(await calculated(api, 0, 0)).keys() == found.keys()
    assert dump(found["gpt-4o"]) == snapshot(
        {
            "llm": "gpt-4o",
            "is_checkpoint": False,
            "max_tokens_limit": 4096,
            "max_context_limit": 128000,
            "supports_image_input": True,
            "supports_document_input": True,
            "supports_parallel_tool_calls": True,
            "available_service_tiers": ["standard"],
        }
    )
