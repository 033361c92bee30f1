"""Client tools: whoever holds the conversation carries them out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import anyio

from ..dialogue.paths import as_text
from ..dialogue.tools import NOT_MOCKED, Outcome, Tool
from ..dialogue.variables import Variables
from .webhooks import DEFAULT_SECONDS, cut

JSON = Mapping[str, Any]


@dataclass(frozen=True)
class ClientResult:
    """What the client sent back: any JSON."""

    result: object
    is_error: bool = False


class Client(Protocol):
    """The other end of a live conversation."""

    async def ask(
        self, tool_name: str, tool_call_id: str, parameters: JSON, expects_response: bool
    ) -> ClientResult | None:
        """Send the call, and wait for its result where one is expected; it is cancelled when that takes too long.

        Raises ConnectionError when the client is gone.
        """
        ...

    async def approve(self, call: JSON) -> bool:
        """Whether the person lets this call be made. `call` is what an `mcp_tool_call` event says, which was reported.

        It is cancelled after `approval_timeout_secs` of the call. Raises ConnectionError when the client is gone.
        """
        ...

    async def report(self, event: JSON) -> None:
        """Tell the client: `{"type": <name>, <name>: {...}}` of the names mcp_tool_call and mcp_connection_status."""
        ...


@dataclass(frozen=True)
class ClientTools:
    """`Executor` of client tools."""

    client: Client

    def details(self, tool: Tool, arguments: JSON, variables: Variables) -> JSON:
        return {"type": "client", "parameters": json.dumps(arguments, ensure_ascii=False)}

    async def run(self, tool: Tool, request_id: str, arguments: JSON, variables: Variables) -> Outcome:
        waits = bool(tool.config.get("expects_response"))
        seconds = tool.config.get("response_timeout_secs") or DEFAULT_SECONDS
        try:
            with anyio.fail_after(seconds):
                got = await self.client.ask(tool.name, request_id, arguments, waits)
        except TimeoutError:
            return Outcome(f"The client did not answer within {seconds} s.", is_error=True)
        except ConnectionError:
            return Outcome("The client is gone.", is_error=True, called=False)
        if not waits or got is None:
            return Outcome(NOT_MOCKED)
        text = as_text(got.result)
        return Outcome(cut(text), is_error=got.is_error, answer=text)
