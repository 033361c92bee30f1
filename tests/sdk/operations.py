"""Which operation of the contract a request is."""

import re
from typing import Any

from callwright.contract import all_operations
from callwright.contract.operation import Operation

OWN = "/v1/callwright/"
"""Begins the paths of extensions of the embedded platform, which no SDK knows."""


def named(operation: type[Operation[Any]]) -> str:
    return f"{operation.method} {operation.path}"


def operation_of(method: str, path: str) -> str:
    """`GET /v1/convai/agents/{agent_id}`. Of two that fit, the one that has more written out."""
    fitting = [op for op in all_operations() if op.method == method and re.fullmatch(_pattern(op.path), path)]
    assert fitting, f"{method} {path} is no operation of the contract"
    return named(min(fitting, key=lambda op: op.path.count("{")))


def _pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path)
