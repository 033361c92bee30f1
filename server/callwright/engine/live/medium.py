"""The interface between a session and the connection with its user.

A session takes `Input` from a `Medium` and calls its methods with the agent's turns. Only the medium knows how either
is transported. There is one implementation: text in frames of a WebSocket (`text_medium`).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from ..dialogue.record import Turn
from ..tool_calls.clients import Client
from .ending import STOPPED

NORMAL, OPERATIONAL, REFUSED, INTERNAL = 1000, 1002, 1008, 1011
"""Close codes: ended by the agent or a limit; a model failed; the client's data or identity; an internal error."""


@dataclass(frozen=True)
class End:
    """The reason for the end of a conversation, as recorded and sent to the client."""

    why: str
    code: int = NORMAL
    error_type: str | None = None

    @property
    def failed(self) -> bool:
        return self.code != NORMAL


SERVER_STOPPED = End(STOPPED, INTERNAL, "unknown")


class SessionOver(Exception):
    """Ends the session for this reason when raised in any part of it."""

    def __init__(self, end: End) -> None:
        super().__init__(end.why)
        self.end = end


@dataclass(frozen=True)
class UserSaid:
    """A message of the user to the agent, never blank."""

    text: str


@dataclass(frozen=True)
class UserActive:
    """A sign of activity of the user, for example typing."""


@dataclass(frozen=True)
class ContextAdded:
    """A fact for the agent. A later fact with the same `context_id` replaces it."""

    text: str
    context_id: str | None


@dataclass(frozen=True)
class AnswerRated:
    """The user's rating of an answer; a `score` of None withdraws it. `place`: index of the turn in the transcript."""

    place: int
    score: Literal["like", "dislike"] | None


Input = UserSaid | UserActive | ContextAdded | AnswerRated


class Medium(Protocol):
    """The connection of one session with its user. Sending to a user who has left does nothing."""

    @property
    def client(self) -> Client:
        """The client's program, which runs client tools."""
        ...

    @property
    def interruptible(self) -> bool:
        """Whether a message of the user interrupts the agent."""
        ...

    @property
    def takes_pieces(self) -> bool:
        """Whether `agent_text` is called with the text of a turn, piece by piece, while the model writes it."""
        ...

    def start(self) -> None:
        """Set the medium's own timers; called when the session's timers start."""
        ...

    async def receive(self) -> Input | End:
        """The next input of the user, or the reason why there is no more."""
        ...

    async def typing(self, is_typing: bool) -> None:
        """Report whether the agent is working on an answer or waiting for the user."""
        ...

    async def agent_text(self, piece: str) -> None: ...

    async def agent_turn(self, turn: Turn, place: int) -> None:
        """Send a stored turn of the agent. `place`: its index in the transcript."""
        ...

    async def interruption(self) -> None:
        """Report that the user interrupted the agent, which has stopped."""
        ...

    async def close(self, end: End) -> None: ...
