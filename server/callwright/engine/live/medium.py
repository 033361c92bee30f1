"""The seam between a session and the connection with its user.

A session takes `Input` from a `Medium` and calls its methods with what the agent says and does. How either travels is
known to the medium alone. Today there is one: text in frames of a WebSocket (`text_medium`).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from ..dialogue.record import Turn
from ..tool_calls.clients import Client
from .ending import STOPPED

NORMAL, OPERATIONAL, REFUSED, INTERNAL = 1000, 1002, 1008, 1011
"""Close codes: the agent or a limit ended it; a model failed; what the client sent or is; a defect of ours."""


@dataclass(frozen=True)
class End:
    """The reason why a conversation is over, as its record and the client get it."""

    why: str
    code: int = NORMAL
    error_type: str | None = None

    @property
    def failed(self) -> bool:
        return self.code != NORMAL


SERVER_STOPPED = End(STOPPED, INTERNAL, "unknown")


class SessionOver(Exception):
    """Raised in any part of a session, it ends the session for this reason."""

    def __init__(self, end: End) -> None:
        super().__init__(end.why)
        self.end = end


@dataclass(frozen=True)
class UserSaid:
    """A message for the agent, which is not blank."""

    text: str


@dataclass(frozen=True)
class UserActive:
    """A sign that the user is there and does something, for instance writes."""


@dataclass(frozen=True)
class ContextAdded:
    """A fact that the agent should know from now on. A later one of the same `context_id` replaces it."""

    text: str
    context_id: str | None


@dataclass(frozen=True)
class AnswerRated:
    """The user's rating of an answer; a `score` of None takes it back. `place`: of its turn in the transcript."""

    place: int
    score: Literal["like", "dislike"] | None


Input = UserSaid | UserActive | ContextAdded | AnswerRated


class Medium(Protocol):
    """The connection of one session with its user. Sending to a user who has left does nothing."""

    @property
    def client(self) -> Client:
        """The program at the other end, which carries out client tools."""
        ...

    @property
    def interruptible(self) -> bool:
        """Whether a message of the user stops the agent in what it says."""
        ...

    @property
    def takes_pieces(self) -> bool:
        """Whether `agent_text` is wanted: the text of a turn, piece by piece, while the model writes it."""
        ...

    def start(self) -> None:
        """Set the medium's own timers; called when the session begins to watch the time."""
        ...

    async def receive(self) -> Input | End:
        """The next thing that the user does, or why nothing more will come."""
        ...

    async def typing(self, is_typing: bool) -> None:
        """Tell whether the agent is at work on what it says next; otherwise it waits for the user."""
        ...

    async def agent_text(self, piece: str) -> None: ...

    async def agent_turn(self, turn: Turn, place: int) -> None:
        """Tell a turn of the agent, which is stored. `place`: of it in the transcript."""
        ...

    async def interruption(self) -> None:
        """Tell that the user has spoken over the agent, which has stopped."""
        ...

    async def close(self, end: End) -> None: ...
