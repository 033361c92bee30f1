"""Silence timers: the agent speaks again to a silent user, and finally the conversation ends."""

from typing import Any

from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.turn import Conversation
from .inbox import SILENCE, Inbox
from .medium import End, SessionOver
from .timers import Timer, Timers

MOST_REMINDERS = 3
"""Consecutive reminders; afterwards the agent waits for the user."""
HOLD_SECONDS = 2.0
"""The shortest pause after a sign of activity before the agent speaks to the user."""


class SilenceTimers:
    """The silence timers, active while the agent waits: `turn_timeout` and `silence_end_call_timeout`."""

    def __init__(self, timers: Timers, conversation: Conversation, inbox: Inbox) -> None:
        self._timers, self._conversation, self._inbox = timers, conversation, inbox
        self._reminder, self._end = Timer(self._remind), Timer(self._give_up)
        self.agent_works = True
        """The agent is working, so the silence of the user is not measured."""
        self._reminders = 0
        self._quiet_since = timers.now()

    def stop(self) -> None:
        """Stop the timers while the agent is working."""
        for timer in (self._reminder, self._end):
            self._timers.set(timer, None)

    def wait(self, *, reminded: bool) -> None:
        """Measure from now on; after a mere reminder (`reminded`), the silence before it counts too."""
        self.agent_works = False
        if not reminded:
            self._quiet_since = self._timers.now()
        silence = self._seconds("silence_end_call_timeout")
        self._timers.set(self._end, self._quiet_since + silence if silence else None)
        reminds = self._conversation.role.llm is not None and self._reminders < MOST_REMINDERS and not self._skipped()
        self._timers.set(self._reminder, self._in("turn_timeout") if reminds else None)

    def user_said(self) -> None:
        """The user sent a message: the count of reminders starts again."""
        self._reminders = 0
        self.user_active()

    def user_active(self) -> None:
        """Measure from now on, because the user is active."""
        if self.agent_works:
            return
        now = self._timers.now()
        self._quiet_since = now
        if (due := self._timers.due(self._reminder)) is not None:
            hold = max(HOLD_SECONDS, self._seconds("turn_timeout") or 0)
            self._timers.set(self._reminder, max(due, now + hold))
        self._timers.set(self._end, self._in("silence_end_call_timeout"))

    async def _remind(self) -> None:
        if self._inbox.empty:  # else a message arrived at this moment, and is answered
            self._reminders += 1
            self._inbox.put(SILENCE)

    async def _give_up(self) -> None:
        raise SessionOver(End("The user was silent for too long."))

    def _skipped(self) -> bool:
        """The agent has just used skip_turn to stay silent until the user speaks."""
        transcript = self._conversation.transcript
        last: list[Json] = transcript[-1]["tool_results"] if transcript else []
        return any(at(result, "result", "result_type") == "skip_turn_success" for result in last)

    def _seconds(self, setting: str) -> float | None:
        seconds: Any = self._conversation.agent.turn.get(setting)
        return seconds if seconds and seconds > 0 else None

    def _in(self, setting: str) -> float | None:
        seconds = self._seconds(setting)
        return self._timers.now() + seconds if seconds else None
