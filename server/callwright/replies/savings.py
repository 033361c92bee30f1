"""Compute where the tokens of an agent's turn go and what would save some, from its configuration alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..contract.llms import (
    CHARACTERS_A_PAGE,
    CHARACTERS_A_TOKEN,
    HISTORY_TOKENS,
    PASSAGE_CHARACTERS,
    TURNS_A_MINUTE,
    LlmPrice,
)

FEW_PASSAGES = 10_000
"""Characters of retrieved passages that suffice for most questions."""
LONG_PROMPT = 1_000
"""Prompt size in tokens from which on shortening the prompt, or splitting the agent, pays off."""


@dataclass(frozen=True)
class Load:
    """The input that every turn of an agent sends to its model."""

    prompt_length: int
    """Characters."""
    pages: float
    passages: int | None = None
    """Maximum characters that retrieval adds to a turn; None if every document is sent whole."""
    llm: str | None = None
    """The agent's model; None if only sizes are known."""
    answers_bounded: bool = False
    """Whether `max_tokens` is set."""

    @property
    def prompt(self) -> int:
        return round(self.prompt_length / CHARACTERS_A_TOKEN)

    @property
    def knowledge(self) -> int:
        characters = self.pages * CHARACTERS_A_PAGE
        return round((characters if self.passages is None else min(characters, self.passages)) / CHARACTERS_A_TOKEN)

    @property
    def total(self) -> int:
        return self.prompt + self.knowledge + HISTORY_TOKENS


def levers(load: Load, fitting: Sequence[LlmPrice]) -> list[str]:
    """Texts on how to save cost, the model first. `fitting`: prices of the models whose context fits the load."""
    return [*_model(load, fitting), *_knowledge(load), *_prompt(load), *_history(load), *_answers(load)]


def _model(load: Load, fitting: Sequence[LlmPrice]) -> Iterator[str]:
    own = next((price for price in fitting if price.llm == load.llm), None)
    if own is None or fitting[0].price_per_minute >= own.price_per_minute:
        return
    least = fitting[0]
    yield (
        f"Model: {own.llm} costs ${own.price_per_minute:.5f} a minute here, {least.llm} ${least.price_per_minute:.5f}."
        " Run the agent's tests with a cheaper one before you change it."
    )


def _knowledge(load: Load) -> Iterator[str]:
    if load.passages is None:
        fewer, how = replace(load, passages=PASSAGE_CHARACTERS), "switch retrieval on (rag.enabled)"
        if fewer.knowledge == load.knowledge:
            fewer, how = replace(load, passages=FEW_PASSAGES), f"{how} with max_documents_length {FEW_PASSAGES:,}"
    else:
        fewer, how = replace(load, passages=FEW_PASSAGES), f"lower max_documents_length to {FEW_PASSAGES:,}"
    if saved := max(load.knowledge - fewer.knowledge, 0):
        yield (
            f"Knowledge: {how}: at most {fewer.knowledge:,} tokens a turn instead of {load.knowledge:,},"
            f" {TURNS_A_MINUTE * saved:,} fewer a minute. Documents that nobody asks about can go."
        )


def _prompt(load: Load) -> Iterator[str]:
    if load.prompt > LONG_PROMPT:
        yield (
            f"Prompt: {load.prompt:,} tokens go out with every turn, {TURNS_A_MINUTE * load.prompt:,} a minute."
            " Shorten it, or divide it between agents that hand over to each other."
        )


def _history(load: Load) -> Iterator[str]:
    if load.total < HISTORY_TOKENS * 2:
        yield (
            f"History: what was said is {100 * HISTORY_TOKENS // load.total} % of a turn, and grows with every one."
            " Let the agent end the call when it is done (end_call)."
        )


def _answers(load: Load) -> Iterator[str]:
    if not load.answers_bounded:
        yield (
            "Answers: a token that comes out costs several that go in. Ask for one or two sentences in the prompt;"
            " max_tokens is the hard limit."
        )
