"""Coverage of the platform's API: its embedded operations and their missing parts, as the handlers declare them."""

from typing import NamedTuple

from .routes import all_handlers


class Covered(NamedTuple):
    """The coverage of one operation."""

    operation: str
    """Method and path."""
    proof: str
    """The test that shows its effect."""
    missing: str
    """The parts that are not implemented; empty for a whole operation."""


SOCKET = Covered(
    "WS /v1/convai/conversation",
    "test_a_text_conversation_is_held_kept_and_analysed",
    "sound, files, WebRTC, the soft timeout, and tools that run while the conversation goes on (execution_mode async)",
)
"""The WebSocket of conversations. It is not an HTTP operation, so no handler declares it."""


def covered() -> list[Covered]:
    rows = [
        Covered(f"{op.method} {op.path}", made.proof, made.missing)
        for group in all_handlers()
        for op, made in group.by_operation.items()
    ]
    return [*rows, SOCKET]
