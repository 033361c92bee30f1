"""Who asks over HTTP: the holder of a token, what that token is for, and where it works."""

from dataclasses import dataclass, field

LOCAL = "local"
"""Who asks over stdio, and who holds the one token of the server: the person who runs it."""
DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True)
class Principal:
    """`name` stands in the log of changes. `scopes` None: all of them."""

    name: str
    scopes: frozenset[str] | None = None
    workspace: str = DEFAULT_WORKSPACE
    """Of the embedded platform."""
    key: str | None = field(default=None, repr=False)
    """Of the hosted platform, instead of the server's own."""

    def may(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes
