"""The client's program, as the tools of a live conversation use it; and which tools are not really called in one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio

from ...clock import NowMs, Sleep
from ...contract.merge import Json
from ..dialogue.tools import NOT_MOCKED, Caller, McpCall, Outcome, Tool
from .frames import Approval, ClientToolResult, Mocking
from .line import Line
from .telling import Telling

ASSUMED = "The client was told to run it; its answer is not waited for."


@dataclass
class _Waiting:
    came: anyio.Event = field(default_factory=anyio.Event)
    answer: ClientToolResult | Approval | None = None


@dataclass(frozen=True)
class Program:
    """Implements `Caller`."""

    line: Line
    telling: Telling
    clock: NowMs
    sleep: Sleep
    _waiting: dict[str, _Waiting] = field(default_factory=dict[str, _Waiting])

    async def ask(self, tool: Tool, request_id: str, arguments: Mapping[str, Any]) -> Outcome:
        if "client_tool_call" not in self.line.events:
            said = "The client is not told of tool calls: client_tool_call is not among the agent's client_events."
            return Outcome(said, is_error=True, called=False)
        began = self.clock()
        call: Json = {"tool_name": tool.name, "tool_call_id": request_id, "parameters": dict(arguments)}
        call |= {"event_id": self.telling.event_id, "expects_response": tool.expects_response}
        waiting = self._expect(request_id) if tool.expects_response else None
        await self.line.tell("client_tool_call", "client_tool_call", **call)
        if waiting is None:
            return Outcome(ASSUMED)
        answer = await self._wait(request_id, waiting, tool.timeout_secs)
        took = (self.clock() - began) / 1000
        if not isinstance(answer, ClientToolResult):
            said = f"The client gave no answer within {tool.timeout_secs:g} seconds."
            return Outcome(said, is_error=True, latency_secs=took)
        return Outcome(_as_text(answer.result), answer.is_error, latency_secs=took)

    async def approve(self, call: McpCall, timeout_secs: float) -> bool:
        waiting = self._expect(call.tool_call_id)
        await self._show(call, "awaiting_approval", approval_timeout_secs=timeout_secs)
        answer = await self._wait(call.tool_call_id, waiting, timeout_secs)
        return isinstance(answer, Approval) and answer.is_approved

    async def loading(self, call: McpCall) -> None:
        await self._show(call, "loading")

    async def succeeded(self, call: McpCall, result: Sequence[Mapping[str, Any]]) -> None:
        await self._show(call, "success", result=[dict(block) for block in result])

    async def failed(self, call: McpCall, error: str) -> None:
        await self._show(call, "failure", error_message=error)

    def answered(self, answer: ClientToolResult | Approval) -> None:
        """By the client. What nobody waits for any more, or ever did, is passed over."""
        if (waiting := self._waiting.get(answer.tool_call_id)) is not None:
            waiting.answer = answer
            waiting.came.set()

    def _expect(self, id: str) -> _Waiting:
        """Before the frame leaves: the answer may come at once."""
        return self._waiting.setdefault(id, _Waiting())

    async def _wait(self, id: str, waiting: _Waiting, seconds: float) -> ClientToolResult | Approval | None:
        try:
            async with anyio.create_task_group() as tasks:

                async def give_up() -> None:
                    await self.sleep(seconds)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(give_up)
                await waiting.came.wait()
                tasks.cancel_scope.cancel()
        finally:
            self._waiting.pop(id, None)
        return waiting.answer

    async def _show(self, call: McpCall, state: str, **more: Any) -> None:
        shown: Json = {
            "service_id": call.service_id,
            "tool_call_id": call.tool_call_id,
            "tool_name": call.tool_name,
            "tool_description": call.tool_description,
            "parameters": dict(call.parameters),
            "timestamp": datetime.fromtimestamp(self.clock() / 1000, UTC).isoformat(),
            "state": state,
        }
        await self.line.tell("mcp_tool_call", "mcp_tool_call", **shown, **more)


@dataclass(frozen=True)
class LiveTools:
    """Runs the tools of a live conversation: those that are mocked in it, and of the others those of the client."""

    caller: Caller
    mocking: Mocking

    async def run(self, tool: Tool, request_id: str, arguments: Mapping[str, Any]) -> Outcome:
        strategy = self.mocking.mocking_strategy
        if strategy == "all" or (strategy == "selected" and tool.name in self.mocking.mocked_tool_names):
            return Outcome(NOT_MOCKED)
        if strategy == "selected" and self.mocking.fallback_strategy == "raise_error":
            return Outcome("This tool is not mocked, and no other is called here.", is_error=True, called=False)
        if tool.type == "client":
            return await self.caller.ask(tool, request_id, arguments)
        return Outcome(f"Tools of the type {tool.type} are not called here.", is_error=True, called=False)


def _as_text(result: Any) -> str:
    """What a client answers may be any JSON; a model reads text."""
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
