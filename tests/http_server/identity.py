"""An authorization server as far as a resource server sees it: metadata, keys, and the tokens that it signed."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.peers import serving

EC = ec.generate_private_key(ec.SECP256R1())
ALGORITHMS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}


@cache
def rsa_key(_: int) -> rsa.RSAPrivateKey:
    """The key of this number, made at its first use: that takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Identity:
    """`keys`: what it publishes, by id: algorithm and private key. `asked`: the paths that were read."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: dict[str, tuple[str, Any]] = {"one": ("RS256", rsa_key(0))}
        self.asked: list[str] = []
        self.down = False
        self.well_known = "/.well-known/openid-configuration"
        self.issuer: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = Request(scope).url.path
        self.asked.append(path)
        await self._answer(path)(scope, receive, send)

    def _answer(self, path: str) -> Response:
        if self.down:
            return JSONResponse({}, 503)
        if path == self.well_known:
            return JSONResponse({"issuer": self.issuer or self.url, "jwks_uri": f"{self.url}/keys"})
        if path == "/keys":
            return JSONResponse({"keys": [*map(self._published, self.keys), {"kty": "oct", "kid": "x", "k": "AAAA"}]})
        return JSONResponse({}, 404)

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
