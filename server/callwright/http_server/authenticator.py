"""Authenticate requests: by one of the operator's bearer tokens, or by a token that the issuer signed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

from ..accounts.principals import Principal
from .tokens import Tokens, digest

if TYPE_CHECKING:
    from .issuer import Issuer

SCHEME = b"bearer "


class Admitted(AuthenticatedUser):
    """An authenticated client, by which the SDK separates sessions and sealed states. It does not hold the token."""

    def __init__(self, principal: Principal, *, alone: bool) -> None:
        """`alone`: the server accepts no other token, so that this client is the operator."""
        scopes = sorted(principal.scopes or ())
        super().__init__(AccessToken(token="", client_id=principal.name, scopes=scopes, subject=principal.name))
        self.principal, self.alone = principal, alone


@dataclass(frozen=True)
class Authenticator:
    tokens: Tokens
    issuer: "Issuer | None" = None

    @property
    def alone(self) -> bool:
        """Whether the server accepts only one token."""
        return self.issuer is None and len(self.tokens) == 1

    async def principal(self, authorization: bytes) -> Principal | None:
        """The principal for the value of the header `Authorization`; None if no valid token is in it."""
        if authorization[: len(SCHEME)].lower() != SCHEME:
            return None
        try:
            token = authorization[len(SCHEME) :].decode("ascii").strip()
        except UnicodeDecodeError:
            return None
        if held := self.tokens.get(digest(token)):
            return held
        return await self.issuer.principal(token) if self.issuer and token.count(".") == 2 else None
