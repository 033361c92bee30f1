"""Read the file of the operator's tokens. Its errors (SettingError) name the wrong place, never a value."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..accounts.principals import DEFAULT_WORKSPACE, LOCAL, Principal
from ..settings import Platform, SettingError

SETTING = "CALLWRIGHT_TOKENS_FILE"
SHORTEST = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_FIELDS = {"name", "token", "sha256", "scopes", "workspace", "hosted_key"}

Tokens = Mapping[str, Principal]
"""SHA-256 of a token in hexadecimal -> principal: the duration of a look-up does not reveal a partial match."""


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(file: Path, env: Mapping[str, str], platform: Platform, known_scopes: set[str]) -> dict[str, Principal]:
    """Read `{"tokens": [{"name", "token" or "sha256", "scopes"?, "workspace" or "hosted_key"?}]}`.

    `hosted_key` names the variable in `env` that holds the account key. Raises SettingError.
    """
    try:
        rows: Any = None
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        rows = found["tokens"] if set(found) == {"tokens"} else None
    except (ValueError, OSError, RecursionError, TypeError):
        rows = None
    if not isinstance(rows, list):
        raise SettingError(f'{SETTING} must hold {{"tokens": [{{"name": ..., "token": ...}}]}}.')
    tokens: dict[str, Principal] = {}
    names = {LOCAL}
    for number, row in enumerate(cast(list[Any], rows), 1):
        held, principal = _read(row, f"{SETTING}, token {number}", env, platform, known_scopes)
        if principal.name in names:
            raise SettingError(f"{SETTING}, token {number}: the name {principal.name!r} is taken.")
        if held in tokens:
            raise SettingError(f"{SETTING}, token {number}: another one has the same token.")
        names.add(principal.name)
        tokens[held] = principal
    return tokens


def _read(
    row: Any, at: str, env: Mapping[str, str], platform: Platform, known_scopes: set[str]
) -> tuple[str, Principal]:
    if not isinstance(row, dict):
        raise SettingError(f"{at} must be an object.")
    given = cast(dict[str, Any], row)
    if strangers := sorted(set(given) - _FIELDS):
        raise SettingError(f"{at} has no field {strangers[0]!r}; known: {', '.join(sorted(_FIELDS))}.")
    name, workspace = given.get("name"), given.get("workspace", DEFAULT_WORKSPACE)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(f"{at}: name must be letters, digits and . _ @ -, at most 64.")
    if not isinstance(workspace, str) or not _NAME.fullmatch(workspace):
        raise SettingError(f"{at}: workspace must be letters, digits and . _ @ -, at most 64.")
    misplaced = "hosted_key" if platform == "embedded" else "workspace"
    if misplaced in given:
        raise SettingError(f"{at}: {misplaced} means nothing on the {platform} platform.")
    return _held(given, at), Principal(name, _scopes(given, at, known_scopes), workspace, _key(given, at, env))


def _held(given: dict[str, Any], at: str) -> str:
    token, sha256 = given.get("token"), given.get("sha256")
    if (token is None) == (sha256 is None):
        raise SettingError(f"{at} must have either token or sha256.")
    if token is None:
        if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise SettingError(f"{at}: sha256 must be 64 hexadecimal digits in lower case.")
        return sha256
    if not isinstance(token, str) or not re.fullmatch(rf"[!-~]{{{SHORTEST},}}", token):
        raise SettingError(f"{at}: token must be at least {SHORTEST} printable ASCII characters without spaces.")
    return digest(token)


def _scopes(given: dict[str, Any], at: str, known: set[str]) -> frozenset[str] | None:
    if "scopes" not in given:
        return None
    scopes = given["scopes"]
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in cast(list[Any], scopes)):
        raise SettingError(f"{at}: scopes must be a list of texts.")
    named = frozenset(cast(list[str], scopes))
    if unknown := sorted(named - known):
        raise SettingError(f"{at}: unknown scope {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
    return named


def _key(given: dict[str, Any], at: str, env: Mapping[str, str]) -> str | None:
    if (variable := given.get("hosted_key")) is None:
        return None
    key = env.get(variable, "") if isinstance(variable, str) else ""
    if not re.fullmatch(r"[!-~]+", key):
        raise SettingError(f"{at}: hosted_key must name a variable that holds an account key.")
    return key
