"""A user who says nothing: the agent speaks again, and in the end the conversation is over."""

from typing import Any

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.turn import Conversation
from .inbox import SILENCE, Inbox
from .medium import End, SessionOver
from .timers import Timer, Timers

MOST_REMINDERS = 3
"""In a row; after them the agent waits for the user."""
HOLD_SECONDS = 2.0
"""The shortest time for which a user who is doing something is not spoken to."""


class SilenceTimers:
    """The timers of a user's silence, as long as the agent waits: `turn_timeout` and `silence_end_call_timeout`."""

    def __init__(self, timers: Timers, conversation: Conversation, inbox: Inbox) -> None:
        self._timers, self._conversation, self._inbox = timers, conversation, inbox
        self._reminder, self._end = Timer(self._remind), Timer(self._give_up)
        self.agent_works = True
        """The agent is at work, so that nobody is silent."""
        self._reminders = 0
        self._quiet_since = timers.now()

    def stop(self) -> None:
        """Let no timer ring while the agent is at work."""
        for timer in (self._reminder, self._end):
            self._timers.set(timer, None)

    def wait(self, *, reminded: bool) -> None:
        """Measure from now on; where the agent has only been `reminded`, the silence before counts too."""
        self.agent_works = False
        if not reminded:
            self._quiet_since = self._timers.now()
        silence = self._seconds("silence_end_call_timeout")
        self._timers.set(self._end, self._quiet_since + silence if silence else None)
        reminds = self._conversation.role.llm is not None and self._reminders < MOST_REMINDERS and not self._skipped()
        self._timers.set(self._reminder, self._in("turn_timeout") if reminds else None)

    def user_said(self) -> None:
        """A message of the user has come; the next reminder is the first again."""
        self._reminders = 0
        self.user_active()

    def user_active(self) -> None:
        """Measure from now on, because the user does something."""
        if self.agent_works:
            return
        now = self._timers.now()
        self._quiet_since = now
        if (due := self._timers.due(self._reminder)) is not None:
            hold = max(HOLD_SECONDS, self._seconds("turn_timeout") or 0)
            self._timers.set(self._reminder, max(due, now + hold))
        self._timers.set(self._end, self._in("silence_end_call_timeout"))

    async def _remind(self) -> None:
        if self._inbox.empty:  # else something was said at this moment, and is answered
            self._reminders += 1
            self._inbox.put(SILENCE)

    async def _give_up(self) -> None:
        raise SessionOver(End("The user was silent for too long."))

    def _skipped(self) -> bool:
        """The agent has just chosen to stay silent until the user speaks."""
        transcript = self._conversation.transcript
        last: list[Json] = transcript[-1]["tool_results"] if transcript else []
        return any(at(result, "result", "result_type") == "skip_turn_success" for result in last)

    def _seconds(self, setting: str) -> float | None:
        seconds: Any = self._conversation.agent.turn.get(setting)
        return seconds if seconds and seconds > 0 else None

    def _in(self, setting: str) -> float | None:
        seconds = self._seconds(setting)
        return self._timers.now() + seconds if seconds else None
