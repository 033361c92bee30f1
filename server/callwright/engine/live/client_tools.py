"""Tools that the client's program runs, and its approvals of MCP tool calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from ...clock import NowMs, Sleep
from ...contract.merge import Json
from ..dialogue.paths import as_text
from ..dialogue.tools import Outcome, Tool
from ..tool_calls.webhooks import cut
from .agent_events import AgentEvents
from .client_socket import ClientSocket
from .frames import Approval, ClientToolResult

ASSUMED = "The client was told to run it; its answer is not waited for."


@dataclass
class _Waiting:
    came: anyio.Event = field(default_factory=anyio.Event)
    answer: ClientToolResult | Approval | None = None


@dataclass(frozen=True)
class ClientTools:
    """`Client` over a socket. `answered` takes the results and approvals that the client sends."""

    socket: ClientSocket
    agent_events: AgentEvents
    clock: NowMs
    sleep: Sleep
    _waiting: dict[str, _Waiting] = field(default_factory=dict[str, _Waiting])

    async def ask(self, tool: Tool, request_id: str, arguments: Mapping[str, Any]) -> Outcome:
        if "client_tool_call" not in self.socket.events:
            said = "The client is not told of tool calls: client_tool_call is not among the agent's client_events."
            return Outcome(said, is_error=True, called=False)
        began = self.clock()
        call: Json = {"tool_name": tool.name, "tool_call_id": request_id, "parameters": dict(arguments)}
        call |= {"event_id": self.agent_events.event_id, "expects_response": tool.expects_response}
        waiting = self._expect(request_id) if tool.expects_response else None
        await self.socket.tell("client_tool_call", "client_tool_call", **call)
        if waiting is None:
            return Outcome(ASSUMED)
        answer = await self._wait(request_id, waiting, tool.timeout_secs)
        took = (self.clock() - began) / 1000
        if not isinstance(answer, ClientToolResult):
            said = f"The client gave no answer within {tool.timeout_secs:g} seconds."
            return Outcome(said, is_error=True, latency_secs=took)
        text = as_text(answer.result)
        return Outcome(cut(text), answer.is_error, latency_secs=took, answer=text)

    async def approve(self, call: Mapping[str, Any]) -> bool:
        """Wait for the approval of this call, which was requested by the report of the call."""
        if "mcp_tool_call" not in self.socket.events:
            return False  # the client was not asked
        id, seconds = str(call["tool_call_id"]), float(call["approval_timeout_secs"])
        answer = await self._wait(id, self._expect(id), seconds)
        return isinstance(answer, Approval) and answer.is_approved

    async def report(self, event: Mapping[str, Any]) -> None:
        name = str(event["type"])
        if event[name].get("state") == "awaiting_approval":
            self._expect(event[name]["tool_call_id"])
        await self.socket.tell(name, name, **event[name])

    def answered(self, answer: ClientToolResult | Approval) -> None:
        """Take a result or approval of the client. An unexpected one is ignored."""
        if (waiting := self._waiting.get(answer.tool_call_id)) is not None:
            waiting.answer = answer
            waiting.came.set()

    def _expect(self, id: str) -> _Waiting:
        """Called before the frame is sent, because the answer may arrive at once."""
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
