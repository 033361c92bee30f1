"""Client tools, which the client's program in a live conversation runs."""

import json
from dataclasses import dataclass
from typing import Protocol

from ...contract.merge import JsonView
from ..dialogue.tools import Outcome, Tool
from ..dialogue.variables import Variables


class Client(Protocol):
    """The client's program in a live conversation."""

    async def ask(self, tool: Tool, request_id: str, arguments: JsonView) -> Outcome:
        """Run a client tool. Waits for the result if the tool expects a response; otherwise success is assumed."""
        ...

    async def approve(self, call: JsonView) -> bool:
        """Whether the user approves this call. `call` is the content of the `mcp_tool_call` event that reported it. No
        answer within its `approval_timeout_secs` counts as no. Raises ConnectionError if the client is gone.
        """
        ...

    async def report(self, event: JsonView) -> None:
        """Send an event: `{"type": <name>, <name>: {...}}`, named mcp_tool_call or mcp_connection_status."""
        ...


@dataclass(frozen=True)
class ClientToolExecutor:
    """`Executor` of client tools."""

    client: Client

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView:
        return {"type": "client", "parameters": json.dumps(arguments, ensure_ascii=False)}

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        return await self.client.ask(tool, request_id, arguments)
