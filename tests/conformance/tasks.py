"""Fixtures that become tasks, for the scenarios of the extension io.modelcontextprotocol/tasks."""

from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, ElicitRequest, ElicitResult, InputRequiredResult

from callwright.tasks.extension import TaskExtension
from callwright.tasks.task import Task, current

from .asking import NAME, elicit

_LONGER_THAN_A_MOMENT = 0.8


def _working() -> Task:
    """What takes long begins, as it does for a tool of the product when it sends what it is for."""
    task = current()
    assert task is not None
    task.begin()
    return task


async def greet(name: str) -> str:
    return f"Hello, {name}!"


async def slow_compute(seconds: float = 1, label: str = "") -> str:
    _working()
    await anyio.sleep(seconds)
    return f"Computed {label}"


async def failing_job(ctx: Context[Any]) -> str:
    require_client_extension(ctx.request_context, TaskExtension.identifier)
    _working()
    await anyio.sleep(_LONGER_THAN_A_MOMENT)
    raise ToolError("This job fails, as it should")


async def protocol_error_job() -> str:
    _working()
    await anyio.sleep(_LONGER_THAN_A_MOMENT)
    raise MCPError(INTERNAL_ERROR, "This job breaks off, as it should")


async def confirm_delete(filename: str) -> str:
    answer = await _working().ask(elicit(f"Delete {filename}?", confirm={"type": "boolean"}))
    return f"{answer.action}: {answer.content}"


async def multi_input() -> str:
    task, answers = _working(), list[ElicitResult]()

    async def ask(request: ElicitRequest) -> None:
        answers.append(await task.ask(request))

    async with anyio.create_task_group() as both:
        both.start_soon(ask, NAME)
        both.start_soon(ask, elicit("Sure?", confirm={"type": "boolean"}))
    return f"{len(answers)} answers"


async def tool_with_task(ctx: Context[Any]) -> str | InputRequiredResult:
    answer = (ctx.input_responses or {}).get("user_name")
    if not isinstance(answer, ElicitResult):
        return InputRequiredResult(input_requests={"user_name": NAME}, request_state="asked")
    _working()
    await anyio.sleep(_LONGER_THAN_A_MOMENT)
    return f"Hello, {(answer.content or {}).get('name')}!"


LONG: dict[str, Any] = {
    "slow_compute": slow_compute,
    "failing_job": failing_job,
    "protocol_error_job": protocol_error_job,
    "confirm_delete": confirm_delete,
    "multi_input": multi_input,
    "test_tool_with_task": tool_with_task,
}
TOOLS: dict[str, Any] = {"greet": greet, **LONG}
