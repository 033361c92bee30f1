"""The extension io.modelcontextprotocol/tasks: a long call becomes a task; other clients get a handle.

A client that declares the extension gets `resultType: "task"` after a short wait, and uses `tasks/get`, `tasks/update`
and `tasks/cancel`. Any other client waits longer, and then gets the id in an ordinary result, for the tool `get_task`.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp.types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
    TextContent,
)
from pydantic import BaseModel, Field, ValidationError

from ..background_group import BackgroundGroup

if TYPE_CHECKING:
    from ..services import Serving
    from .task import Task

Json = dict[str, Any]

POLL_MS = 1_000
_REVISIONS = frozenset({"2026-07-28"})
_DONE: Json = {"resultType": "complete"}


class TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")
    input_responses: dict[str, Any] = Field(alias="inputResponses", default_factory=dict[str, Any])
    """Answers in `tasks/update`, by the keys of `inputRequests`."""


class TaskExtension(Extension, BackgroundGroup):
    identifier = "io.modelcontextprotocol/tasks"

    def __init__(
        self, host: "Serving", long: Mapping[str, str], collector: str | None, runners: Collection[str] = ()
    ) -> None:
        """`long`: the scope of each tool that may become a task, by its name. `collector`: scope of `get_task`,
        or None if that is not offered. `runners`: tools that run the tool named by their argument `tool`.
        """
        super().__init__()
        self._host, self._long, self._collector, self._runners = host, long, collector, runners

    def methods(self) -> Sequence[MethodBinding]:
        handlers = {"tasks/get": self._get, "tasks/update": self._update, "tasks/cancel": self._cancel}
        return [MethodBinding(name, TaskParams, handler, _REVISIONS) for name, handler in handlers.items()]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        tool, group = self._long_tool(params), self.group
        if tool is None or group is None:
            return await call_next(ctx)
        from .task import GRACE_SECONDS, MOST_RUNNING

        tasks, caller = self._host.tasks, self._host.of(ctx.request)
        if not tasks.room(caller.owner):
            said = f"{MOST_RUNNING} long calls are running, the most at a time. Wait for one, or stop one."
            return CallToolResult(content=[TextContent(text=said)], is_error=True)
        declared = self._declared(ctx)
        task = tasks.start(group, tool, caller.owner, lambda: call_next(ctx), may_ask=declared)
        collects = self._collector is not None and caller.may(self._collector)
        patience = tasks.patience if declared or collects else math.inf
        try:
            if await task.wait(min(GRACE_SECONDS, patience) if declared else patience):
                return task.outcome()
            tasks.keep(task)
        finally:
            if not task.away:
                task.cancel()  # the caller cancelled
        return {"resultType": "task", **_wire(task)} if declared else _handle(task)

    def _long_tool(self, params: CallToolRequestParams) -> str | None:
        """The long tool that is called, directly or through the search surface."""
        named = (params.arguments or {}).get("tool") if params.name in self._runners else None
        return next((name for name in (params.name, named) if isinstance(name, str) and name in self._long), None)

    def _declared(self, ctx: ServerRequestContext[Any, Any]) -> bool:
        capabilities = ctx.session.client_capabilities
        extensions = capabilities.extensions if capabilities else None
        return ctx.protocol_version in _REVISIONS and self.identifier in (extensions or {})

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Json:
        task = self._task(ctx, params)
        return _DONE | _wire(task) | _details(task)

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Json:
        task = self._task(ctx, params)
        for key, answer in params.input_responses.items():
            try:
                task.reply(key, answer)
            except ValidationError:
                raise MCPError(INVALID_PARAMS, f"inputResponses.{key} is no answer to that request.") from None
        return dict(_DONE)

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Json:
        self._task(ctx, params).cancel()
        return dict(_DONE)

    def _task(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> "Task":
        require_client_extension(ctx, self.identifier)
        if ctx.request is not None and decode_header_value(ctx.request.headers.get(MCP_NAME_HEADER)) != params.task_id:
            raise MCPError(HEADER_MISMATCH, "The header Mcp-Name must hold the taskId.")
        caller = self._host.of(ctx.request)
        task = self._host.tasks.find(params.task_id, caller.owner)
        if task is None or not caller.may(self._long[task.tool]):
            raise MCPError(INVALID_PARAMS, "Unknown or expired task.", {"taskId": params.task_id})
        return task


def _wire(task: "Task") -> Json:
    from .task import TTL_MS

    said = {} if task.said is None else {"statusMessage": task.said}
    return {
        "taskId": task.id,
        "status": task.status,
        **said,
        "createdAt": _time(task.created_ms),
        "lastUpdatedAt": _time(task.updated_ms),
        "ttlMs": TTL_MS,
        "pollIntervalMs": POLL_MS,
    }


def _details(task: "Task") -> Json:
    if task.status == "completed":
        return {"result": _dumped(task.answer)}
    if task.status == "failed":
        failure = task.failure
        unknown: Json = {"code": INTERNAL_ERROR, "message": "Internal server error"}
        return {"error": _dumped(failure.error) if isinstance(failure, MCPError) else unknown}
    if task.status == "input_required":
        return {"inputRequests": {key: _dumped(each.request) for key, each in task.questions.items()}}
    return {}


def _handle(task: "Task") -> CallToolResult:
    said = f"{task.tool} is still running. get_task with task_id {task.id} gives its answer, cancel_task stops it."
    facts = {"task_id": task.id, "status": task.status}
    return CallToolResult(content=[TextContent(text=said)], structured_content=facts)


def _dumped(value: Any) -> Json:
    return value.model_dump(by_alias=True, mode="json", exclude_none=True) if isinstance(value, BaseModel) else value


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
