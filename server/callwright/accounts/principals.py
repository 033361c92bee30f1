"""Principal of a request: the holder of a token, with its scopes and its workspace or account."""

from dataclasses import dataclass, field

LOCAL = "local"
"""Name of the operator: the principal over stdio, and the holder of the server's own token."""
DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True)
class Principal:
    """The holder of a token. `name`: appears in the log of changes. `scopes`: None for all scopes."""

    name: str
    scopes: frozenset[str] | None = None
    workspace: str = DEFAULT_WORKSPACE
    """Workspace of the embedded platform."""
    key: str | None = field(default=None, repr=False)
    """API key of the hosted platform, instead of the server's own key."""

    def may(self, scope: str) -> bool:
        return self.scopes is None or scope in self.scopes
