"""Auth connections (stored logins of webhook tools): their kinds, and one unsealed for a request."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sqlalchemy import RowMapping

from ...contract.errors import InvalidRequest, body_problem
from ...contract.merge import Json
from ...telemetry.calling import hush
from ..schema.auth_connections import auth_connection
from .transaction import Tx


class Kind(NamedTuple):
    secret: str
    """The field that is never shown."""
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


_KINDS = {
    "oauth2_client_credentials": Kind(
        "client_secret",
        ("client_id", "token_url"),
        ("scopes", "extra_params", "basic_auth_in_header", "custom_headers"),
    ),
    "basic_auth": Kind("password", ("username",)),
    "bearer_auth": Kind("token", ()),
    "custom_header_auth": Kind("token", ("header_name",)),
}


@dataclass(frozen=True)
class StoredLogin:
    """A connection at the moment of use, with its secrets in the clear."""

    id: str
    version: int
    """Version of the settings; each update changes it."""
    name: str
    auth_type: str
    settings: Json
    secret: str = field(repr=False)
    custom_headers: dict[str, str] = field(repr=False)


def login_of(tx: Tx, connection_id: str) -> StoredLogin:
    """An auth connection, unsealed for use inside the engine. Callers must not store or answer it. Raises NotFound."""
    row = tx.one(auth_connection, connection_id)
    values = opened(tx, row)
    kind = kind_of(row["auth_type"])
    secret: str = values[kind.secret]
    headers: dict[str, str] = values.get("custom_headers") or {}
    hush(secret, *headers.values())
    return StoredLogin(row["id"], row["version"], row["name"], row["auth_type"], row["document"], secret, headers)


def kind_of(auth_type: str) -> Kind:
    if auth_type not in _KINDS:
        said = f"This platform logs in by {', '.join(_KINDS)} alone."
        raise InvalidRequest([body_problem(["auth_type"], said, "unknown_kind")])
    return _KINDS[auth_type]


def opened(tx: Tx, row: RowMapping) -> Json:
    return cast(Json, json.loads(tx.vault.open(row["sealed"], belongs_to=f"{tx.workspace}/{row['id']}")))
