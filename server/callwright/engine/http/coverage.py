"""What of the platform's API is embedded, and how far, as each handler declares it."""

from typing import NamedTuple

from .routes import all_handlers


class Covered(NamedTuple):
    """One operation."""

    operation: str
    """Method and path."""
    proof: str
    """The test that shows its effect."""
    missing: str
    """What of it is not there; empty where it is whole."""


SOCKET = Covered(
    "WS /v1/convai/conversation",
    "test_a_text_conversation_is_held_kept_and_analysed",
    "sound, files, WebRTC, the soft timeout, and tools that run while the conversation goes on (execution_mode async)",
)
"""No request, so that no handler declares it."""


def covered() -> list[Covered]:
    rows = [
        Covered(f"{op.method} {op.path}", made.proof, made.missing)
        for group in all_handlers()
        for op, made in group.by_operation.items()
    ]
    return [*rows, SOCKET]
