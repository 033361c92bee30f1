"""Redacts secrets in text: the known ones in all their spellings, and text that looks like a secret."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..secrecy import MASK, spellings, without_secrets
from ..settings import Settings


class Redactor:
    """`redactor(text)` is the text without secrets. `secrets`: those known from the start."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spelt = spellings(secrets)

    def __call__(self, text: str, hushed: Iterable[str] = ()) -> str:
        """`hushed`: additional secrets for this text."""
        for form in (*self._spelt, *(spellings(hushed) if hushed else ())):
            text = text.replace(form, MASK)
        return without_secrets(text)


def secrets_of(settings: Settings, env: Mapping[str, str]) -> list[str]:
    """Every secret in the settings, in the files that they name, and in the exporter's own variables."""
    values: list[object] = [getattr(settings, each.name) for each in fields(settings) if each.metadata["secret"]]
    values += settings.secret_env.values()
    for url in (settings.own_database_url, settings.proxy_url):
        if url and (password := urlsplit(url).password):
            values += [password, unquote(password)]
    # Invalid files are ignored here; the module that uses the file reports it by name.
    values += [route.get("api_key") for route in _rows(settings.llm_routes, lambda found: found.values())]
    for row in _rows(settings.tokens_file, lambda found: found["tokens"]):
        values += [row.get("token"), env.get(str(row.get("hosted_key")))]
    headers = (env.get(f"OTEL_EXPORTER_OTLP_{of}HEADERS", "") for of in ("", "TRACES_"))
    values += [unquote(pair.partition("=")[2].strip()) for each in headers for pair in each.split(",")]
    values += [_kept(settings.home / name) for name in ("http.token", "engine.key")]
    keys = [value for value in values if isinstance(value, bytes)]
    spelt = [spelling for key in keys for spelling in (base64.b64encode(key).decode(), key.hex(), repr(key)[2:-1])]
    return [value for value in values if isinstance(value, str) and value] + spelt


def _kept(file: Path) -> str | None:
    """A token that the server generated at an earlier start."""
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="ascii").strip()
    return None


def _rows(file: Path | None, among: Callable[[Any], Iterable[Any]]) -> list[dict[str, Any]]:
    with suppress(ValueError, OSError, RecursionError, AttributeError, TypeError, KeyError):
        found: list[Any] = list(among(json.loads(file.read_text(encoding="utf-8")))) if file else []
        return [row for row in found if isinstance(row, dict)]
    return []
