"""Tools to choose a language model and a voice: lists and prices."""

from typing import Annotated

from pydantic import Field

from ..approval.call import Api
from ..contract.agents import GetAgent, GetAgentKnowledgeSize
from ..contract.common import AgentId, Cursor, PageSize
from ..contract.errors import NotFound
from ..contract.llms import (
    HISTORY_TOKENS,
    PASSAGE_CHARACTERS,
    CalculateAgentLlmUsage,
    CalculateLlmUsage,
    ListLlms,
    LlmInfo,
    LlmPrice,
)
from ..contract.voices import ListVoices, Voice
from ..replies.savings import Load, levers
from ..replies.text import short
from ..replies.views import Page, View
from ..toolkit.toolset import PlatformApi, Toolset

TOOLS = Toolset("llms", "Choose language models and voices, and estimate what models cost.")

TYPICAL_PROMPT = 4_000
"""Prompt length in characters for which prices are shown by default."""

Characters = Annotated[int, Field(ge=0, description="Prompt length in characters.")]
Pages = Annotated[int, Field(ge=0, description="Pages of knowledge, 2,000 characters each.")]
Retrieval = Annotated[bool, Field(description="Retrieval instead of whole documents.")]


class Price(View):
    llm: str
    usd_a_minute: float
    usd_a_message: float | None = None

    def line(self) -> str:
        message = "" if self.usd_a_message is None else f", {self.usd_a_message:.6f} a message"
        return f"{self.llm}: ${self.usd_a_minute:.5f} a minute{message}"


class TurnTokens(View):
    """What one turn sends to the model."""

    prompt: int
    knowledge: int
    history: int


class Prices(View):
    """Cheapest first."""

    prices: list[Price]
    tokens_a_turn: TurnTokens
    cheapest_that_fit: list[str]
    """Models whose context takes such a turn."""
    levers: list[str]
    """What would make it cheaper, in words."""
    note: str = "An estimate for the language model alone; voice and telephone cost extra."


class LlmLine(View):
    llm: str
    context_tokens: int | None = None
    answer_tokens: int | None = None
    usd_a_minute: float | None = None
    sees_images: bool | None = None
    retires: str | None = None


class Llms(View):
    llms: list[LlmLine]
    note: str


class VoiceLine(View):
    voice_id: str
    name: str
    gender: str | None = None
    accent: str | None = None
    language: str | None = None
    tone: str | None = None
    description: str | None = None


class Voices(Page):
    voices: list[VoiceLine]


