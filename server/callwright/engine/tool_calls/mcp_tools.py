"""MCP tools of a live conversation: sessions with the servers, approval of each call, and the call."""

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import anyio
from anyio.abc import TaskGroup

from ...contract.errors import ApiError
from ...contract.merge import Json, JsonView
from ..dialogue.paths import as_text
from ..dialogue.tools import Outcome, Tool
from ..dialogue.variables import Variables
from ..mcp import client as mcp_client
from ..mcp.client import Called, Endpoint, unavailable
from ..store.secrets import reveal
from ..unit import Unit
from .clients import Client
from .offers import Listing, admitted
from .webhooks import cut, redacted

if TYPE_CHECKING:
    from mcp import Client as Session


APPROVAL_SECONDS = 300
LARGEST_REPORT = 100_000
"""The maximum number of characters of an answer sent to the client in full."""

log = logging.getLogger(__name__)


@dataclass
class _Server:
    """One MCP server of the conversation. `session` is set while it is connected."""

    id: str
    listing: Listing | None = None
    session: "Session | None" = None
    turned_away: bool = False
    """Rejected before a connection: the server may not be called, or not with the variables at that time."""
    confidential: list[str] = field(default_factory=list[str])


class McpTools:
    """`Executor` of MCP tools. Each server is connected when a role first needs it, and listed once."""

    def __init__(self, unit: Unit, client: Client, tasks: TaskGroup) -> None:
        """`tasks` run the sessions; `close` ends them."""
        self._unit, self._client, self._tasks = unit, client, tasks
        self._servers: dict[str, _Server] = {}
        self._closing = anyio.Event()

    async def listings(self, server_ids: Sequence[str], variables: Variables) -> Sequence[Listing]:
        """The tools of the connected servers. A rejected server is tried again, because a tool may since have set the
        variable that one of its headers needs.
        """
        new = [
            _Server(id) for id in dict.fromkeys(server_ids) if id not in self._servers or self._servers[id].turned_away
        ]
        if new:
            self._servers |= {server.id: server for server in new}
            async with anyio.create_task_group() as connecting:
                for server in new:
                    connecting.start_soon(self._connect, server, variables)
            await self._report({"type": "mcp_connection_status", "mcp_connection_status": self.status()})
        listings = [self._servers[id].listing for id in server_ids]
        return [listing for listing in listings if listing is not None]

    def status(self) -> Json:
        """Which servers are connected, in the form of an `mcp_connection_status` event."""
        return {
            "integrations": [
                {
                    "integration_id": server.id,
                    "integration_type": "mcp_server",
                    "is_connected": server.session is not None,
                    "tool_count": len(server.listing.tools) if server.session and server.listing else 0,
                }
                for server in self._servers.values()
            ]
        }

    def close(self) -> None:
        self._closing.set()

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView | None:
        try:
            sent = _arguments(tool, arguments, variables)
        except ValueError:
            return None
        told = ("mcp_server_id", "mcp_server_name", "approval_policy", "requires_approval")
        return {
            "type": "mcp",
            **{name: tool.config[name] for name in told},
            "integration_type": "mcp_server",
            "mcp_tool_name": tool.config["mcp_tool_name"],
            "mcp_tool_description": tool.config["mcp_tool_description"],
            "parameters": {name: as_text(value) for name, value in sent.items()},
        }

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        server = self._servers.get(tool.config["mcp_server_id"])
        if server is None or server.session is None:
            return Outcome("The MCP server of this tool is not connected.", is_error=True, called=False)
        try:
            sent = _arguments(tool, arguments, variables)
            meta = await self._meta(tool, variables, server)
        except (ValueError, ApiError) as wrong:
            return Outcome(str(wrong), is_error=True, called=False)
        call = {
            "service_id": server.id,
            "tool_call_id": request_id,
            "tool_name": tool.config["mcp_tool_name"],
            "tool_description": tool.config["mcp_tool_description"],
            "parameters": sent,
        }
        if tool.config["requires_approval"] and (why := await self._refusal(call)):
            await self._tell(call, "failure", error_message=why)
            return Outcome(why, is_error=True, called=False)
        await self._tell(call, "loading")
        seconds = tool.config["response_timeout_secs"]
        try:
            answer = await mcp_client.call(server.session, tool.config["mcp_tool_name"], sent, meta, seconds)
        except TimeoutError:
            return await self._failed(call, f"The server did not answer within {seconds} s.")
        except Exception as exc:  # the SDK raises arbitrary errors, often in groups
            return await self._failed(call, redacted(str(unavailable(exc)), server.confidential))
        text = redacted(answer.text, server.confidential)
        if answer.is_error:
            return await self._failed(call, cut(text) or "The tool failed, and did not say why.")
        await self._tell(call, "success", result=_blocks(answer, text, server.confidential))
        return Outcome(cut(text) or "The tool answered nothing.", answer=text)

    async def _connect(self, server: _Server, variables: Variables) -> None:
        """Wait until the server is connected and its tools are listed, or the connection has failed."""
        found = await admitted(self._unit, server.id, variables)
        server.turned_away = found is None
        if found is None:
            return
        config, endpoint = found
        server.confidential += endpoint.confidential
        ready = anyio.Event()
        self._tasks.start_soon(self._hold, server, config, endpoint, ready)
        await ready.wait()

    async def _hold(self, server: _Server, config: Json, endpoint: Endpoint, ready: anyio.Event) -> None:
        """Keep the session open, in one task from beginning to end."""
        unit = self._unit
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + mcp_client.SECONDS) as connecting:
                async with mcp_client.session(endpoint, unit.allow, unit.models.proxy_url) as session:
                    server.listing = Listing(server.id, config, await mcp_client.listed(session, endpoint))
                    connecting.deadline = math.inf
                    server.session = session
                    ready.set()
                    await self._closing.wait()
        except Exception as exc:  # only the tools of an unreachable server are left out
            log.info("The session with an MCP server ended: %s", type(exc).__name__)
        finally:
            server.session = None
            ready.set()

    async def _refusal(self, call: Json) -> str | None:
        """Ask the user for approval. Returns the reason if the call is not made, else None."""
        asked = await self._tell(call, "awaiting_approval", approval_timeout_secs=APPROVAL_SECONDS)
        try:
            with anyio.fail_after(APPROVAL_SECONDS):
                approved = await self._client.approve(asked)
        except TimeoutError:
            return f"Nobody approved the call within {APPROVAL_SECONDS} s; it was not made."
        except ConnectionError:
            return "Whoever could approve the call is gone; it was not made."
        return None if approved else "The user did not approve the call; it was not made."

    async def _meta(self, tool: Tool, variables: Variables, server: _Server) -> dict[str, Any]:
        """The metadata sent with the arguments. Raises ValueError, ApiError."""
        given: Mapping[str, Any] = tool.config["request_meta"]
        secrets = {name: value["secret_id"] for name, value in given.items() if "secret_id" in _object(value)}
        shown = await self._unit.read(lambda tx: {name: reveal(tx, id) for name, id in secrets.items()})
        server.confidential += shown.values()
        meta: dict[str, Any] = {}
        for name, value in given.items():
            locator = _object(value)
            if not locator:
                meta[name] = value
            elif name in shown:
                meta[name] = shown[name]
            elif "variable_name" in locator:
                meta[name] = _variable(locator["variable_name"], variables)
            else:
                raise ValueError(f"The server's request_meta {name!r} names what this platform does not have.")
        return meta

    async def _failed(self, call: Json, why: str) -> Outcome:
        await self._tell(call, "failure", error_message=why)
        return Outcome(why, is_error=True)

    async def _tell(self, call: Json, state: str, **fields: Any) -> Json:
        now = datetime.fromtimestamp(self._unit.clock() / 1000, UTC).isoformat(timespec="milliseconds")
        told = {**call, "timestamp": now.replace("+00:00", "Z"), "state": state, **fields}
        await self._report({"type": "mcp_tool_call", "mcp_tool_call": told})
        return told

    async def _report(self, event: Json) -> None:
        try:
            await self._client.report(event)
        except ConnectionError:
            log.debug("The client is gone.")


def _arguments(tool: Tool, given: JsonView, variables: Variables) -> dict[str, Any]:
    """The arguments to send: the model's, and the configured values that replace them. Raises ValueError."""
    overrides: Mapping[str, Json] = tool.config["input_overrides"]
    sent = {name: value for name, value in given.items() if overrides.get(name, {}).get("source", "llm") == "llm"}
    for name, override in overrides.items():
        match override["source"]:
            case "constant":
                sent[name] = override["constant_value"]
            case "dynamic_variable":
                sent[name] = _variable(override["dynamic_variable"], variables)
            case _:
                pass  # filled in by the model, or left out
    return sent


def _variable(name: str, variables: Variables) -> object:
    if name not in variables:
        raise ValueError(f"The tool needs the dynamic variable {name}, which has no value. Nothing was sent.")
    return variables[name]


def _blocks(answer: Called, text: str, secrets: Collection[str]) -> list[Json]:
    """The content sent to the client: the whole answer, or only its text if the answer is large."""
    if sum(len(str(block)) for block in answer.blocks) > LARGEST_REPORT:
        return [{"type": "text", "text": cut(text)}]
    return cast(list[Json], mcp_client.without(answer.blocks, secrets))


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}
