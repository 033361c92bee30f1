"""Client tools, which the program at the other end of a conversation carries out."""

import json
from dataclasses import dataclass
from typing import Protocol

from ...contract.merge import JsonView
from ..dialogue.tools import Outcome, Tool
from ..dialogue.variables import Variables


class Client(Protocol):
    """The program at the other end of a live conversation."""

    async def ask(self, tool: Tool, request_id: str, arguments: JsonView) -> Outcome:
        """Have it run a client tool. Its answer is waited for where the tool expects one; else success is assumed."""
        ...

    async def approve(self, call: JsonView) -> bool:
        """Whether the person there lets this call be made. `call` is what an `mcp_tool_call` event says, which was
        reported; no answer in its `approval_timeout_secs` is a no. Raises ConnectionError when the client is gone.
        """
        ...

    async def report(self, event: JsonView) -> None:
        """Tell it: `{"type": <name>, <name>: {...}}` of the names mcp_tool_call and mcp_connection_status."""
        ...


@dataclass(frozen=True)
class ClientToolExecutor:
    """`Executor` of client tools."""

    client: Client

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView:
        return {"type": "client", "parameters": json.dumps(arguments, ensure_ascii=False)}

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        return await self.client.ask(tool, request_id, arguments)
