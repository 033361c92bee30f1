"""The texts that stand below fields of the contract, read from its source."""

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel

import callwright.contract
from callwright.contract.describe import Meanings

CONTRACT = Path(callwright.contract.__path__[0])


def meanings() -> Meanings:
    """By model, and in it by field. What a model inherits stands at its base."""
    return {model: texts for file in sorted(CONTRACT.rglob("*.py")) for model, texts in _in(file) if texts}


def _in(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    parts = file.relative_to(CONTRACT).with_suffix("").parts
    module = import_module(".".join(["callwright.contract", *(parts[:-1] if parts[-1] == "__init__" else parts)]))
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and issubclass(getattr(module, node.name), BaseModel):
            yield f"{module.__name__}.{node.name}", dict(_below_fields(node.body))


def _below_fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                yield name, cleandoc(said)
            case _:
                pass
