"""Mask the secrets in documents that a person or a model reads."""

from typing import Any, cast

from pydantic import SecretStr

from ..secrecy import is_secret_field

HIDDEN = "(hidden)"


def is_secret(path: list[str], value: object) -> bool:
    """Whether a value is a secret. A number is none: it counts tokens, or seconds."""
    if isinstance(value, SecretStr):
        return True
    return value is not None and not isinstance(value, bool | int | float) and is_secret_field(path)


def masked(path: list[str], value: object) -> object:
    """A document, or the value at `path` of one, with its secrets masked."""
    if isinstance(value, dict):
        return {key: masked([*path, key], inner) for key, inner in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [masked([*path, str(index)], item) for index, item in enumerate(cast(list[Any], value))]
    return HIDDEN if is_secret(path, value) else value
