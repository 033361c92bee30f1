"""What answers cost, computed by hand from the guide's prices."""

import pytest

from callwright.engine.dialogue.charging import charging, usage_record
from callwright.engine.dialogue.llm import Usage
from callwright.engine.dialogue.prices import family, token_prices


@pytest.mark.parametrize(
    ("told", "model"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4-0613", "gpt-4"),
        ("claude-3-7-sonnet@20250219", "claude-3-7-sonnet"),
        ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ("gemini-2.0-flash-001", "gemini-2.0-flash"),
        ("gemini-2.5-flash-lite", "gemini-2.5-flash-lite"),
        ("gpt-4o-realtime", "gpt-4o-realtime"),
        ("llama3.3", "llama3.3"),
    ],
)
def test_a_model_is_known_without_its_provider_and_date(told: str, model: str) -> None:
    assert family(told) == model


def test_a_model_that_the_guide_does_not_price_by_token_has_no_price() -> None:
    assert token_prices("gpt-oss-20b") is token_prices("gemini-2.5-flash-lite") is token_prices("llama3.3") is None


def test_what_the_cache_costs_nothing_less_for_costs_as_much_as_input() -> None:
    """gpt-4.1: $2 in, $8 out a million, no cache price."""
    record = usage_record("gpt-4.1", Usage(input=1_000, output=100, cached=400))
    assert record is not None
    assert record["model_usage"]["gpt-4.1"] == {
        "input": {"tokens": 600, "price": 0.0012},
        "input_cache_read": {"tokens": 400, "price": 0.0008},
        "input_cache_write": {"tokens": 0, "price": 0.0},
        "output_total": {"tokens": 100, "price": 0.0008},
    }


def test_a_conversation_costs_the_sum_of_its_turns_by_model() -> None:
    """Two turns of gpt-4o at $2.50 and $10, one of gpt-4.1-nano at $0.10 and $0.40."""
    turns = [
        {"llm_usage": usage_record("gpt-4o", Usage(1_000, 10))},
        {"llm_usage": None},
        {"llm_usage": usage_record("gpt-4o", Usage(2_000, 30))},
        {"llm_usage": usage_record("gpt-4.1-nano", Usage(500, 5))},
    ]
    found = charging(turns)
    used = found["llm_usage"]["irreversible_generation"]["model_usage"]
    assert used["gpt-4o"]["input"] == {"tokens": 3_000, "price": 0.0075}
    assert used["gpt-4o"]["output_total"] == {"tokens": 40, "price": 0.0004}
    assert found["llm_price"] == 0.007952


def test_part_of_a_price_is_not_told_as_the_whole() -> None:
    turns = [{"llm_usage": usage_record(model, Usage(10, 1))} for model in ("gpt-4o", "llama3.3")]
    found = charging(turns)
    assert found["llm_price"] is None
    assert found["llm_usage"]["irreversible_generation"]["model_usage"]["llama3.3"]["input"] == {"tokens": 10}
