"""Mask the secrets in documents that a person or a model reads."""

from typing import Any, cast

from pydantic import BaseModel, SecretStr

from ..contract.walk import Path, confidential, nodes
from ..secrecy import is_secret_field

HIDDEN = "(hidden)"


def secrets_in(model: type[BaseModel], document: object) -> set[Path]:
    """The places of a `model` document whose texts are secrets, by the types that the contract gives them.

    Names decide only where the contract has no type: keys are chosen by whoever wrote the document.
    """
    return {
        node.path
        for node in nodes(model, document)
        if isinstance(node.value, SecretStr)
        or (
            isinstance(node.value, str)
            and (is_secret_field(_names(node.path)) if node.core in (None, object) else confidential(node.declared))
        )
    }


def masked_as(model: type[BaseModel], document: object) -> object:
    """A `model` document with its secrets masked."""
    return _masked((), document, secrets_in(model, document))


def _masked(path: Path, value: object, secrets: set[Path]) -> object:
    if isinstance(value, dict):
        return {key: _masked((*path, key), item, secrets) for key, item in cast(dict[str, object], value).items()}
    if isinstance(value, list):
        items = enumerate(cast(list[object], value))
        return [_masked((*path, index), item, secrets) for index, item in items]
    return HIDDEN if path in secrets else value


def _names(path: Path) -> list[str]:
    return [str(key) for key in path]


def is_secret(path: list[str], value: object) -> bool:
    """Whether a value is a secret, by the names of its keys. A number is none: it counts tokens, or seconds."""
    if isinstance(value, SecretStr):
        return True
    return value is not None and not isinstance(value, bool | int | float) and is_secret_field(path)


def masked(path: list[str], value: object) -> object:
    """A document of a type that is not known here, or the value at `path` of one, with its secrets masked."""
    if isinstance(value, dict):
        return {key: masked([*path, key], inner) for key, inner in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [masked([*path, str(index)], item) for index, item in enumerate(cast(list[Any], value))]
    return HIDDEN if is_secret(path, value) else value
