"""Latency of a model's answers: the measured times of a turn, in the platform's shape."""

import re
from collections.abc import Callable
from typing import Any

_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)\]]*\s|[\u3002\uff01\uff1f]")
"""End of a sentence. A full stop counts only if something follows it: it may be in the middle of a number."""


class Pace:
    """The times of one answer, measured from the creation of this object. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._began = clock, clock()
        self._word: float | None = None
        self._sentence: float | None = None

    def heard(self, text: str) -> None:
        """`text`: the whole answer so far."""
        if self._word is None:
            self._word = self._clock() - self._began
        if self._sentence is None and _END.search(text):
            self._sentence = self._clock() - self._began

    def ended(self) -> None:
        """Count the last text as a sentence, even without a final full stop."""
        if self._word is not None and self._sentence is None:
            self._sentence = self._clock() - self._began

    def record(self) -> dict[str, Any] | None:
        """`conversation_turn_metrics`, or None if nothing was said."""
        times = {"convai_llm_service_ttfb": self._word, "convai_llm_service_ttf_sentence": self._sentence}
        found = {name: {"elapsed_time": round(took, 3)} for name, took in times.items() if took is not None}
        return {"metrics": found} if found else None
