"""Logins that webhook tools use: secrets go in and never come out.

The published facts of the agents' API have only the locators that name them. What they look like is known from the
platform's own SDK: hence `measured=False`, and the tests that drive that SDK measure them instead.
"""

from typing import Annotated, Literal

from pydantic import Field

from .common import AuthConnectionId, Empty, Known, Maybe, MaybeSecret, OneOf, Unknown, Variant, Wire, WriteOnly
from .dependents import AgentDependent, ToolDependent
from .guards import outward
from .operation import Operation

AuthType = Annotated[
    str,
    Known(
        "oauth2_client_credentials",
        "basic_auth",
        "bearer_auth",
        "custom_header_auth",
        "oauth2_jwt",
        "private_key_jwt",
        "mtls",
    ),
]
ConnectionName = Annotated[str, Field(min_length=1)]


class AuthConnectionUse(Wire):
    """What uses a connection."""

    tools: list[ToolDependent] = []
    agents: list[AgentDependent] = []
    """By tools of their own (embedded platform only)."""


class Connection(Variant):
    """What every connection has."""

    id: str
    name: str
    provider: str = ""
    used_by: AuthConnectionUse | None = None
    status: Annotated[str, Known("active", "refresh_failed", "revoked", "credential_invalid")] | None = None
    status_detail: str | None = None


class ClientCredentials(Connection):
    """Fetches a token by RFC 6749, section 4.4, and sends it as Bearer."""

    auth_type: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"
    client_id: str
    token_url: str
    scopes: list[str] | None = None
    extra_params: dict[str, str] | None = None
    basic_auth_in_header: bool | None = None
    """Whether the client's id and secret go into a header; else into the body."""


class BasicAuth(Connection):
    """Sends a name and a password."""

    auth_type: Literal["basic_auth"] = "basic_auth"
    username: str


class BearerAuth(Connection):
    """Sends a token as Bearer."""

    auth_type: Literal["bearer_auth"] = "bearer_auth"


class HeaderAuth(Connection):
    """Sends a token in a header of another name."""

    auth_type: Literal["custom_header_auth"] = "custom_header_auth"
    header_name: str


AuthConnection = Annotated[
    ClientCredentials | BasicAuth | BearerAuth | HeaderAuth | Unknown,
    OneOf("auth_type"),
]


class AuthConnectionList(Wire):
    """All connections of the workspace."""

    auth_connections: list[AuthConnection]


class ListAuthConnections(
    Operation[AuthConnectionList], method="GET", path="/v1/workspace/auth-connections", measured=False
):
    """List all connections, without their secrets."""


class CreateAuthConnection(
    Operation[AuthConnection],
    method="POST",
    path="/v1/workspace/auth-connections",
    effect="secret",
    guarded=outward("token_url"),
    measured=False,
):
    """Store a login. `auth_type` says which of the other fields it has."""

    auth_type: AuthType
    name: ConnectionName
    provider: str
    # OAuth 2 client credentials
    client_id: Maybe[str] = None
    client_secret: Maybe[WriteOnly] = None
    token_url: Maybe[str] = None
    scopes: list[str] | None = None
    extra_params: dict[str, str] | None = None
    """More fields of the request for a token."""
    basic_auth_in_header: bool | None = None
    custom_headers: dict[str, MaybeSecret] | None = None
    """Of the request for a token."""
    # a name and a password
    username: Maybe[str] = None
    password: Maybe[WriteOnly] = None
    # a token, as Bearer or in a header of another name
    token: Maybe[WriteOnly] = None
    header_name: Maybe[str] = None
    # secrets of the kinds that only hosted platforms have
    secret_key: Maybe[WriteOnly] = None
    client_key: Maybe[WriteOnly] = None
    key_passphrase: Maybe[WriteOnly] = None


class UpdateAuthConnection(
    Operation[AuthConnection],
    method="PATCH",
    path="/v1/workspace/auth-connections/{auth_connection_id}",
    effect="secret",
    measured=False,
):
    """Change a login of the same `auth_type`; what is left out stays. Its name and address never change."""

    auth_connection_id: AuthConnectionId
    auth_type: AuthType
    provider: str | None = None
    client_id: str | None = None
    client_secret: WriteOnly | None = None
    scopes: list[str] | None = None
    extra_params: dict[str, str | None] | None = None
    """Null takes one out."""
    basic_auth_in_header: bool | None = None
    custom_headers: dict[str, MaybeSecret | None] | None = None
    """Null takes one out."""
    username: str | None = None
    password: WriteOnly | None = None
    token: WriteOnly | None = None
    secret_key: WriteOnly | None = None


class DeleteAuthConnection(
    Operation[Empty],
    method="DELETE",
    path="/v1/workspace/auth-connections/{auth_connection_id}",
    measured=False,
):
    """Delete a login for good; refused while tools use it."""

    auth_connection_id: AuthConnectionId
