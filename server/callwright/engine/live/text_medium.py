"""The text medium: frames of a WebSocket in, frames out.

A client that only sends audio is closed after a minute, because this engine is text-only.
"""

from collections.abc import Callable

from ...clock import NowMs
from ..dialogue.record import Turn
from ..tool_calls.clients import Client
from .agent_events import AgentEvents
from .client_socket import ClientSocket
from .client_tools import ClientTools
from .frames import (
    AUDIO,
    Approval,
    ClientToolResult,
    ContextualUpdate,
    Feedback,
    Heard,
    Malformed,
    Multimodal,
    Pong,
    UserMessage,
    heard,
    unpacked,
)
from .medium import REFUSED, SERVER_STOPPED, AnswerRated, ContextAdded, End, Input, SessionOver, UserActive, UserSaid
from .timers import Timer, Timers

PING_SECONDS = 5.0
AUDIO_SECONDS = 60.0
"""The longest time for which a client may send audio without any text: this engine is text-only."""
TEXT_ONLY = "text-only local engine"
FRAMES_A_SECOND, FRAMES_AT_ONCE = 50.0, 200.0
"""Frame rate limits of one client."""
_RESTARTING = 1012
"""The close code sent by this process's server when it stops."""


class FrameAllowance:
    """A rate limit on the frames of one client: a burst size, and a rate per second."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._left, self._counted = FRAMES_AT_ONCE, now()

    def take(self) -> None:
        """Count one frame. Raises Malformed if it exceeds the limit."""
        now = self._now()
        self._left = min(self._left + (now - self._counted) * FRAMES_A_SECOND, FRAMES_AT_ONCE)
        self._counted = now
        self._left -= 1
        if self._left < 0:
            raise Malformed(f"Too many frames: at most {FRAMES_A_SECOND:g} a second are read.")


class TextMedium:
    """`Medium` of one client. The socket's `events` must be set before this is created."""

    def __init__(self, socket: ClientSocket, timers: Timers, clock: NowMs) -> None:
        self._socket, self._timers = socket, timers
        self._events = AgentEvents(socket)
        self._tools = ClientTools(socket, self._events, clock, timers.sleep)
        self._allowance = FrameAllowance(timers.now)
        self._ping_timer, self._audio_timer = Timer(self._ping), Timer(self._refuse_audio)
        self._ping_id, self._pinged_at = 0, 0.0
        self._ping_ms: int | None = None
        self._writes = False
        """Whether the client has sent a frame of text input."""

    @property
    def client(self) -> Client:
        return self._tools

    @property
    def interruptible(self) -> bool:
        return "interruption" in self._socket.events

    @property
    def takes_pieces(self) -> bool:
        return "agent_chat_response_part" in self._socket.events

    def start(self) -> None:
        self._timers.set(self._ping_timer, self._timers.now() + PING_SECONDS if "ping" in self._socket.events else None)

    async def receive(self) -> Input | End:
        try:
            while (message := await self._socket.receive()) is not None:
                self._allowance.take()
                frame = unpacked(message)
                if AUDIO in frame and not self._writes and self._timers.due(self._audio_timer) is None:
                    self._timers.set(self._audio_timer, self._timers.now() + AUDIO_SECONDS)
                if (said := heard(frame)) is not None and (found := self._input(said)) is not None:
                    return found
        except Malformed as wrong:
            return End(str(wrong), REFUSED, "invalid_message")
        return SERVER_STOPPED if self._socket.left_with == _RESTARTING else End("The client ended the conversation.")

    async def typing(self, is_typing: bool) -> None:
        await self._socket.tell("agent_typing", "agent_typing_event", is_typing=is_typing)

    async def agent_text(self, piece: str) -> None:
        await self._events.text(piece)

    async def agent_turn(self, turn: Turn, place: int) -> None:
        await self._events.turn(turn, place)

    async def interruption(self) -> None:
        await self._events.interruption()

    async def close(self, end: End) -> None:
        if end.failed:
            await self._socket.refuse(end.code, end.why, end.error_type)
        else:
            await self._socket.close(end.code, end.why)

    def _input(self, said: Heard) -> Input | None:
        """The session's input from a frame; None for frames that are handled here."""
        if not self._writes and not isinstance(said, Pong):  # which clients send automatically
            self._writes = True
            self._timers.set(self._audio_timer, None)
        match said:
            case UserMessage(text=text) | Multimodal(text=UserMessage(text=text)) if text and text.strip():
                return UserSaid(text)
            case ContextualUpdate():
                return ContextAdded(said.text, said.context_id)
            case Feedback():
                place = self._events.places.get(said.event_id)
                return None if place is None else AnswerRated(place, said.score)
            case ClientToolResult() | Approval():
                self._tools.answered(said)
            case Pong():
                self._pong(said.event_id)
            case _:
                return UserActive()
        return None

    async def _ping(self) -> None:
        self._ping_id, self._pinged_at = self._ping_id + 1, self._timers.now()
        await self._socket.tell("ping", "ping_event", event_id=self._ping_id, ping_ms=self._ping_ms)
        self._timers.set(self._ping_timer, self._timers.now() + PING_SECONDS)

    def _pong(self, id: int) -> None:
        """Handle the answer to a ping; only an answer to the last ping counts."""
        if id == self._ping_id:
            self._ping_ms = round((self._timers.now() - self._pinged_at) * 1000)

    async def _refuse_audio(self) -> None:
        raise SessionOver(End(TEXT_ONLY, REFUSED))
