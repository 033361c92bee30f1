"""Upper bounds that no request can loosen: they limit the tool list, and the API layer checks them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .contract.guards import Guarded
    from .contract.operation import Effect


@dataclass(frozen=True)
class Bounds:
    """The bounds of a server. `read_only`: no changes. `no_outbound`: no calls, and no setting of data destinations."""

    read_only: bool = False
    no_outbound: bool = False

    def allow(self, effect: "Effect", guarded: "Sequence[Guarded]" = ()) -> str | None:
        """None if the effect is allowed, else the reason why not. `guarded`: the guarded places of the request."""
        if self.read_only and effect != "read":
            return f"This server is read-only, and this would {_VERB[effect]}."
        if self.no_outbound and effect == "dial":
            return "This server places no calls and sends no messages (no-outbound)."
        if self.no_outbound and (outward := [place.shown for place in guarded if place.outward]):
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
