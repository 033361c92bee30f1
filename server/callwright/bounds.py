"""Upper bounds that no request can loosen: they limit the tool list, and the API layer checks them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract.operation import Effect

# A guarded path is outward (data will be sent along it) unless it is known to decide only about access and storage.
# Refusing unknown paths is the safe choice: a new guarded path is outward until it is listed here.
_INWARD = frozenset(
    {"auth", "overrides", "privacy", "agent_id", "inbound_trunk_config", "approval_policy", "tool_approval_hashes"}
)
_OUTWARD_WORDS = ("url", "header", "transfer", "webhook", "mcp", "outbound")


@dataclass(frozen=True)
class Bounds:
    """The bounds of a server. `read_only`: no changes. `no_outbound`: no calls, and no setting of data destinations."""

    read_only: bool = False
    no_outbound: bool = False

    def allow(self, effect: "Effect", guarded: Sequence[str] = ()) -> str | None:
        """None if the effect is allowed, else the reason why not. `guarded`: guarded dotted paths of the request."""
        if self.read_only and effect != "read":
            return f"This server is read-only, and this would {_VERB[effect]}."
        if self.no_outbound and effect == "dial":
            return "This server places no calls and sends no messages (no-outbound)."
        if self.no_outbound and (outward := [path for path in guarded if _is_outward(path)]):
            return f"This server sets no outside address (no-outbound), and this carries {', '.join(outward[:5])}."
        return None


UNBOUNDED = Bounds()

_VERB: dict["Effect", str] = {
    "read": "read",
    "create": "create something",
    "update": "change something",
    "delete": "delete something",
    "dial": "place a call or send a message",
    "grant": "give somebody access",
    "secret": "store or change a secret",
}


def _is_outward(path: str) -> bool:
    segments = path.lower().split(".")
    return any(word in s for s in segments for word in _OUTWARD_WORDS) or _INWARD.isdisjoint(segments)
