"""One conversation with a client: reads what it sends, lets the agent talk, watches the time, and ends it in order."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ...clock import Sleep
from ...contract.errors import ApiError
from ...contract.merge import Json
from ..dialogue.agent import at
from ..dialogue.analysis import read_questions
from ..dialogue.llm import ModelFailed
from ..dialogue.record import Turn
from ..dialogue.roles import Role, RoleProvider
from ..dialogue.turn import Conversation, Surroundings
from ..dialogue.variables import MissingVariables
from ..tool_calls.live import ByType, live_tools
from .alarms import Alarms
from .ending import STOPPED, Ended, analysed, hand_on, unjudged
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
from .keeping import Lost, Record
from .line import INTERNAL, NORMAL, OPERATIONAL, REFUSED, Line
from .program import LiveTools, Program
from .telling import Telling

SILENCE = "..."
"""Stands for a user who has said nothing for `turn_timeout` seconds: the agent then speaks again."""
MOST_REMINDERS = 3
"""In a row; after them the agent waits for the user."""
HOLD_SECONDS = 2.0
"""A user who is doing something is not spoken to for so long."""
PING_SECONDS = 5.0
AUDIO_SECONDS = 60.0
"""So long somebody may speak who has never written anything: nobody hears them, and then they are told."""
TEXT_ONLY = "text-only local engine"
MOST_WAITING = 20
"""Messages that the agent has not come to yet."""
FRAMES_A_SECOND, FRAMES_AT_ONCE = 50.0, 200.0
"""From one client."""
STORED_AGAIN_AFTER_SECONDS = 1.0, 10.0, 60.0, 600.0
"""An end that could not be stored, because the database was locked or away."""
_RESTARTING = 1012
"""The code with which the server of this process closes what is open when it stops."""

Name = Literal["duration", "silence", "reminder", "ping", "audio"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _End:
    """Why a conversation is over, and how the client is told."""

    why: str
    code: int = NORMAL
    error_type: str | None = None

    @property
    def failed(self) -> bool:
        return self.code != NORMAL


class Session:
    """`run` holds the conversation to its end. It has a place, and its record is stored, when this is made."""

    def __init__(self, line: Line, record: Record, role: Role, cast: RoleProvider, sleep: Sleep) -> None:
        """Raises MissingVariables."""
        self._line, self._record, self._role, self._cast, self._plan = line, record, role, cast, record.plan
        self._sleep, unit = sleep, record.unit
        self._now: Callable[[], float] = lambda: unit.clock() / 1000
        self._telling = Telling(line)
        self._program = Program(line, self._telling, unit.clock, sleep)
        self._alarms = Alarms[Name](self._now, sleep)
        parts = "agent_chat_response_part" in line.events
        data = self._plan.brought.data
        around = Surroundings(
            ByType({}),
            self._now,
            lambda: unit.new_id("call").removeprefix("call_").ljust(32, "0")[:32],
            self._on_turn,
            cast,
            sleep,
            on_text=self._on_text if parts else None,
            user_id=data.get("user_id"),
            extra_body=data.get("custom_llm_extra_body"),
            timed=True,
        )
        given = data["dynamic_variables"]
        self.talk = Conversation(self._plan.conversation_id, role, around, given=given)
        self._interruptible = "interruption" in line.events
        self._messages: MemoryObjectSendStream[str]
        self._inbox: MemoryObjectReceiveStream[str]
        self._busy = True
        self._reminders = 0
        self._writes = False
        """The client has sent something that can be read."""
        self._quiet_since = self._now()
        self._ping = (0, 0.0)
        self._ping_ms: int | None = None
        self._allowance, self._counted = FRAMES_AT_ONCE, self._now()
        self._end: _End | None = None
        self._scope = anyio.CancelScope()
        self._tasks: TaskGroup
        self._heard = anyio.Event()
        """What the user said last is stored."""
        self._heard.set()

    async def run(self) -> None:
        self._messages, self._inbox = anyio.create_memory_object_stream[str](MOST_WAITING)
        with self._messages, self._inbox:
            try:
                with self._scope:
                    async with anyio.create_task_group() as self._tasks:
                        for part in (self._read, self._talk, self._watch):
                            self._tasks.start_soon(self._guarded, part)
            finally:
                self._leave_unanswered()
                with anyio.CancelScope(shield=True):
                    await self._close(self._end or _End(STOPPED, INTERNAL, "unknown"))

    async def _guarded(self, part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except Malformed as wrong:
            self._over(_End(str(wrong), REFUSED, "invalid_message"))
        except ModelFailed as failed:
            self._over(_End(str(failed), OPERATIONAL, failed.trouble))
        except MissingVariables as missing:  # of what a tool was to set, or of an agent that took over
            handed_over = self.talk.agent.id != self._plan.agent_id
            type_ = "missing_dynamic_variable_transfer" if handed_over else "missing_dynamic_variable"
            self._over(_End(str(missing), REFUSED, type_))
        except ApiError as wrong:  # a prompt too large
            self._over(_End(str(wrong), REFUSED, "value_error"))
        except Lost:
            self._over(_End(STOPPED, INTERNAL, "unknown"))
        except Exception:
            log.exception("Defect in the conversation %s", self._plan.conversation_id)
            self._over(_End("Internal error.", INTERNAL, "unknown_websocket_crash"))

    def _over(self, end: _End) -> None:
        self._end = self._end or end
        self._scope.cancel()

    # What the client sends

    async def _read(self) -> None:
        while (message := await self._line.receive()) is not None:
            self._count()
            frame = unpacked(message)
            if AUDIO in frame and not self._writes and self._alarms.at("audio") is None:
                self._alarms.set("audio", self._now() + AUDIO_SECONDS)
            if (said := heard(frame)) is not None:
                await self._take(said)
        stopped = self._line.left_with == _RESTARTING
        self._over(_End(STOPPED, INTERNAL, "unknown") if stopped else _End("The client ended the conversation."))

    def _count(self) -> None:
        now = self._now()
        self._allowance = min(self._allowance + (now - self._counted) * FRAMES_A_SECOND, FRAMES_AT_ONCE)
        self._counted = now
        self._allowance -= 1
        if self._allowance < 0:
            raise Malformed(f"Too many frames: at most {FRAMES_A_SECOND:g} a second are read.")

    async def _take(self, said: Heard) -> None:
        if not self._writes and not isinstance(said, Pong):  # which programs send by themselves
            self._writes = True
            self._alarms.set("audio", None)
        match said:
            case UserMessage(text=text) | Multimodal(text=UserMessage(text=text)):
                self._hear(text)
            case ContextualUpdate():
                await self.talk.note(said.text, said.context_id)
            case Feedback():
                await self._judge(said)
            case ClientToolResult() | Approval():
                self._program.answered(said)
            case Pong():
                id, sent = self._ping
                self._ping_ms = round((self._now() - sent) * 1000) if said.event_id == id else self._ping_ms
            case _:
                self._active()

    def _hear(self, text: str | None) -> None:
        if not text or not text.strip():
            return self._active()
        self._reminders = 0
        self._active()
        try:
            self._messages.send_nowait(text)
        except anyio.WouldBlock:
            raise Malformed(f"Too many messages: {MOST_WAITING} wait for an answer.") from None
        if self._busy and self._interruptible and self.talk.transcript:
            self.talk.interrupt()

    def _active(self) -> None:
        """The user does something: nobody is silent."""
        if self._busy:
            return
        self._quiet_since = self._now()
        if (due := self._alarms.at("reminder")) is not None:
            self._alarms.set("reminder", max(due, self._now() + max(HOLD_SECONDS, self._seconds("turn_timeout") or 0)))
        self._alarms.set("silence", self._in("silence_end_call_timeout"))

    async def _judge(self, said: Feedback) -> None:
        place = self._telling.places.get(said.event_id)
        if place is None:
            return
        seconds = int(self._now()) - self._record.started
        turn, judged = self.talk.transcript[place], {"score": said.score, "time_in_call_secs": seconds}
        self._record.judged(at(turn, "feedback", "score"), said.score)
        turn["feedback"] = judged if said.score else None
        await self._record.save(self.talk.transcript, changed=place)

    # What the agent says

    async def _talk(self) -> None:
        """With the tools: MCP servers are connected as long as the conversation lasts.

        A greeting does not wait for them, unless a workflow decides who greets.
        """
        unit, plan, cast = self._record.unit, self._plan, self._cast
        await self._types(True)
        if self._role.workflow is None:
            await self.talk.open()
            await self._wait_for_user()
        async with live_tools(unit, plan.agent_id, cast, self._program, self.talk.variables) as live:
            role = await live.roles.role(plan.agent_id)
            self.talk.equip(LiveTools(live.tools, plan.brought.mocking), live.roles, role)
            await self._speak()

    async def _speak(self) -> None:
        if self._role.workflow is not None:
            await self.talk.open()
            await self._wait_for_user()
        async for text in self._inbox:
            self._busy = True
            await self.talk.listen(text)  # before anything that the end may cut short: it waits nowhere else any more
            await self._types(True)
            for name in ("reminder", "silence"):
                self._alarms.set(name, None)
            await self.talk.answer()
            if self.talk.interrupted:
                await self._telling.interruption()
            await self._wait_for_user(reminded=text == SILENCE)

    async def _wait_for_user(self, *, reminded: bool = False) -> None:
        self._record.language = self.talk.language
        if self.talk.ended:
            return self._over(_End(self.talk.ended))
        self._busy = False
        if not reminded:
            self._quiet_since = self._now()
        silence = self._seconds("silence_end_call_timeout")
        self._alarms.set("silence", self._quiet_since + silence if silence else None)
        reminds = self.talk.role.llm is not None and self._reminders < MOST_REMINDERS and not self._skipped()
        self._alarms.set("reminder", self._in("turn_timeout") if reminds else None)
        if not self._inbox.statistics().current_buffer_used:
            await self._types(False)

    async def _types(self, types: bool) -> None:
        """Whether the agent is at work on what it says next: otherwise it waits for the user."""
        await self._line.tell("agent_typing", "agent_typing_event", is_typing=types)

    def _skipped(self) -> bool:
        """The agent has just chosen to stay silent until the user speaks."""
        last: list[Json] = self.talk.transcript[-1]["tool_results"] if self.talk.transcript else []
        return any(at(result, "result", "result_type") == "skip_turn_success" for result in last)

    async def _on_turn(self, turn: Turn) -> None:
        """What is told is stored before; so is all that was said before it."""
        if turn["role"] == "user":  # the model may think about it meanwhile
            self._heard = anyio.Event()
            self._tasks.start_soon(self._guarded, partial(self._keep_heard, self._heard))
            return
        place = len(self.talk.transcript) - 1
        await self._record.save(self.talk.transcript)
        await self._telling.turn(turn, place)

    async def _keep_heard(self, heard: anyio.Event) -> None:
        await self._record.save(self.talk.transcript)
        heard.set()

    async def _on_text(self, piece: str) -> None:
        if not self._heard.is_set():  # to wait for what is there takes a round of the event loop, with every piece
            await self._heard.wait()
        await self._telling.text(piece)

    # What time it is

    async def _watch(self) -> None:
        limit: int = at(self._plan.config, "conversation", "max_duration_seconds") or 0
        self._alarms.set("duration", self._record.started + limit if limit > 0 else None)
        self._alarms.set("ping", self._now() + PING_SECONDS if "ping" in self._line.events else None)
        await self._alarms.run(self._ring)

    async def _ring(self, name: Name) -> None:
        match name:
            case "duration":
                self._over(_End("The conversation reached its maximum duration."))
            case "silence":
                self._over(_End("The user was silent for too long."))
            case "ping":
                self._ping = (self._ping[0] + 1, self._now())
                await self._line.tell("ping", "ping_event", event_id=self._ping[0], ping_ms=self._ping_ms)
                self._alarms.set("ping", self._now() + PING_SECONDS)
            case "audio":
                self._over(_End(TEXT_ONLY, REFUSED))
            case "reminder" if not self._inbox.statistics().current_buffer_used:
                self._reminders += 1
                self._messages.send_nowait(SILENCE)
            case "reminder":  # something was said at this moment
                self._leave_unanswered()

    def _seconds(self, setting: str) -> float | None:
        seconds: Any = self.talk.agent.turn.get(setting)
        return seconds if seconds and seconds > 0 else None

    def _in(self, setting: str) -> float | None:
        seconds = self._seconds(setting)
        return self._now() + seconds if seconds else None

    # The end

    def _leave_unanswered(self) -> None:
        """What the user said that the agent has not come to belongs to the record all the same."""
        while self._inbox.statistics().current_buffer_used:
            if (text := self._inbox.receive_nowait()) != SILENCE:
                self.talk.overhear(text)

    async def _close(self, end: _End) -> None:
        """First the record, then the client: whoever sees the end can read it, unless it cannot be stored yet."""
        unit, id = self._record.unit, self._plan.conversation_id
        document = self._document(end)
        try:
            await self._store(end, document)
        except Exception:
            log.exception("The end of %s is not stored yet", id)
            unit.jobs.start(self._store_later(end, document), f"the end of {id}")
        if end.failed:
            await self._line.refuse(end.code, end.why, end.error_type)
        else:
            await self._line.close(end.code, end.why)

    def _document(self, end: _End) -> Json:
        transcript = self.talk.transcript
        if not end.failed:
            return self._record.document("processing", transcript, end.why)
        document = self._record.document("failed", transcript, end.why, {"code": end.code, "reason": end.why})
        questions = read_questions(self._plan.document["platform_settings"])
        why = f"Not analysed, because it broke off: {end.why}"
        return document | {"analysis": unjudged(questions, self.talk.variables(), why)}

    async def _store(self, end: _End, document: Json) -> None:
        """The end, and with it the place is free; then what follows is begun."""
        plan, unit, keeps = self._plan, self._record.unit, self._record.keeps
        privacy: Json = at(plan.document, "platform_settings", "privacy") or {}
        forgotten = privacy.get("retention_days") == 0
        try:
            await self._record.finish(document, analysed=end.failed, forgotten=forgotten)
        except Lost:
            return  # it is closed already
        if end.failed:
            unit.jobs.start(hand_on(unit, document), f"the end of {plan.conversation_id}")
        elif keeps or unit.on_finished is not None:
            llm, questions = self.talk.model(self._role), read_questions(plan.document["platform_settings"])
            documents, variables = self._role.documents, self.talk.variables()
            ended = Ended(document, keeps, llm, documents, questions, variables, forgotten)
            unit.jobs.start(analysed(unit, ended), f"analysis of {plan.conversation_id}")

    async def _store_later(self, end: _End, document: Json) -> None:
        """No other process does it: this one lives, and says with its lease that it holds the conversation."""
        for seconds in STORED_AGAIN_AFTER_SECONDS:
            await self._sleep(seconds)
            try:
                return await self._store(end, document)
            except Exception:
                log.exception("The end of %s is still not stored", self._plan.conversation_id)
