"""The cost of answers: tokens by model, with their price in US dollars if the model has one."""

from collections.abc import Iterable
from typing import Any

from ...contract.merge import JsonView
from ...contract.paths import at
from .llm import Usage
from .prices import token_prices

Record = dict[str, Any]


def usage_record(model: str, usage: Usage | None) -> Record | None:
    """`llm_usage` of one turn. Chat completions do not report cache writes separately: they count as input."""
    if usage is None:
        return None
    each = token_prices(model)
    read, cached, written = each or (None, None, None)
    counted = {
        "input": _counted(usage.input - usage.cached, read),
        "input_cache_read": _counted(usage.cached, cached),
        "input_cache_write": _counted(0, read),
        "output_total": _counted(usage.output, written),
    }
    return {"model_usage": {model: counted}}


def charging(transcript: Iterable[JsonView]) -> Record:
    """`metadata.charging` of a conversation."""
    charges = Charges()
    for turn in transcript:
        charges.add(turn)
    return charges.record()


class Charges:
    """The summed cost of the turns added so far. Every answer that was started counts as spoken."""

    def __init__(self) -> None:
        self._total: dict[str, dict[str, Record]] = {}

    def add(self, turn: JsonView) -> None:
        used: dict[str, dict[str, Record]] = at(turn, "llm_usage", "model_usage") or {}
        for model, counts in used.items():
            sums = self._total.get(model, {})
            # A new dict, because records returned earlier must not change.
            added = {kind: _sum(sums[kind], count) if kind in sums else dict(count) for kind, count in counts.items()}
            self._total = {**self._total, model: sums | added}

    def record(self, *, burst: bool = False) -> Record:
        """`llm_price` is null if some of the tokens have no price: a partial sum would look like the total."""
        counted = [count for counts in self._total.values() for count in counts.values() if count["tokens"]]
        priced: list[float] = [count["price"] for count in counted if "price" in count]
        usage = {"model_usage": self._total}
        return {
            "dev_discount": False,
            "is_burst": burst,
            "llm_usage": {"irreversible_generation": usage, "initiated_generation": usage},
            "llm_price": _dollars(sum(priced, 0.0)) if len(priced) == len(counted) else None,
        }


def _counted(tokens: int, each: float | None) -> Record:
    return {"tokens": tokens} | ({} if each is None else {"price": _dollars(tokens * each)})


def _sum(one: JsonView, other: JsonView) -> Record:
    tokens = one["tokens"] + other["tokens"]
    if "price" not in one or "price" not in other:
        return {"tokens": tokens}
    return {"tokens": tokens, "price": _dollars(one["price"] + other["price"])}


def _dollars(amount: float) -> float:
    """Round off floating-point noise; a token of the cheapest model costs 0.00000002."""
    return round(amount, 10)
