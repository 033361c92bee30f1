"""Redacts secrets in text: the known ones in all their encodings, and text that looks like a secret."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ..secrecy import MASK, SHORTEST, without_secrets
from ..settings import Settings


class Redactor:
    """`redactor(text)` is the text without secrets. `secrets`: those known from the start."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms = _forms(secrets)

    def __call__(self, text: str, hushed: Iterable[str] = ()) -> str:
        """`hushed`: additional secrets for this text."""
        for form in (*self._forms, *(_forms(hushed) if hushed else ())):
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


def _forms(secrets: Iterable[str]) -> list[str]:
    """Longest first, because one may be a part of another."""
    return sorted({form for secret in secrets if len(secret) >= SHORTEST for form in _spelt(secret)}, key=len)[::-1]


def _spelt(secret: str) -> Iterator[str]:
    once = json.dumps(secret)[1:-1]  # JSON-escaped, and JSON inside a JSON string
    yield from (secret, once, json.dumps(once)[1:-1], repr(secret)[1:-1], repr(secret.encode())[2:-1])
    yield from (quote(secret, safe=""), quote(secret))
    raw = secret.encode()
    if len(raw) < 8:
        return  # too few characters of its base64 are independent of the neighbouring bytes
    for shift in range(3):  # base64 of a longer text contains it at one of three alignments
        inner = base64.b64encode(b"\0" * shift + raw).decode()[-(-shift * 8 // 6) :].rstrip("=")[:-1]
        yield from (inner, inner.translate(str.maketrans("+/", "-_")))
