"""Authentication of webhook tools: the header that an auth connection resolves to.

A token server is as untrusted as a webhook: it is called through the same guarded client, within its own time limit,
and only the token and its lifetime are used from its answer.
"""

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import quote_plus, urlencode

import anyio

from ...contract.errors import ApiError, BadRequest, Unavailable
from ...contract.merge import JsonView
from ...net.headers import line
from ...net.http import AsyncClient, DecodingError, InvalidURL, TransportError, read_body
from ...telemetry.calling import hush
from ..store.auth_connections import StoredLogin, login_of
from ..tokens import Token
from ..unit import Unit

SECONDS = 10.0
"""The time limit for fetching one token."""
LARGEST = 64 * 1024
"""The maximum size in bytes of a token server's answer."""
UNSAID_SECONDS = 3600.0
"""The lifetime of a token if the server states none. The token is dropped earlier if it is refused."""

_MEANINGS = {
    "invalid_client": "Check the client id and secret of the connection.",
    "invalid_scope": "Check the scopes of the connection.",
    "unauthorized_client": "The client may not use this grant there; allow client credentials for it.",
    "unsupported_grant_type": "The server does not know client credentials; check the token_url.",
    "invalid_grant": "Check the client's rights, and extra_params of the connection.",
    "invalid_request": "Check extra_params and basic_auth_in_header of the connection.",
}
"""The error codes of RFC 6749, section 5.2. Others are not repeated, because they are untrusted text."""


@dataclass(frozen=True)
class Login:
    """A header, and its secret parts, which no text may show."""

    name: str
    value: str = field(repr=False)
    confidential: frozenset[str] = field(repr=False)


class Logins(Protocol):
    async def of(self, connection_id: str, *, refused: Login | None = None) -> Login:
        """The header to send. `refused`: the login that a server has just answered with 401; it is returned again if it
        cannot be renewed. Raises ApiError, worded without secrets.
        """
        ...


@dataclass(frozen=True)
class StoredLogins:
    """`Logins` of a workspace's auth connections. `client`: guarded."""

    unit: Unit
    client: AsyncClient

    async def of(self, connection_id: str, *, refused: Login | None = None) -> Login:
        stored = await self.unit.read(lambda tx: login_of(tx, connection_id))
        match stored.auth_type:
            case "basic_auth":
                name = stored.settings["username"]
                return _sent("Authorization", "Basic ", _joined(name, stored.secret), stored.secret)
            case "bearer_auth":
                return _sent("Authorization", "Bearer ", stored.secret)
            case "custom_header_auth":
                return _sent(stored.settings["header_name"], "", stored.secret)
            case _:
                token = await self._token(stored, refused)
                return _sent("Authorization", "Bearer ", token)

    async def _token(self, stored: StoredLogin, refused: Login | None) -> str:
        unit, key = self.unit, (self.unit.workspace, stored.id, stored.version)
        old = refused.value.removeprefix("Bearer ") if refused else None
        token = await unit.tokens.get(key, unit.clock, lambda: fetch_token(self.client, stored), refused=old)
        hush(token)
        return token


async def fetch_token(client: AsyncClient, stored: StoredLogin) -> Token:
    """Fetch a token by RFC 6749, section 4.4. Raises Unavailable."""
    try:
        with anyio.fail_after(SECONDS):
            return await _asked(client, stored)
    except TimeoutError:
        raise _failed(stored, f"its token server did not answer within {SECONDS:.0f} s.") from None
    except BadRequest as refused:
        raise _failed(stored, f"its token_url is not called. {refused}") from None
    except (TransportError, DecodingError, InvalidURL) as why:
        raise _failed(
            stored, f"its token server cannot be asked ({type(why).__name__}). Check the token_url."
        ) from None


async def _asked(client: AsyncClient, stored: StoredLogin) -> Token:
    settings = stored.settings
    form: dict[str, str] = {"grant_type": "client_credentials", **(settings.get("extra_params") or {})}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if settings.get("scopes"):
        form["scope"] = " ".join(settings["scopes"])
    if settings.get("basic_auth_in_header"):
        joined = _joined(quote_plus(settings["client_id"]), quote_plus(stored.secret))
        headers["authorization"] = f"Basic {joined}"
    else:
        form |= {"client_id": settings["client_id"], "client_secret": stored.secret}
    named = {
        "accept": "application/json",
        **{name.lower(): value for name, value in stored.custom_headers.items()},
        **headers,
    }
    sent = [(name.encode(), value.encode()) for name, value in named.items()]  # str would have to be ASCII
    async with client.stream("POST", settings["token_url"], headers=sent, content=urlencode(form).encode()) as answer:
        body = _object(await read_body(answer, LARGEST))
        status = answer.status_code
    if status != 200:
        code = str(body.get("error"))
        meaning = _MEANINGS.get(code)
        said = f"{status}, {code}" if meaning else str(status)
        raise _failed(stored, f"its token server refused ({said}). {meaning or 'Check its settings.'}")
    token, kind = body.get("access_token"), body.get("token_type", "bearer")
    if not isinstance(token, str) or not token or str(kind).lower() != "bearer" or not _fits(token):
        raise _failed(stored, "its token server answered no bearer token. Check the token_url.")
    return Token(token, _seconds(body.get("expires_in")))


def _failed(stored: StoredLogin, why: str) -> ApiError:
    return Unavailable(f"Logging in with the auth connection {stored.name!r} failed: {why}")


def _object(body: bytes) -> JsonView:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast(JsonView, found) if isinstance(found, dict) else {}


def _fits(token: str) -> bool:
    """Whether the token is valid in a header."""
    try:
        return line("Authorization", token) == token and token.isascii()
    except ValueError:
        return False


def _seconds(said: object) -> float:
    """The lifetime, which some servers send as text or leave out."""
    try:
        seconds = float(cast(Any, said))
    except (TypeError, ValueError):
        return UNSAID_SECONDS
    return seconds if math.isfinite(seconds) else UNSAID_SECONDS


def _joined(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def _sent(header: str, scheme: str, value: str, *more: str) -> Login:
    return Login(header, f"{scheme}{value}", frozenset({f"{scheme}{value}", value, *more}))
