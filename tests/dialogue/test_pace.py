"""How soon a model speaks, as turns tell it."""

import pytest

from callwright.engine.dialogue.pace import Pace


def paced(*pieces: str) -> dict[str, float]:
    """The times of an answer of which one piece comes a second; and its end a second later."""
    now, text = [0.0], ""
    pace = Pace(lambda: now[0])
    for piece in pieces:
        now[0] += 1
        text += piece
        pace.heard(text)
    now[0] += 1
    pace.ended()
    record = pace.record() or {"metrics": {}}
    return {name.removeprefix("convai_llm_service_"): took["elapsed_time"] for name, took in record["metrics"].items()}


@pytest.mark.parametrize(
    ("pieces", "sentence"),
    [
        (("Well. ", "Hello."), 1),
        (("Pi is 3.", "14, ", "I think. ", "Or so."), 3),
        (("Really?", '" she asked', "."), 2),
        (("\u306f\u3044\u3002", "\u305d\u3046\u3067\u3059"), 1),
        (("No end", " at all"), 3),
    ],
)
def test_a_sentence_has_ended_once_something_comes_after_it(pieces: tuple[str, ...], sentence: int) -> None:
    found = paced(*pieces)
    assert found == {"ttfb": 1, "ttf_sentence": sentence}


def test_an_answer_without_a_word_has_no_times() -> None:
    assert paced() == {}
