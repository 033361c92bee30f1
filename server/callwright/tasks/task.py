"""Long calls. Each runs beside the request that began it, so that it can outlive the request."""

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
"""The owner of a task: name of the principal, account."""

GRACE_SECONDS = 0.5
"""The wait before a long call becomes a task, for a client that supports tasks."""
TTL_MS = 3_600_000
"""Measured from the creation: an answer is kept, and a task runs or waits for input, no longer than this."""
MOST_RUNNING = 32
"""Running long calls of one owner."""
MOST_KEPT = 256
"""Kept tasks of one owner; beyond this number, those that ended first are forgotten early."""


@dataclass
class Question:
    """A question of a task to the client. `answer` is set before `answered` is."""

    request: ElicitRequest
    answered: anyio.Event = field(default_factory=anyio.Event)
    answer: ElicitResult | None = None


class Task:
    """One long call, and its result once it has ended."""

    def __init__(self, tool: str, owner: Owner, clock: NowMs, *, may_ask: bool) -> None:
        self.id: str | None = None
        """The handle, once the caller has been given it and no longer waits."""
        self.tool, self.owner = tool, owner
        self.status: Status = "working"
        self.said: str | None = None
        """The progress message of the work."""
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
        """Whether the caller no longer waits."""
        return self.id is not None

    @property
    def ended(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")

    def begin(self) -> None:
        """Mark the start of the long part. Before it, the call prepares or waits for a person, as does its caller."""
        self._began.set()

    def say(self, said: str) -> None:
        self.said = said
        self._touch()

    def cancel(self) -> None:
        """Stop the work; does nothing if it has ended."""
        if not self.ended:
            self._end("cancelled")
            self._scope.cancel()

    async def wait(self, seconds: float) -> bool:
        """Whether the call ends within `seconds` of its long part. A question to the client also ends the wait."""
        await self._began.wait()
        with anyio.move_on_after(seconds):
            await self._stops.wait()
        return self.ended

    async def wait_for_end(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._ended.wait()

    def outcome(self) -> HandlerResult:
        """Return the result of the call, or raise its error."""
        if self.status == "cancelled":
            raise MCPError(INTERNAL_ERROR, f"{self.tool} was stopped before its end.")
        if self.failure:
            raise self.failure
        return self.answer

    async def ask(self, request: ElicitRequest) -> ElicitResult:
        """Ask the client during the work. Raises MCPError if the client does not support tasks."""
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
        """Set the answer to a question, if that is open. Raises ValidationError for an invalid answer."""
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
        """Run the call, and store its result or error. Raises no Exception."""
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
        """Set the final status. The first one is kept."""
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
    """The long call in whose context this is called."""
    return _current.get()


class Tasks:
    """The long calls of one process, and their results. Nothing is persisted."""

    def __init__(self, clock: NowMs, ids: NewId, patience: float) -> None:
        self._clock, self._ids = clock, ids
        self.patience = patience
        """Seconds that a client without task support waits for a long call before it gets a handle."""
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
        """Run this call in `group`. The task is forgotten when it ends, unless it is kept."""
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
        """Give the task an id, which lets its caller leave."""
        self._forget_expired()
        ended = [(id, kept.updated_ms) for id, kept in self._kept.items() if kept.owner == task.owner and kept.ended]
        for id, _ in sorted(ended, key=itemgetter(1))[: max(0, len(ended) + 1 - MOST_KEPT)]:
            del self._kept[id]
        task.id = self._ids("task")
        self._kept[task.id] = task

    def find(self, id: str, owner: Owner) -> Task | None:
        """Returns None if it is unknown, expired or of another owner; the caller cannot tell which."""
        self._forget_expired()
        task = self._kept.get(id)
        return task if task and task.owner == owner else None

    def _forget_expired(self) -> None:
        begun = self._clock() - TTL_MS
        for id, task in list(self._kept.items()):
            if task.created_ms <= begun:
                task.cancel()
                del self._kept[id]
