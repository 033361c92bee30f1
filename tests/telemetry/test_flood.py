"""How much of the log one cause may fill."""

import logging
import subprocess
import sys

import pytest

from callwright.telemetry.flood import LONGEST_LINE, MOST_A_MINUTE, Flood


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def line(number: int, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("callwright", level, "place.py", 1, "Refused %d.", (number,), None)


def other() -> logging.LogRecord:
    return logging.LogRecord("callwright", logging.WARNING, "place.py", 2, "Another.", (), None)


def test_a_place_that_warns_all_the_time_is_quiet_for_the_rest_of_its_minute_and_then_says_so() -> None:
    clock = Seconds()
    flood = Flood(clock)
    assert [flood.filter(line(n)) for n in range(MOST_A_MINUTE + 40)] == [True] * MOST_A_MINUTE + [False] * 40
    assert flood.filter(other())
    clock.now += 60
    later = line(7)
    assert flood.filter(later)
    assert later.getMessage() == "Refused 7. (40 such lines were left out before)"
    assert flood.filter(again := line(8))
    assert again.getMessage() == "Refused 8."


def test_what_the_operator_wants_to_see_in_full_is_not_left_out() -> None:
    flood = Flood(Seconds())
    assert all(flood.filter(line(n, logging.INFO)) for n in range(MOST_A_MINUTE * 2))


FLOOD = """
import logging, sys
from callwright.settings import Settings
from callwright.telemetry.logs import configure
from callwright.telemetry.redaction import Redactor
configure(Settings(log_format=sys.argv[1]), Redactor())
for number in range(500):
    logging.getLogger("callwright").warning("Refused %d: %s", number, "x" * 100_000)
"""


@pytest.mark.parametrize("written", ["text", "json"])
def test_the_program_writes_bounded_lines_and_a_bounded_number_of_them(written: str) -> None:
    done = subprocess.run([sys.executable, "-c", FLOOD, written], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == MOST_A_MINUTE
    assert max(map(len, lines)) < LONGEST_LINE + 300
    assert "… (100," in lines[0]
