"""Prices and context sizes of language models, from the platform's guide.

Models newer than the guide have no price here.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """Prices in US dollars per million tokens; for the platform's own models, per minute of conversation."""

    llm: str
    context: int
    """Tokens of prompt and answer together."""
    most_output: int
    """Tokens of one answer."""
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    per_minute: float | None = None
    sees: bool = False
    """Whether the model accepts images and documents."""


MODELS = (
    Model("gemini-1.5-pro", 2_097_152, 8_192, 1.25, 5, 0.3125, sees=True),
    Model("gemini-1.5-flash", 1_048_576, 8_192, 0.075, 0.3, 0.01875, sees=True),
    Model("gemini-2.0-flash", 1_048_576, 8_192, 0.1, 0.4, 0.025, sees=True),
    Model("gemini-2.0-flash-lite", 1_048_576, 8_192, 0.075, 0.3, sees=True),
    Model("gemini-2.5-flash", 1_048_576, 65_535, 0.15, 0.6, sees=True),
    Model("gpt-4o-mini", 128_000, 16_384, 0.15, 0.6, 0.075, sees=True),
    Model("gpt-4o", 128_000, 4_096, 2.5, 10, 1.25, sees=True),
    Model("gpt-4", 8_192, 8_192, 30, 60),
    Model("gpt-4-turbo", 128_000, 4_096, 10, 30, sees=True),
    Model("gpt-4.1", 1_047_576, 32_768, 2, 8, sees=True),
    Model("gpt-4.1-mini", 1_047_576, 32_768, 0.4, 1.6, 0.1, sees=True),
    Model("gpt-4.1-nano", 1_047_576, 32_768, 0.1, 0.4, 0.025, sees=True),
    Model("gpt-3.5-turbo", 16_385, 4_096, 0.5, 1.5),
    Model("claude-sonnet-4", 200_000, 64_000, 3, 15, 0.3, 3.75, sees=True),
    Model("claude-3-7-sonnet", 200_000, 4_096, 3, 15, 0.3, 3.75, sees=True),
    Model("claude-3-5-sonnet", 200_000, 4_096, 3, 15, 0.3, 3.75, sees=True),
    Model("claude-3-5-sonnet-v1", 200_000, 4_096, 3, 15, 0.3, 3.75, sees=True),
    Model("claude-3-haiku", 200_000, 4_096, 0.25, 1.25, 0.03, 0.3, sees=True),
    Model("gpt-oss-20b", 128_000, 4_096, per_minute=0.0015),
    Model("gpt-oss-120b", 128_000, 4_096, per_minute=0.0028),
    Model("qwen3-30b-a3b", 120_000, 4_096, per_minute=0.0029),
)

_BY_NAME = {model.llm: model for model in MODELS}
_VARIANT = re.compile(r"(-v2)?([-@]\d[\d-]*|-latest)?")
"""Suffixes that do not change the model: a date, the number of a snapshot."""


def family(name: str) -> str:
    """The name of a model without a provider prefix and a date suffix, which endpoints add."""
    short = name.rpartition("/")[2]
    known = [llm for llm in _BY_NAME if short.startswith(llm) and _VARIANT.fullmatch(short[len(llm) :])]
    return max(known, key=len, default=name)


def context_of(name: str) -> int | None:
    """The maximum number of tokens of prompt and answer together; None if the guide does not list the model."""
    model = _BY_NAME.get(family(name))
    return model.context if model else None


def token_prices(name: str) -> tuple[float, float, float] | None:
    """US dollars per input token, per cached input token, and per output token.

    None if the guide lists no such prices. Without a cache price, cached tokens cost as much as input tokens.
    """
    model = _BY_NAME.get(family(name))
    if model is None or model.input is None or model.output is None:
        return None
    cached = model.input if model.cache_read is None else model.cache_read
    return model.input / 1e6, cached / 1e6, model.output / 1e6
