"""Who a request is from: the holder of one of the operator's tokens, or of one that the issuer signed."""

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
    """What the SDK keeps sessions and sealed states apart by. The token itself goes no further."""

    def __init__(self, principal: Principal, *, alone: bool) -> None:
        """`alone`: no other token opens the server, so that this is the person who runs it."""
        scopes = sorted(principal.scopes or ())
        super().__init__(AccessToken(token="", client_id=principal.name, scopes=scopes, subject=principal.name))
        self.principal, self.alone = principal, alone


@dataclass(frozen=True)
class Authenticator:
    tokens: Tokens
    issuer: "Issuer | None" = None

    @property
    def alone(self) -> bool:
        """Whether one token opens the server, and no other."""
        return self.issuer is None and len(self.tokens) == 1

    async def principal(self, authorization: bytes) -> Principal | None:
        """By the value of the header `Authorization`; None where it opens nothing."""
        if authorization[: len(SCHEME)].lower() != SCHEME:
            return None
        try:
            token = authorization[len(SCHEME) :].decode("ascii").strip()
        except UnicodeDecodeError:
            return None
        if held := self.tokens.get(digest(token)):
            return held
        return await self.issuer.principal(token) if self.issuer and token.count(".") == 2 else None
