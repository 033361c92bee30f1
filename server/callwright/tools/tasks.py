"""Tools to follow long calls, for clients without the tasks extension, which get an id as the first answer."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from ..accounts.scopes import scope_of_each
from ..tasks.task import Task
from ..toolkit.toolset import services

TaskId = Annotated[str, Field(max_length=64, description="From the call's answer.")]


class TaskView(BaseModel):
    """A task that has not ended, or was stopped; of one that has ended, the answer of its own tool."""

    task_id: str = ""
    status: str = ""
    progress: str = ""


async def get_task(ctx: Context[Any], task_id: TaskId) -> Annotated[CallToolResult, TaskView]:
    """Get the answer of a long call that is still running. Waits a while; call again until it is there."""
    task = _found(ctx, task_id)
    await task.wait_for_end(services(ctx).tasks.patience)
    if not task.ended:
        how_far = f" ({task.said})" if task.said else ""
        return _told(task, f"{task.tool} is still running{how_far}. Call get_task again.")
    if task.status == "cancelled":
        return _told(task, f"{task.tool} was stopped before its end.")
    answer = task.outcome()
    if not isinstance(answer, CallToolResult):
        raise ToolError(f"{task.tool} has no answer that a tool could give.")
    return answer


async def cancel_task(ctx: Context[Any], task_id: TaskId) -> Annotated[CallToolResult, TaskView]:
    """Stop a long call that is still running. What it did so far stays."""
    task = _found(ctx, task_id)
    if task.ended:
        return _told(task, f"{task.tool} had ended already.")
    task.cancel()
    return _told(task, f"{task.tool} is stopped.")


def _found(ctx: Context[Any], task_id: str) -> Task:
    caller = services(ctx)
    task = caller.tasks.find(task_id, caller.owner)
    if task is None or not caller.may(scope_of_each().get(task.tool, "")):
        raise ToolError("No such task. Its answer is kept for an hour, and not beyond a restart of the server.")
    return task


def _told(task: Task, said: str) -> CallToolResult:
    view = TaskView(task_id=task.id or "", status=task.status, progress=task.said or "")
    return CallToolResult(content=[TextContent(text=said)], structured_content=view.model_dump(exclude_defaults=True))