@TOOLS.tool(
    ListVoices,
    title="List voices",
    words="male female deep spanish english speak stimmen hombre mujer homme femme sound",
)
async def list_voices(
    api: PlatformApi,
    search: Annotated[str | None, Field(max_length=200, description="Words, as warm british.")] = None,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 20,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Voices:
    """Find a voice by gender, accent, age or tone; its voice_id goes into create_agent or update_agent."""
    asked = {"search": search, "next_page_token": cursor, "page_size": page_size}
    page = await api.send(ListVoices.model_validate({k: v for k, v in asked.items() if v is not None}))
    return Voices(
        voices=[_voice(voice) for voice in page.voices], has_more=page.has_more, next_cursor=page.next_page_token
    )


@TOOLS.tool(
    ListLlms,
    CalculateLlmUsage,
    title="List language models",
    words="gpt claude gemini cheaper languages models which",
    default=False,
)
async def list_llms(api: PlatformApi) -> Llms:
    """List language models with context, typical price and retirement. Prices for your sizes: calculate_llm_usage."""
    usage = CalculateLlmUsage(prompt_length=TYPICAL_PROMPT, number_of_pages=0, rag_enabled=False)
    prices = {price.llm: price for price in (await api.send(usage)).llm_prices}
    limits = await _limits(api)
    names = sorted({*prices, *limits}, key=lambda llm: (_minute(prices.get(llm)), llm))
    return Llms(
        llms=[_line(llm, limits.get(llm), prices.get(llm)) for llm in names],
        note=f"Prices for a prompt of {TYPICAL_PROMPT:,} characters without knowledge; some models have none here.",
    )


@TOOLS.tool(
    CalculateLlmUsage, CalculateAgentLlmUsage, GetAgent, GetAgentKnowledgeSize, ListLlms, title="Calculate LLM usage",
    words="cost costs price expensive month minute call bill budget kostet coute cuesta costa much",
)  # fmt: skip
async def calculate_llm_usage(
    api: PlatformApi,
    agent_id: Annotated[AgentId | None, Field(description="Its sizes, where none are given.")] = None,
    prompt_length: Characters | None = None,
    number_of_pages: Pages | None = None,
    rag_enabled: Retrieval | None = None,
) -> Prices:
    """Estimate what an agent costs a minute by language model and how to cut it; or for given sizes."""
    given = {"prompt_length": prompt_length, "number_of_pages": number_of_pages, "rag_enabled": rag_enabled}
    sizes = {name: value for name, value in given.items() if value is not None}
    if agent_id is None:
        body = {"prompt_length": TYPICAL_PROMPT, "number_of_pages": 0, "rag_enabled": False} | sizes
        usage = CalculateLlmUsage.model_validate(body)
        found = await api.send(usage)
        load = Load(usage.prompt_length, usage.number_of_pages, PASSAGE_CHARACTERS if usage.rag_enabled else None)
    else:
        asked = CalculateAgentLlmUsage.model_validate({"agent_id": agent_id, **sizes})
        found = await api.send(asked)
        load = await _load(api, asked)
    cheapest = sorted(found.llm_prices, key=lambda price: (price.price_per_minute, price.llm))
    limits = await _limits(api)
    fitting = [p for p in cheapest if p.llm not in limits or load.total <= limits[p.llm].max_context_limit]
    return Prices(
        prices=[_price(price) for price in cheapest],
        tokens_a_turn=TurnTokens(prompt=load.prompt, knowledge=load.knowledge, history=HISTORY_TOKENS),
        cheapest_that_fit=[price.llm for price in fitting[:3]],
        levers=levers(load, fitting),
    )


async def _load(api: Api, asked: CalculateAgentLlmUsage) -> Load:
    """The load of an agent; sizes in the question replace those of the agent."""
    told = (await api.send(GetAgent(agent_id=asked.agent_id))).conversation_config.agent.prompt
    pages: float | None = asked.number_of_pages
    if pages is None:
        pages = (await api.send(GetAgentKnowledgeSize(agent_id=asked.agent_id))).number_of_pages
    retrieves = told.rag.enabled if asked.rag_enabled is None else asked.rag_enabled
    return Load(
        prompt_length=len(told.prompt or "") if asked.prompt_length is None else asked.prompt_length,
        pages=pages,
        passages=(told.rag.max_documents_length or PASSAGE_CHARACTERS) if retrieves else None,
        llm=told.llm,
        answers_bounded=(told.max_tokens or -1) > 0,
    )


async def _limits(api: Api) -> dict[str, LlmInfo]:
    """Models by name; empty if the platform is older than its list of models."""
    try:
        return {found.llm: found for found in (await api.send(ListLlms())).llms}
    except NotFound:
        return {}


def _minute(price: LlmPrice | None) -> float:
    return float("inf") if price is None else price.price_per_minute


def _price(price: LlmPrice) -> Price:
    return Price(llm=price.llm, usd_a_minute=price.price_per_minute, usd_a_message=price.price_per_message)


def _line(llm: str, info: LlmInfo | None, price: LlmPrice | None) -> LlmLine:
    line = LlmLine(llm=llm, usd_a_minute=price.price_per_minute if price else None)
    if info is None:
        return line
    retirement = info.deprecation_info
    retires = None
    if retirement and retirement.is_deprecated:
        instead = f"; use {retirement.replacement_model}" if retirement.replacement_model else ""
        retires = f"{(retirement.provider_deprecation_date or 'soon')[:10]}{instead}"
    limits = {"context_tokens": info.max_context_limit, "answer_tokens": info.max_tokens_limit}
    return line.model_copy(update={**limits, "sees_images": info.supports_image_input, "retires": retires})


def _voice(voice: Voice) -> VoiceLine:
    labels = voice.labels
    tone = labels.get("descriptive") or labels.get("description")
    return VoiceLine(
        voice_id=voice.voice_id,
        name=short(voice.name or voice.voice_id),
        gender=labels.get("gender"),
        accent=labels.get("accent"),
        language=labels.get("language"),
        tone=short(tone) if tone else None,
        description=short(voice.description, 160) if voice.description else None,
    )
