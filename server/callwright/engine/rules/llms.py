"""The handlers of language models: the list of models, and an agent's estimated price with each.

The platform does not document its price estimate, so the formula is this project's. One minute of conversation is

* TURNS_A_MINUTE requests, each with the whole prompt, the knowledge and the conversation so far:
  input = turns x (prompt characters / 4 + knowledge + HISTORY_TOKENS), where knowledge is the pages x 500 tokens, and
  with retrieval at most the passages that one turn may have;
* OUTPUT_TOKENS of answers: the agent speaks half of 150 words a minute, four tokens to three words.

Prices of cached tokens are ignored, so that a long unchanged prompt costs less than the estimate. Models whose context
is too small for the input of one turn are left out, because they could not be used.
"""

from sqlalchemy import RowMapping

from ...contract.llms import (
    CHARACTERS_A_PAGE,
    CHARACTERS_A_TOKEN,
    HISTORY_TOKENS,
    PASSAGE_CHARACTERS,
    TURNS_A_MINUTE,
    CalculateAgentLlmUsage,
    CalculateLlmUsage,
    ListLlms,
    LlmInfo,
    LlmList,
    LlmPrice,
    LlmPrices,
    RetirementRule,
)
from ...contract.merge import Json
from ..dialogue.prices import MODELS, Model
from ..handlers import Handlers
from ..schema.tables import agent
from ..store.documents import pages_of
from ..store.transaction import Tx

llms = Handlers()

OUTPUT_TOKENS = 100


@llms.implements(CalculateLlmUsage, proof="test_a_price_is_what_the_formula_gives_by_hand")
def calculate(_: Tx, op: CalculateLlmUsage) -> LlmPrices:
    return _prices(op.prompt_length, op.number_of_pages, PASSAGE_CHARACTERS if op.rag_enabled else None)


@llms.implements(CalculateAgentLlmUsage, proof="test_an_agents_price_follows_from_what_it_has")
def calculate_for_agent(tx: Tx, op: CalculateAgentLlmUsage) -> LlmPrices:
    row: RowMapping = tx.one(agent, op.agent_id)
    prompt: Json = row["document"]["conversation_config"]["agent"]["prompt"]
    rag: Json = prompt.get("rag") or {}
    length = len(prompt.get("prompt") or "") if op.prompt_length is None else op.prompt_length
    pages = pages_of(tx, row["document"]) if op.number_of_pages is None else op.number_of_pages
    retrieves = bool(rag.get("enabled")) if op.rag_enabled is None else op.rag_enabled
    return _prices(length, pages, (rag.get("max_documents_length") or PASSAGE_CHARACTERS) if retrieves else None)


@llms.implements(ListLlms, proof="test_models_are_listed_with_their_limits")
def list_llms(_: Tx, __: ListLlms) -> LlmList:
    """The models with known limits. Agents may use other names too, which the operator's endpoints serve."""
    return LlmList(llms=[_info(model) for model in MODELS], default_deprecation_config=_NEVER)


def _prices(prompt_length: int, pages: float, passages: int | None) -> LlmPrices:
    """Estimated prices, cheapest first. `passages`: most characters that retrieval adds to a turn, None for all."""
    known = pages * CHARACTERS_A_PAGE
    knowledge = known if passages is None else min(known, passages)
    tokens = (prompt_length + knowledge) / CHARACTERS_A_TOKEN + HISTORY_TOKENS
    found = [_price(model, tokens) for model in MODELS if tokens <= model.context]
    return LlmPrices(llm_prices=sorted(found, key=lambda price: (price.price_per_minute, price.llm)))


def _price(model: Model, tokens: float) -> LlmPrice:
    per_minute = model.per_minute
    if per_minute is None:
        read, written = TURNS_A_MINUTE * tokens * (model.input or 0), OUTPUT_TOKENS * (model.output or 0)
        per_minute = (read + written) / 1_000_000
    return LlmPrice(
        llm=model.llm, price_per_minute=round(per_minute, 6), price_per_message=round(per_minute / TURNS_A_MINUTE, 6)
    )


def _info(model: Model) -> LlmInfo:
    return LlmInfo(
        llm=model.llm,
        is_checkpoint=False,
        max_tokens_limit=model.most_output,
        max_context_limit=model.context,
        supports_image_input=model.sees,
        supports_document_input=model.sees,
        supports_parallel_tool_calls=True,
        available_service_tiers=["standard"],
    )


_NEVER = RetirementRule(
    warning_start_days=0,
    fallback_start_days=0,
    fallback_complete_days=0,
    fallback_start_percentage=0,
    fallback_complete_percentage=0,
)
"""No model is ever retired here: the operator's endpoint decides which model answers."""
