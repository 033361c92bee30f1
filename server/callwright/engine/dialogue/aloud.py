"""Streams a model's text to the user while the model writes it, in the form that the user reads."""

import re
from collections.abc import Awaitable, Callable

from .voices import TAG

OnText = Callable[[str], Awaitable[None]]

_BEGUN = re.compile(r"</?[A-Za-z0-9_-]{0,64}")


class Aloud:
    """Passes on each piece of one answer, without voice tags and without blanks at either end. The pieces joined equal
    the recorded message.
    """

    def __init__(self, on_text: OnText | None, *, voices: bool) -> None:
        self.told = ""
        """The text that the user has received so far."""
        self._on_text, self._voices = on_text, voices
        self._raw = self._blanks = ""

    async def write(self, piece: str) -> None:
        """Pass on the text that is final by now: no unfinished tag, and no blanks that may turn out to be trailing."""
        raw = self._raw + piece
        end = len(raw)
        if self._voices and (start := raw.rfind("<")) >= 0 and _BEGUN.fullmatch(raw, start):
            end = start
        self._raw = raw[end:]
        await self._tell(raw[:end])

    async def finish(self) -> None:
        raw, self._raw = self._raw, ""
        await self._tell(raw)

    async def _tell(self, raw: str) -> None:
        if self._on_text is None:
            return
        text = self._blanks + (TAG.sub("", raw) if self._voices else raw)
        text = text if self.told else text.lstrip()
        words = text.rstrip()
        self._blanks = text[len(words) :]
        if words:
            await self._on_text(words)
            self.told += words
