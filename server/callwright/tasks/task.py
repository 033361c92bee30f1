"""Long calls. Each runs beside the request that began it, so that it can go on when nobody waits there any more."""

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from mcp.server.context import HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ElicitRequest,
    ElicitResult,
    InputRequiredResult,
)

from ..clock import NewId, NowMs

logger = logging.getLogger(__name__)

Status = Literal["working", "input_required", "completed", "failed", "cancelled"]
Owner = tuple[str, str]
"""Who began it, and where they work: name of the principal, account."""

GRACE_SECONDS = 0.5
"""How long a client that knows tasks waits before the call becomes one."""
TTL_MS = 3_600_000
"""From the begin: so long an answer is kept, and no task runs or waits for input for longer."""
MOST_RUNNING = 32
"""Long calls of one owner at a time."""
MOST_KEPT = 256
"""Tasks of one owner that are kept; of more, those that ended first are forgotten before their time."""


@dataclass
class Question:
    """What a task wants to know from the client. `answer` is there once `answered` is set."""

    request: ElicitRequest
    answered: anyio.Event = field(default_factory=anyio.Event)
    answer: ElicitResult | None = None


class Task:
    """One long call, and its answer when it has one."""

    def __init__(self, tool: str, owner: Owner, clock: NowMs, *, may_ask: bool) -> None:
        self.id: str | None = None
        """With the handle that its caller was given, who then no longer waits."""
        self.tool, self.owner = tool, owner
        self.status: Status = "working"
        self.said: str | None = None
        """How far the work is, in its own words."""
        self.answer: HandlerResult = None
        self.failure: Exception | None = None
        self.questions: dict[str, Question] = {}
        self._clock, self._may_ask = clock, may_ask
        self.created_ms = self.updated_ms = clock()
        self._scope = anyio.CancelScope()
        self._asked = 0
        self._began, self._stops, self._ended = anyio.Event(), anyio.Event(), anyio.Event()

    @property
    def away(self) -> bool:
        """Whether its caller no longer waits."""
        return self.id is not None

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")

    def begin(self) -> None:
        """What takes long begins. Until then the call prepares, or waits for a person, and its caller with it."""
        self._began.set()

    def say(self, said: str) -> None:
        self.said = said
        self._touch()

    def cancel(self) -> None:
        """Stop the work; nothing happens where it has ended."""
        if not self.ended:
            self._end("cancelled")
            self._scope.cancel()

    async def wait(self, seconds: float) -> bool:
        """Whether the end comes within `seconds` of the begin. A question to the client ends the waiting too."""
        await self._began.wait()
        with anyio.move_on_after(seconds):
            await self._stops.wait()
        return self.ended

    async def wait_for_end(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._ended.wait()

    def outcome(self) -> HandlerResult:
        """What the call answers, or raises."""
        if self.status == "cancelled":
            raise MCPError(INTERNAL_ERROR, f"{self.tool} was stopped before its end.")
        if self.failure:
            raise self.failure
        return self.answer

    async def ask(self, request: ElicitRequest) -> ElicitResult:
        """Ask the client in the midst of the work. Raises MCPError where it does not know tasks."""
        if not self._may_ask:
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "Only a client that knows tasks can be asked here.")
        self._asked += 1
        key, question = f"input_{self._asked}", Question(request)
        self.questions[key] = question
        self._move("input_required")
        self._began.set()
        self._stops.set()
        try:
            await question.answered.wait()
        finally:
            self._close(key)
        if question.answer is None:
            raise RuntimeError("a question that was answered holds its answer")
        return question.answer

    def reply(self, key: str, answer: object) -> None:
        """Hand in an answer; one to no open question is ignored. Raises ValidationError where it is none."""
        if key not in self.questions or self.ended:
            return
        question = self.questions[key]
        question.answer = ElicitResult.model_validate(answer)
        question.answered.set()
        self._close(key)

    def _close(self, key: str) -> None:
        if self.questions.pop(key, None) and not self.ended:
            self._move("input_required" if self.questions else "working")

    async def run(self, call: Callable[[], Awaitable[HandlerResult]]) -> None:
        """Make the call, and keep how it ends. Raises no Exception."""
        _current.set(self)
        try:
            self._scope.deadline = anyio.current_time() + TTL_MS / 1000
            with self._scope:
                try:
                    self._answered(await call())
                except Exception as exc:
                    if self.away and not isinstance(exc, MCPError):
                        logger.exception("Task of tool %r failed", self.tool)
                    self.failure = exc
                    self._end("failed")
        finally:
            self._end("cancelled")
            self._ended.set()

    def _answered(self, answer: HandlerResult) -> None:
        if self.away and isinstance(answer, InputRequiredResult):
            raise RuntimeError(f"{self.tool} asked its caller, who no longer waits")
        self.answer = answer
        self._end("completed")

    def _end(self, status: Status) -> None:
        """The first end counts."""
        if not self.ended:
            self.questions.clear()
            self._move(status)
            self._began.set()
            self._stops.set()

    def _move(self, status: Status) -> None:
        self.status = status
        self._touch()

    def _touch(self) -> None:
        self.updated_ms = self._clock()


_current: ContextVar[Task | None] = ContextVar("task", default=None)


def current() -> Task | None:
    """The long call in which this is called."""
    return _current.get()


class Tasks:
    """The long calls of one process, and what they answered. Nothing of it outlives the process."""

    def __init__(self, clock: NowMs, ids: NewId, patience: float) -> None:
        self._clock, self._ids = clock, ids
        self.patience = patience
        """Seconds that a client waits for a long call which cannot be told of its end otherwise."""
        self._running: set[Task] = set()
        self._kept: dict[str, Task] = {}

    def room(self, owner: Owner) -> bool:
        return sum(task.owner == owner for task in self._running) < MOST_RUNNING

    def start(
        self,
        group: TaskGroup,
        tool: str,
        owner: Owner,
        call: Callable[[], Awaitable[HandlerResult]],
        *,
        may_ask: bool,
    ) -> Task:
        """Make this call in `group`. It is forgotten with its end, unless it is kept."""
        task = Task(tool, owner, self._clock, may_ask=may_ask)
        self._running.add(task)

        async def run() -> None:
            try:
                await task.run(call)
            finally:
                self._running.discard(task)

        group.start_soon(run)
        return task

    def keep(self, task: Task) -> None:
        """Give it an id, with which its caller goes away."""
        self._forget_expired()
        ended = [(id, kept.updated_ms) for id, kept in self._kept.items() if kept.owner == task.owner and kept.ended]
        for id, _ in sorted(ended, key=itemgetter(1))[: max(0, len(ended) + 1 - MOST_KEPT)]:
            del self._kept[id]
        task.id = self._ids("task")
        self._kept[task.id] = task

    def find(self, id: str, owner: Owner) -> Task | None:
        """None where it is unknown, expired or somebody else's: these look the same."""
        self._forget_expired()
        task = self._kept.get(id)
        return task if task and task.owner == owner else None

    def _forget_expired(self) -> None:
        begun = self._clock() - TTL_MS
        for id, task in list(self._kept.items()):
            if task.created_ms <= begun:
                task.cancel()
                del self._kept[id]
