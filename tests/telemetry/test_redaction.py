"""Secrets are taken out of text: known ones in every spelling, unknown ones by how they look."""

import base64
import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from inline_snapshot import snapshot

from callwright.settings import Settings
from callwright.telemetry.redaction import Redactor, secrets_of

SECRET = 'kanarie-7Zq+/"vogel~Tjilp?9x'


@pytest.mark.parametrize(
    "told",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(json.dumps({"a": SECRET})),
        repr({"a": SECRET}),
        repr(SECRET.encode()),
        quote(SECRET),
        quote(SECRET, safe=""),
        *(base64.b64encode(b"u" * n + SECRET.encode() + b"z" * m).decode() for n in range(3) for m in range(3)),
        *(base64.urlsafe_b64encode(b"u" * n + SECRET.encode()).decode() for n in range(3)),
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(told: str) -> None:
    masked = Redactor([SECRET])(f"before {told} after")
    assert "[secret]" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert not any(part in masked for part in (SECRET[:12], quote(SECRET[:12], safe=""), "Tjilp"))


@pytest.mark.parametrize(
    ("told", "masked"),
    [
        ("Authorization: Bearer abc.def-123", snapshot("Authorization: Bearer [secret]")),
        ("{'authorization': 'Bearer abcdef123'}", snapshot("{'authorization': '[secret]'}")),
        ("(b'authorization', b'Basic dXNlcjpwYXNz')", snapshot("(b'authorization', b'[secret]')")),
        ("xi-api-key: 0123abcd", snapshot("xi-api-key: [secret]")),
        ('{"xi-api-key": "two words"}', snapshot('{"xi-api-key": "[secret]"}')),
        ('{\\"api_key\\": \\"abc def\\"}', snapshot('{\\"api_key\\": \\"[secret]\\"}')),
        ("the key sk_0123456789abcdef is bad", snapshot("the key [secret] is bad")),
        (
            "wss://x.example/v1?agent_id=a&token=cvtkn_1&b=2",
            snapshot("wss://x.example/v1?agent_id=a&token=[secret]&b=2"),
        ),
        (
            "https://x.example/?conversation_signature=cvs_1#top",
            snapshot("https://x.example/?conversation_signature=[secret]#top"),
        ),
        ("postgresql+psycopg://me:pass@db.example/x", snapshot("postgresql+psycopg://[secret]@db.example/x")),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln and more", snapshot("[secret] and more")),
        ("password=tiger, user=scott", snapshot("password=[secret], user=scott")),
    ],
)
def test_what_looks_like_a_secret_is_masked(told: str, masked: str) -> None:
    once = Redactor()(told)
    assert once == masked
    assert Redactor()(once) == once


@pytest.mark.parametrize(
    "plain",
    [
        "create_agent done",
        "GET /v1/convai/secrets/{secret_id}, attempt 1: 200",
        "https://api.elevenlabs.io/v1/convai/agents?page_size=30",
        "1,234 tokens: in 1,000, out 234",
        "No secret 'nope'. list_secrets shows them.",
        "Set CALLWRIGHT_LLM_API_KEY, then restart.",
    ],
)
def test_plain_words_stay(plain: str) -> None:
    assert Redactor()(plain) == plain


def test_a_long_text_takes_its_length_and_not_the_square_of_it() -> None:
    began = time.perf_counter()
    for text in ("a-" * 50_000, "token" * 20_000, "x" * 100_000, "://" * 30_000):
        Redactor([SECRET])(text)
    assert time.perf_counter() - began < 10  # it takes 0.3 s; the square took 30


def test_the_secrets_of_settings_files_and_variables_are_known(tmp_path: Path) -> None:
    routes, tokens = tmp_path / "routes.json", tmp_path / "tokens.json"
    routes.write_text(json.dumps({"a": {"base_url": "http://x", "api_key": "route-key"}, "b": 1}))
    tokens.write_text(json.dumps({"tokens": [1, {"token": "tenant-token"}, {"hosted_key": "THEIR_KEY"}]}))
    (tmp_path / "http.token").write_text("made-at-the-first-start\n")
    given = {
        "CALLWRIGHT_HOME": str(tmp_path),
        "CALLWRIGHT_DATABASE_URL": "postgresql://me:ti%20ger@host/x",
        "ELEVENLABS_API_KEY": "account-key",
        "CALLWRIGHT_SECRET_ENV": "CRM",
        "CRM": "crm-key",
        "CALLWRIGHT_STATE_KEY": base64.b64encode(bytes(range(32))).decode(),
        "CALLWRIGHT_LLM_ROUTES": str(routes),
        "CALLWRIGHT_TOKENS_FILE": str(tokens),
        "THEIR_KEY": "key-of-a-tenant",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=collector-key,x=y",
    }
    found = secrets_of(Settings.from_env(given), given)
    assert {
        "ti ger", "account-key", "crm-key", "route-key", "tenant-token", "key-of-a-tenant", "collector-key",
        "made-at-the-first-start", given["CALLWRIGHT_STATE_KEY"], bytes(range(32)).hex(),
    } <= set(found)  # fmt: skip
