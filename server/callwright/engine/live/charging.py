"""What the language models of one conversation have cost."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ...contract.merge import Json
from ..dialogue.agent import at
from ..prices import MODELS

_PRICES = {model.llm: model for model in MODELS if model.per_minute is None}
_KINDS = {
    "input": "input",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "output_total": "output",
}
"""Kinds of tokens, by the price that each has."""


def charging(transcript: Sequence[Mapping[str, Any]], *, burst: bool) -> Json:
    """Tokens by model, with their price in US dollars where the guide has one. Calls themselves cost nothing here."""
    models: dict[str, dict[str, Json]] = {}
    for turn in transcript:
        for model, counted in cast(dict[str, Json], at(turn, "llm_usage", "model_usage") or {}).items():
            into = models.setdefault(model, {kind: {"tokens": 0, "price": 0.0} for kind in _KINDS})
            for kind in _KINDS:
                tokens: int = at(counted, kind, "tokens") or 0
                into[kind]["tokens"] += tokens
                into[kind]["price"] = round(into[kind]["price"] + _price(model, kind) * tokens / 1_000_000, 9)
    usage = {"model_usage": models}
    price = sum(kind["price"] for model in models.values() for kind in model.values())
    return {
        "dev_discount": False,
        "is_burst": burst,
        "llm_usage": {"irreversible_generation": usage, "initiated_generation": usage},
        "llm_price": round(price, 9),
    }


def _price(model: str, kind: str) -> float:
    """A dated variant costs what its family does."""
    known = max((name for name in _PRICES if model.startswith(name)), key=len, default="")
    return (getattr(_PRICES[known], _KINDS[kind]) or 0) if known else 0
