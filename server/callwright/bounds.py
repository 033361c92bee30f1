"""Upper bounds that nothing in a request can loosen: the tool list is cut by them, and the API layer checks again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract.operation import Effect

# A guarded path is outward (data will flow along it) unless it is known to decide only who comes in and what is kept.
# Refusing the unknown is the safe side: a new guarded path is outward until somebody lists it here.
_INWARD = frozenset(
    {"auth", "overrides", "privacy", "agent_id", "inbound_trunk_config", "approval_policy", "tool_approval_hashes"}
)
_OUTWARD_WORDS = ("url", "header", "transfer", "webhook", "mcp", "outbound")


@dataclass(frozen=True)
class Bounds:
    """`read_only`: nothing is changed. `no_outbound`: no call is placed, and no place set that later receives data."""

    read_only: bool = False
    no_outbound: bool = False

    def allow(self, effect: "Effect", guarded: Sequence[str] = ()) -> str | None:
        """None where the act is allowed, else the reason why not. `guarded`: dotted paths that the request carries."""
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
