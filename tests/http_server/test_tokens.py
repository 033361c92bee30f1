"""The file of tokens: what it may hold, and how it is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.accounts.principals import Principal
from callwright.http_server.tokens import digest, read_tokens
from callwright.settings import Platform, SettingError

KNOWN = {"agents:read", "agents:write"}
TOKEN = "canary-token-0123456789"


def read(tmp_path: Path, *rows: Any, platform: Platform = "embedded") -> dict[str, Principal]:
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({"tokens": rows}), encoding="utf-8")
    return read_tokens(file, {"ACME_KEY": "acme-key", "EMPTY": ""}, platform, KNOWN)


def test_each_token_says_who_may_do_what_and_where(tmp_path: Path) -> None:
    rows = (
        {"name": "ci", "token": TOKEN, "scopes": ["agents:read"], "workspace": "acme"},
        {"name": "ada@example.com", "sha256": digest("another-token-01234")},
    )
    assert read(tmp_path, *rows) == {
        digest(TOKEN): Principal("ci", frozenset({"agents:read"}), "acme"),
        digest("another-token-01234"): Principal("ada@example.com"),
    }


def test_a_hosted_account_is_named_by_its_variable_and_not_shown(tmp_path: Path) -> None:
    [acme] = read(tmp_path, {"name": "acme", "token": TOKEN, "hosted_key": "ACME_KEY"}, platform="hosted").values()
    assert acme.key == "acme-key"
    assert "acme-key" not in repr(acme)


WRONG: list[tuple[list[Any], Platform, str]] = [
    (["x"], "embedded", snapshot("CALLWRIGHT_TOKENS_FILE, token 1 must be an object.")),
    (
        [{"name": "a", "token": TOKEN, "scope": []}],
        "embedded",
        snapshot(
            "CALLWRIGHT_TOKENS_FILE, token 1 has no field 'scope'; known: hosted_key, name, scopes, sha256, token, workspace."
        ),
    ),
    (
        [{"token": TOKEN}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: name must be letters, digits and . _ @ -, at most 64."),
    ),
    (
        [{"name": "local", "token": TOKEN}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: the name 'local' is taken."),
    ),
    (
        [{"name": "a", "token": TOKEN}, {"name": "a", "token": TOKEN + "2"}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 2: the name 'a' is taken."),
    ),
    (
        [{"name": "a", "token": TOKEN}, {"name": "b", "token": TOKEN}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 2: another one has the same token."),
    ),
    ([{"name": "a"}], "embedded", snapshot("CALLWRIGHT_TOKENS_FILE, token 1 must have either token or sha256.")),
    (
        [{"name": "a", "token": "canary"}],
        "embedded",
        snapshot(
            "CALLWRIGHT_TOKENS_FILE, token 1: token must be at least 16 printable ASCII characters without spaces."
        ),
    ),
    (
        [{"name": "a", "sha256": "canary"}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: sha256 must be 64 hexadecimal digits in lower case."),
    ),
    (
        [{"name": "a", "token": TOKEN, "scopes": ["agents:fly"]}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: unknown scope 'agents:fly'. Known: agents:read, agents:write."),
    ),
    (
        [{"name": "a", "token": TOKEN, "scopes": "agents:read"}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: scopes must be a list of texts."),
    ),
    (
        [{"name": "a", "token": TOKEN, "workspace": "a b"}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: workspace must be letters, digits and . _ @ -, at most 64."),
    ),
    (
        [{"name": "a", "token": TOKEN, "hosted_key": "ACME_KEY"}],
        "embedded",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: hosted_key means nothing on the embedded platform."),
    ),
    (
        [{"name": "a", "token": TOKEN, "workspace": "w"}],
        "hosted",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: workspace means nothing on the hosted platform."),
    ),
    (
        [{"name": "a", "token": TOKEN, "hosted_key": "EMPTY"}],
        "hosted",
        snapshot("CALLWRIGHT_TOKENS_FILE, token 1: hosted_key must name a variable that holds an account key."),
    ),
]


@pytest.mark.parametrize(("rows", "platform", "said"), WRONG)
def test_a_wrong_entry_is_refused_by_number_and_its_token_never_shown(
    tmp_path: Path, rows: list[Any], platform: Platform, said: str
) -> None:
    with pytest.raises(SettingError) as refused:
        read(tmp_path, *rows, platform=platform)
    assert str(refused.value) == said
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"tokens": {}}', '{"tokens": [], "more": 1}'])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match="CALLWRIGHT_TOKENS_FILE must hold"):
        read_tokens(file, {}, "embedded", KNOWN)
