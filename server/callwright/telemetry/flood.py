"""Bounds on the log: a client that causes warnings all the time does not fill the disk with them."""

import logging
import time
from collections.abc import Callable

MOST_A_MINUTE = 60
"""Warnings and errors from one place in the code. Lower levels are written only because the operator wants them all."""
LONGEST_LINE = 8_000
"""Characters of a message."""


def bounded(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}… ({len(text):,} characters)"


class Flood(logging.Filter):
    """Drops what comes too often from one place. The next line from there says how many were left out."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._minutes: dict[tuple[str, int], tuple[float, int]] = {}
        """Place in the code -> beginning of its minute, and its lines since."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        place, now = (record.pathname, record.lineno), self._now()
        begun, lines = self._minutes.get(place, (now, 0))
        left_out = max(0, lines - MOST_A_MINUTE)
        if now - begun >= 60:
            begun, lines = now, 0
            if left_out:
                record.msg, record.args = f"{record.getMessage()} ({left_out:,} such lines were left out before)", None
        self._minutes[place] = begun, lines + 1
        return lines < MOST_A_MINUTE
