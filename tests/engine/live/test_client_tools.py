"""What the client's program is asked and told of calls to MCP servers."""

import anyio
import httpx2
import pytest
from httpx2.websockets import AsyncWebSocketClient
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from callwright.engine.live.agent_events import AgentEvents
from callwright.engine.live.client_socket import ClientSocket
from callwright.engine.live.client_tools import ClientTools
from callwright.engine.live.frames import Approval, heard, unpacked
from tests.engine.helpers import JSON
from tests.peers import serving
from tests.transports import Clock

from .talking import ALL_EVENTS, Caller

pytestmark = pytest.mark.anyio

CALL: JSON = {
    "service_id": "mcp_1", "tool_call_id": "book_1", "tool_name": "book", "tool_description": "Books a table.",
    "parameters": {"people": 2}, "timestamp": "2027-01-15T08:00:00.000Z",
}  # fmt: skip


def state(name: str, **more: object) -> JSON:
    return {"type": "mcp_tool_call", "mcp_tool_call": {**CALL, "state": name, **more}}


async def one_call(socket: WebSocket, clock: Clock) -> None:
    """What an executor does: ask, and call only where the person agrees."""
    await socket.accept()
    client = ClientSocket(socket)
    client.events = ALL_EVENTS
    tools = ClientTools(client, AgentEvents(client), clock, clock.sleep)
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            while (message := await client.receive()) is not None:
                said = heard(unpacked(message))
                if isinstance(said, Approval):
                    tools.answered(said)

        tasks.start_soon(read)
        asking = state("awaiting_approval", approval_timeout_secs=300)
        await tools.report(asking)
        if await tools.approve(asking["mcp_tool_call"]):
            await tools.report(state("loading"))
            await tools.report(state("success", result=[{"type": "text", "text": "Booked."}]))
        else:
            await tools.report(state("failure", error_message="The person did not agree."))
        tasks.cancel_scope.cancel()
    await client.close(1000, "done")


@pytest.mark.parametrize("answer", ["yes", "no", "none"])
async def test_a_call_waits_for_the_person_and_is_told_in_its_states(clock: Clock, answer: str) -> None:
    async def talk(socket: WebSocket) -> None:
        await one_call(socket, clock)

    app = Starlette(routes=[WebSocketRoute("/", talk)])
    async with serving(app, ws="wsproto") as url, httpx2.AsyncClient() as client:
        sockets = AsyncWebSocketClient(client, keepalive_ping_interval_seconds=None)
        async with sockets.connect(url.replace("http", "ws", 1)) as socket:
            caller = Caller(socket)
            asked = (await caller.until("mcp_tool_call"))["mcp_tool_call"]
            await caller.send(type="mcp_tool_approval_result", tool_call_id="another", is_approved=True)
            if answer == "none":
                await clock.passes(seconds=300)
            else:
                await caller.send(type="mcp_tool_approval_result", tool_call_id="book_1", is_approved=answer == "yes")
            await caller.end()
    assert asked == snapshot(
        {
            "service_id": "mcp_1",
            "tool_call_id": "book_1",
            "tool_name": "book",
            "tool_description": "Books a table.",
            "parameters": {"people": 2},
            "timestamp": "2027-01-15T08:00:00.000Z",
            "state": "awaiting_approval",
            "approval_timeout_secs": 300,
        }
    )
    states = [{k: v for k, v in f["mcp_tool_call"].items() if k not in asked or k == "state"} for f in caller.seen[1:]]
    agreed = [{"state": "loading"}, {"state": "success", "result": [{"type": "text", "text": "Booked."}]}]
    assert states == (
        agreed if answer == "yes" else [{"state": "failure", "error_message": "The person did not agree."}]
    )
