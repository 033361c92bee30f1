"""The OpenAPI document, made once in a process and at its first use: it takes seconds, which no collection should cost."""

from functools import cache
from typing import Any

from callwright.contract.openapi import document


@cache
def published() -> dict[str, Any]:
    """Every test has the same object, and changes nothing in it."""
    return document()
