"""Validate tokens of an OAuth 2.1 authorization server: JWTs for this server, signed with the issuer's keys.

The keys are read from the URL in the issuer's metadata. They are read again when a token names an unknown key (but
not for every such token), and every ten minutes, so that a withdrawn key is soon refused.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import jwt

from ..accounts.principals import Principal
from ..clock import NowMs
from ..contract.errors import BadRequest
from ..net.guard import AllowList
from ..net.pages import read_page

ALGORITHMS = ("RS256", "ES256")
SKEW_SECONDS = 60
"""Allowed difference between the clock of the issuer and that of this machine, in seconds."""
KEPT_SECONDS = 600
AGAIN_SECONDS = 30
"""Minimum seconds between two reads of the keys that are due to tokens with an unknown key."""
STALE_SECONDS = 24 * 3600
"""Seconds for which the keys stay valid if the issuer cannot be reached."""
READ_SECONDS = 5.0
LONGEST_NAME = 255
LONGEST_TOKEN = 16 * 1024

log = logging.getLogger(__name__)


class Keys:
    """The public keys of an issuer, by their ids."""

    def __init__(self, url: str, *, allow: AllowList, proxy_url: str | None, clock: NowMs) -> None:
        self._url, self._allow, self._proxy_url, self._clock = url, allow.with_host_of(url), proxy_url, clock
        self._lock = anyio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self.issuer = ""
        """The issuer's identifier as in its metadata, and so in its tokens."""
        self._read_at = self._tried_at = -STALE_SECONDS * 1000

    async def of(self, kid: str) -> jwt.PyJWK | None:
        async with self._lock:
            now = self._clock()
            wanted = kid not in self._keys or now - self._read_at >= KEPT_SECONDS * 1000
            if wanted and now - self._tried_at >= AGAIN_SECONDS * 1000:
                self._tried_at = now
                await self._read()
            return self._keys.get(kid) if now - self._read_at < STALE_SECONDS * 1000 else None

    async def _read(self) -> None:
        try:
            with anyio.fail_after(READ_SECONDS):
                metadata = await self.metadata()
                document = await self._json(str(metadata["jwks_uri"]))
                rows = cast(list[dict[str, Any]], document["keys"])
                keys = {str(row["kid"]): jwt.PyJWK(row) for row in rows if _signs(row)}
        except (BadRequest, TimeoutError, ValueError, KeyError, TypeError, jwt.PyJWTError) as exc:
            log.warning("The keys of the issuer %s cannot be read (%s).", self._url, type(exc).__name__)
            return
        self._keys, self.issuer, self._read_at = keys, str(metadata["issuer"]), self._clock()

    async def metadata(self) -> Mapping[str, Any]:
        """What the issuer says of itself. Raises BadRequest, ValueError, KeyError or TypeError if that is nothing."""
        parts = urlsplit(self._url)
        site = f"{parts.scheme}://{parts.netloc}"
        try:
            found = await self._json(f"{self._url}/.well-known/openid-configuration")
        except (BadRequest, ValueError):
            found = await self._json(f"{site}/.well-known/oauth-authorization-server{parts.path}")
        if str(found["issuer"]).rstrip("/") != self._url:
            raise ValueError("the metadata is another issuer's")
        return found

    async def _json(self, url: str) -> dict[str, Any]:
        page = await read_page(url, allow=self._allow, proxy_url=self._proxy_url, accept="application/json")
        return json.loads(page.data)


class Issuer:
    """Validates the tokens of one issuer.

    `audience`: the URL of the MCP endpoint. `workspace_claim`: the claim that names the workspace of a user.
    """

    def __init__(self, keys: Keys, audience: str, workspace_claim: str, known_scopes: set[str], clock: NowMs) -> None:
        self._keys, self._audience, self._claim = keys, audience, workspace_claim
        self._known, self._clock = known_scopes, clock

    async def principal(self, token: str) -> Principal | None:
        """The principal of a token; None if it is not a valid token of this issuer for this server."""
        try:
            claims = await self._claims(token)
        except (jwt.PyJWTError, ValueError, TypeError) as exc:
            log.info("A token was refused (%s).", type(exc).__name__)
            return None
        subject, workspace = claims.get("sub"), claims.get(self._claim)
        if not (_is_name(subject) and _is_name(workspace)):
            log.info("A token was refused: it has no usable sub or %s.", self._claim)
            return None
        issuer = self._keys.issuer
        # Issuers and claim names contain no blanks, so a user cannot pick a subject that yields another workspace.
        where = f"{issuer} {self._claim} {workspace}"
        return Principal(f"{issuer} {subject}", frozenset(_scopes(claims) & self._known), where)

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("too long")
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(kid, str):
            raise ValueError("another algorithm, or no key id")
        key = await self._keys.of(kid)
        if key is None:
            raise ValueError("no such key")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=self._keys.issuer,
            options={
                "require": ["exp", "iss", "aud", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock() / 1000
        if not float(claims["exp"]) > now - SKEW_SECONDS:
            raise ValueError("expired")
        if not float(claims.get("nbf", 0)) <= now + SKEW_SECONDS:
            raise ValueError("not valid yet")


def _signs(row: Any) -> bool:
    """Whether a published key is a signing key of a supported kind; issuers publish other keys, too."""
    match row:
        case {"kty": "RSA" | "EC" as kind, "kid": str()}:
            fits = kind == "RSA" or row.get("crv") == "P-256"
            return fits and row.get("use", "sig") == "sig" and row.get("alg", "RS256") in ALGORITHMS
        case _:
            return False


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _scopes(claims: dict[str, Any]) -> set[str]:
    """The scopes in the claim `scope` (RFC 9068), or in `scp`, which some issuers use instead; text or list."""
    said: Any = claims.get("scope", claims.get("scp", ""))
    names = said.split() if isinstance(said, str) else said
    return {str(name) for name in cast(list[object], names)} if isinstance(names, list) else set()
