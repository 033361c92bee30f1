"""An authorization server: metadata, keys, the tokens that it signs, and people who are signed in there already."""

import base64
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tests.peers import serving

EC = ec.generate_private_key(ec.SECP256R1())
ALGORITHMS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}


@cache
def rsa_key(_: int) -> rsa.RSAPrivateKey:
    """The key of this number, made at its first use: that takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Identity:
    """`keys`: what it publishes, by id: algorithm and private key. `asked`: the paths that were read.

    `person`: who is signed in in every browser; None: who asks is sent back without.
    """

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, tuple[str, Any]] = {"one": ("RS256", rsa_key(0))}
        self.asked: list[str] = []
        self.down = False
        self.well_known = "/.well-known/openid-configuration"
        self.issuer: str | None = None
        self.person: str | None = "alice"
        self.client, self.secret = "callwright-app", ""
        self.audience: str | None = None
        """Of the tokens for people; None: what is asked for."""
        self._codes: dict[str, dict[str, str]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.asked.append(request.url.path)
        answer = await self._exchange(request) if request.url.path == "/token" else self._answer(request)
        await answer(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        if self.down:
            return JSONResponse({}, 503)
        if path == self.well_known:
            endpoints = {"authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"}
            return JSONResponse({"issuer": self.issuer or self.url, "jwks_uri": f"{self.url}/keys", **endpoints})
        if path == "/authorize":
            return self._authorize(dict(request.query_params))
        if path == "/keys":
            return JSONResponse({"keys": [*map(self._published, self.keys), {"kty": "oct", "kid": "x", "k": "AAAA"}]})
        return JSONResponse({}, 404)

    def _authorize(self, asked: dict[str, str]) -> Response:
        assert (asked["response_type"], asked["client_id"]) == ("code", self.client)
        assert asked["code_challenge_method"] == "S256"
        back = {"state": asked["state"], "iss": self.issuer or self.url}
        if self.person is None:
            back |= {"error": "access_denied"}
        else:
            back |= {"code": f"code-{len(self._codes)}"}
            self._codes[back["code"]] = {**asked, "sub": self.person}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def _exchange(self, request: Request) -> Response:
        said = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self._codes.pop(said["code"], None)
        given = request.headers.get("authorization", "")
        known = base64.b64encode(f"{self.client}:{self.secret}".encode()).decode()
        hashed = hashlib.sha256(said["code_verifier"].encode()).digest()
        if (
            asked is None
            or (self.secret and given != f"Basic {known}")
            or base64.urlsafe_b64encode(hashed).decode().rstrip("=") != asked["code_challenge"]
            or any(said[name] != asked[name] for name in ("client_id", "redirect_uri", "resource"))
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = self.token(self.audience or asked["resource"], sub=asked["sub"], scope=asked["scope"])
        return JSONResponse({"access_token": token, "token_type": "Bearer"}, headers={"cache-control": "no-store"})

    def _published(self, kid: str) -> dict[str, Any]:
        algorithm, key = self.keys[kid]
        made: dict[str, Any] = ALGORITHMS[algorithm].to_jwk(key.public_key(), as_dict=True)
        return {**made, "kid": kid, "use": "sig", "alg": algorithm}

    def token(self, audience: object, *, kid: str = "one", key: Any = None, alg: str = "", **claims: Any) -> str:
        """Valid for a minute, but for what `claims` says otherwise; None leaves a claim out."""
        algorithm, own = self.keys.get(kid, ("RS256", rsa_key(0)))
        now = int(time.time())
        said = {"iss": self.issuer or self.url, "aud": audience, "sub": "alice", "iat": now, "exp": now + 60, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        signing: Any = None if alg == "none" else key or own
        return jwt.encode(said, signing, algorithm=alg or algorithm, headers={"kid": kid})


@asynccontextmanager
async def identity() -> AsyncGenerator[Identity]:
    issuer = Identity()
    async with serving(issuer) as url:
        issuer.url = url
        yield issuer
