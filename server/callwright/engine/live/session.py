"""A live session: one conversation with a user over a medium, from the user's input to an orderly end."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup

from ...contract.errors import ApiError
from ..dialogue.agent import at
from ..dialogue.llm import ModelFailed
from ..dialogue.record import Turn
from ..dialogue.roles import Role, RoleProvider
from ..dialogue.turn import Conversation, ConversationContext
from ..dialogue.variables import MissingVariables
from ..tool_calls.live import ByType, live_tools
from .closing import Closing
from .inbox import SILENCE, Inbox
from .medium import (
    INTERNAL,
    OPERATIONAL,
    REFUSED,
    SERVER_STOPPED,
    AnswerRated,
    ContextAdded,
    End,
    Input,
    Medium,
    SessionOver,
    UserActive,
    UserSaid,
)
from .mocking import MockingExecutor
from .recorder import Lost, Recorder
from .silence import SilenceTimers
from .timers import Timer, Timers

log = logging.getLogger(__name__)


class Session:
    """`run` holds the conversation to its end. Its slot is taken and its record stored before that.

    Three tasks run at once: one takes the user's input, one runs the agent, one runs the timers. The session ends when
    any of them ends.
    """

    def __init__(self, medium: Medium, recorder: Recorder, role: Role, roles: RoleProvider, timers: Timers) -> None:
        """`role`: the role at the beginning of the conversation. Raises MissingVariables."""
        self._medium, self._recorder, self._role, self._roles, self._timers = medium, recorder, role, roles, timers
        self._plan = recorder.plan
        self.conversation = self._new_conversation()
        self._inbox = Inbox()
        self._silence = SilenceTimers(timers, self.conversation, self._inbox)
        self._duration = Timer(self._reach_maximum_duration)
        self._closing = Closing(recorder, role, self.conversation, timers)
        self._end: End | None = None
        self._scope = anyio.CancelScope()
        self._tasks: TaskGroup
        self._user_turn_stored = anyio.Event()
        """Set once the user's last turn is persisted."""
        self._user_turn_stored.set()

    def _new_conversation(self) -> Conversation:
        unit, data = self._recorder.unit, self._plan.brought.data
        context = ConversationContext(
            ByType({}),
            self._timers.now,
            lambda: unit.new_id("call").removeprefix("call_").ljust(32, "0")[:32],
            self._on_turn,
            self._roles,
            self._timers.sleep,
            on_text=self._on_text if self._medium.takes_pieces else None,
            user_id=data.get("user_id"),
            extra_body=data.get("custom_llm_extra_body"),
            timed=True,
        )
        return Conversation(self._plan.conversation_id, self._role, context, given=data["dynamic_variables"])

    async def run(self) -> None:
        with self._inbox:
            try:
                with self._scope:
                    async with anyio.create_task_group() as self._tasks:
                        for part in (self._receive, self._talk, self._watch_the_time):
                            self._tasks.start_soon(self._guarded, part)
            finally:
                for text in self._inbox.drain():  # unanswered messages belong to the record, too
                    self.conversation.overhear(text)
                with anyio.CancelScope(shield=True):
                    await self._close(self._end or SERVER_STOPPED)

    async def _guarded(self, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part of the session; an error in it ends the session."""
        try:
            await part()
        except SessionOver as over:
            self._over(over.end)
        except ModelFailed as failed:
            self._over(End(str(failed), OPERATIONAL, failed.trouble))
        except MissingVariables as missing:  # a variable that a tool should have set, or of a successor agent
            handed_over = self.conversation.agent.id != self._plan.agent_id
            type_ = "missing_dynamic_variable_transfer" if handed_over else "missing_dynamic_variable"
            self._over(End(str(missing), REFUSED, type_))
        except ApiError as wrong:  # a prompt too large
            self._over(End(str(wrong), REFUSED, "value_error"))
        except Lost:
            self._over(SERVER_STOPPED)
        except Exception:
            log.exception("Defect in the conversation %s", self._plan.conversation_id)
            self._over(End("Internal error.", INTERNAL, "unknown_websocket_crash"))

    def _over(self, end: End) -> None:
        """Stop every part of the session. The first reason is kept."""
        self._end = self._end or end
        self._scope.cancel()

    async def _close(self, end: End) -> None:
        """Persist the record before closing: the client can then read it, unless the database is unavailable."""
        await self._closing.store(end)
        await self._medium.close(end)

    # The user's input

    async def _receive(self) -> None:
        while not isinstance(found := await self._medium.receive(), End):
            await self._take(found)
        self._over(found)

    async def _take(self, found: Input) -> None:
        match found:
            case UserSaid():
                self._hear(found.text)
            case UserActive():
                self._silence.user_active()
            case ContextAdded():
                await self.conversation.note(found.text, found.context_id)
            case AnswerRated():
                await self._rate(found)

    def _hear(self, text: str) -> None:
        self._silence.user_said()
        self._inbox.put(text)
        if self._silence.agent_works and self._medium.interruptible and self.conversation.transcript:
            self.conversation.interrupt()

    async def _rate(self, rated: AnswerRated) -> None:
        seconds = int(self._timers.now()) - self._recorder.started
        turn, feedback = self.conversation.transcript[rated.place], {"score": rated.score, "time_in_call_secs": seconds}
        self._recorder.rated(at(turn, "feedback", "score"), rated.score)
        turn["feedback"] = feedback if rated.score else None
        await self._recorder.save(self.conversation.transcript, changed=rated.place)

    # The agent's turns

    async def _talk(self) -> None:
        """The agent's side of the conversation. MCP servers stay connected until its end.

        The greeting does not wait for the connections, unless a workflow decides which agent greets.
        """
        unit, plan, roles = self._recorder.unit, self._plan, self._roles
        await self._medium.typing(True)
        if self._role.workflow is None:
            await self.conversation.open()
            await self._wait_for_user()
        async with live_tools(unit, plan.agent_id, roles, self._medium.client, self.conversation.variables) as live:
            role = await live.roles.role(plan.agent_id)
            self.conversation.equip(MockingExecutor(live.tools, plan.brought.mocking), live.roles, role)
            await self._answer_messages()

    async def _answer_messages(self) -> None:
        if self._role.workflow is not None:
            await self.conversation.open()
            await self._wait_for_user()
        while True:
            text = await self._inbox.next()
            self._silence.agent_works = True
            # First of all: the message is in no queue any more, and the end of the session may cancel what follows.
            await self.conversation.listen(text)
            await self._medium.typing(True)
            self._silence.stop()
            await self.conversation.answer()
            if self.conversation.interrupted:
                await self._medium.interruption()
            await self._wait_for_user(reminded=text == SILENCE)

    async def _wait_for_user(self, *, reminded: bool = False) -> None:
        self._recorder.language = self.conversation.language
        if self.conversation.ended:
            return self._over(End(self.conversation.ended))
        self._silence.wait(reminded=reminded)
        if self._inbox.empty:
            await self._medium.typing(False)

    async def _on_turn(self, turn: Turn) -> None:
        """Persist a turn before reporting it, together with all turns before it."""
        if turn["role"] == "user":  # persisted while the model already works on it
            self._user_turn_stored = anyio.Event()
            self._tasks.start_soon(self._guarded, partial(self._store_user_turn, self._user_turn_stored))
            return
        place = len(self.conversation.transcript) - 1
        await self._recorder.save(self.conversation.transcript)
        await self._medium.agent_turn(turn, place)

    async def _store_user_turn(self, stored: anyio.Event) -> None:
        await self._recorder.save(self.conversation.transcript)
        stored.set()

    async def _on_text(self, piece: str) -> None:
        # Waiting for an event that is set costs a round of the event loop for every piece.
        if not self._user_turn_stored.is_set():
            await self._user_turn_stored.wait()
        await self._medium.agent_text(piece)

    # Timers

    async def _watch_the_time(self) -> None:
        limit: int = at(self._plan.config, "conversation", "max_duration_seconds") or 0
        self._timers.set(self._duration, self._recorder.started + limit if limit > 0 else None)
        self._medium.start()
        await self._timers.run()

    async def _reach_maximum_duration(self) -> None:
        raise SessionOver(End("The conversation reached its maximum duration."))
