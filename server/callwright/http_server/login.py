"""Sign people in at the issuer: OAuth 2.1 authorization code with PKCE, for the page of approvals.

The token that the issuer gives is checked as one of an MCP client is, so that it names the same principal. It is used
for nothing else, and not kept.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import anyio

from ..accounts.principals import Principal
from ..contract.errors import BadRequest
from ..net.guard import AllowList
from ..net.http import RequestError, read_body
from ..net.pinned import guarded_client
from ..settings import is_loopback
from .issuer import Issuer, Keys

EXCHANGE_SECONDS = 10.0
LARGEST_ANSWER = 256 * 1024

log = logging.getLogger(__name__)


class LoginFailed(Exception):
    """Nobody was signed in; the text is for the person."""


@dataclass(frozen=True)
class Client:
    """What this server is registered as at the issuer. `redirect`: where the issuer sends people back to."""

    id: str
    redirect: str
    resource: str
    """The URL of the MCP endpoint, for which tokens are issued."""
    scope: str
    secret: str | None = field(default=None, repr=False)


class Login:
    def __init__(self, issuer: Issuer, keys: Keys, client: Client, allow: AllowList, proxy_url: str | None) -> None:
        self._issuer, self._keys, self._client = issuer, keys, client
        self._allow, self._proxy_url = allow, proxy_url

    async def address(self, state: str, verifier: str) -> str:
        """The issuer's address at which a person signs in. Raises LoginFailed."""
        endpoint, _ = await self._endpoint("authorization_endpoint")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.redirect,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": self._client.resource,
        }
        asked |= {"scope": self._client.scope} if self._client.scope else {}
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def principal(self, code: str, verifier: str, said_issuer: str | None) -> Principal:
        """The person whom the issuer signed in. `said_issuer`: who sent them back, if known. Raises LoginFailed."""
        endpoint, issuer = await self._endpoint("token_endpoint")
        if said_issuer not in (None, issuer):
            raise LoginFailed("This answer is of another issuer. Sign in again.")
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect,
            "client_id": self._client.id,
            "code_verifier": verifier,
            "resource": self._client.resource,
        }
        token = (await self._exchanged(endpoint, asked)).get("access_token")
        principal = await self._issuer.principal(token) if isinstance(token, str) else None
        if principal is None:
            raise LoginFailed("The issuer gave no token for this server. Whoever runs it finds the reason in its log.")
        return principal

    async def _endpoint(self, name: str) -> tuple[str, str]:
        """An endpoint of the issuer, and the issuer's identifier."""
        try:
            metadata = await self._keys.metadata()
            endpoint, issuer = str(metadata[name]), str(metadata["issuer"])
        except (BadRequest, ValueError, KeyError, TypeError) as exc:
            log.warning("The issuer's %s cannot be read (%s).", name, type(exc).__name__)
            raise LoginFailed("The issuer cannot be reached, or signs nobody in. Try again in a moment.") from None
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
            raise LoginFailed("The issuer's address is not secure, so nobody is sent there.")
        return endpoint, issuer

    async def _exchanged(self, endpoint: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        client = self._client
        auth = (client.id, client.secret) if client.secret else None
        try:
            with anyio.fail_after(EXCHANGE_SECONDS):
                async with (
                    guarded_client(self._allow, proxy_url=self._proxy_url, largest=LARGEST_ANSWER) as http,
                    http.stream(
                        "POST", endpoint, data=asked, headers={"accept": "application/json"}, auth=auth
                    ) as answer,
                ):
                    said = json.loads(await read_body(answer, LARGEST_ANSWER))
        except (BadRequest, TimeoutError, RequestError, ValueError) as exc:
            log.warning("The issuer gave no token (%s).", type(exc).__name__)
            raise LoginFailed("The issuer did not answer. Sign in again.") from None
        if answer.status_code != 200 or not isinstance(said, dict):
            log.warning("The issuer gave no token (%d).", answer.status_code)
            raise LoginFailed("The issuer did not sign you in. Sign in again.")
        return said  # pyright: ignore[reportUnknownVariableType]  (what an issuer says is read by name)
