"""A long call by itself, where no server is needed to see it."""

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitRequest, ElicitRequestFormParams

from callwright.tasks.task import Task, Tasks, current
from tests.transports import Clock, numbered

pytestmark = pytest.mark.anyio

OWNER = ("ada", "embedded")
QUESTION = ElicitRequest(params=ElicitRequestFormParams(message="Sure?", requested_schema={"type": "object"}))


async def test_who_waits_when_the_server_ends_is_told_that_the_call_was_stopped(clock: Clock) -> None:
    async def call() -> None:
        await anyio.sleep_forever()

    tasks: list[Task] = []
    async with anyio.create_task_group() as group:
        tasks.append(Tasks(clock, numbered(), 60).start(group, "rehearse", OWNER, call, may_ask=False))
        group.cancel_scope.cancel()
    [task] = tasks
    assert await task.wait(0)
    with pytest.raises(MCPError, match="rehearse was stopped before its end"):
        task.outcome()


async def test_a_question_that_the_work_gave_up_is_no_longer_open(clock: Clock) -> None:
    gave_up = anyio.Event()

    async def call() -> None:
        task = current()
        assert isinstance(task, Task)
        with anyio.move_on_after(0):
            await task.ask(QUESTION)
        gave_up.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        task = Tasks(clock, numbered(), 60).start(group, "rehearse", OWNER, call, may_ask=True)
        await gave_up.wait()
        assert (task.status, task.questions) == ("working", {})
        group.cancel_scope.cancel()
