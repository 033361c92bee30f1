"""Searches text with a regular expression from an untrusted author.

Some patterns take exponential time, and Python's `re` holds the interpreter lock while it searches: a thread with a
timeout would stop the whole server. So each search runs in a separate process, which is killed when its time is over.
"""

import json
import re
import subprocess
import sys
import warnings

import anyio

LONGEST_PATTERN = 500
LONGEST_TEXT = 20_000
SECONDS = 3.0
"""For one search, including the start of its process (about 0.02 s)."""

_SEARCH = "import json, re, sys; pattern, text = json.load(sys.stdin); print(int(bool(re.search(pattern, text))))"


class Undecided(Exception):
    """The search did not finish; the text says why."""


def check_pattern(pattern: str) -> None:
    """Raises ValueError, worded for the author, if the pattern is invalid or not allowed."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"A pattern has at most {LONGEST_PATTERN} characters, and this one has {len(pattern):,}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of syntax that a later Python may read differently
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise ValueError(f"This is no regular expression: {exc}.") from None


async def is_found(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. Raises Undecided."""
    if len(text) > LONGEST_TEXT:
        raise Undecided(f"The value has {len(text):,} characters; at most {LONGEST_TEXT:,} are searched.")
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _SEARCH]
    try:
        with anyio.fail_after(SECONDS):
            done = await anyio.run_process(
                command, input=json.dumps([pattern, text]).encode(), stderr=subprocess.DEVNULL, check=False
            )
    except TimeoutError:
        raise Undecided(f"The search took longer than {SECONDS:.0f} s; simplify the pattern.") from None
    if done.returncode != 0:
        raise Undecided("The search failed; simplify the pattern.")
    return done.stdout.strip() == b"1"
