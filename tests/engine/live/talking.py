"""A real client of the engine's WebSocket over loopback, a scripted model behind it, and a clock that the test moves."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from httpx2.websockets import AsyncWebSocketClient, AsyncWebSocketSession, WebSocketDisconnect

from callwright.app import App
from tests.dialogue.llm_peer import JSON, Peer, Reply, Say, peer
from tests.peers import serving
from tests.transports import Clock, numbered, settings

PATIENCE = 120.0
"""Seconds until a test gives up. A hundred clients begin at once on two cores, and a busy machine is no defect."""
KEY = "an-engine-key-of-the-test"
ALL_EVENTS = [
    "audio", "interruption", "agent_response", "agent_response_correction", "agent_chat_response_part", "ping",
    "client_tool_call", "agent_tool_request", "agent_tool_response", "mcp_tool_call", "conversation_initiation_metadata",
]  # fmt: skip


@dataclass
class Served:
    """An engine, wherever it runs; `http` has its key."""

    url: str
    http: httpx2.AsyncClient

    async def agent(self, config: JSON | None = None, **rest: Any) -> str:
        answer = await self.http.post("/v1/convai/agents/create", json={"conversation_config": config or {}, **rest})
        assert answer.status_code == 200, answer.text
        return answer.json()["agent_id"]

    async def conversation(self, id: str, *, until: str = "done") -> JSON:
        """Once it has that status."""
        with anyio.fail_after(PATIENCE):
            while True:
                answer = await self.http.get(f"/v1/convai/conversations/{id}")
                assert answer.status_code == 200, answer.text
                if answer.json()["status"] == until:
                    return answer.json()
                await anyio.sleep(0.01)

    async def signed(self, agent_id: str, **rest: Any) -> str:
        query = {"agent_id": agent_id, **rest}
        answer = await self.http.get("/v1/convai/conversation/get-signed-url", params=query)
        return answer.json()["signed_url"]

    @asynccontextmanager
    async def connected(
        self, agent_id: str = "", *, url: str = "", key: str | None = KEY, origin: str | None = None,
        subprotocols: list[str] | None = None, **init: Any,
    ) -> AsyncGenerator["Caller"]:  # fmt: skip
        """A client that has said what it brings along, unless that is `init=None`."""
        headers = {name: value for name, value in {"xi-api-key": key, "origin": origin}.items() if value}
        url = url or f"{self.url.replace('http', 'ws', 1)}/v1/convai/conversation?agent_id={agent_id}"
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as client:
            sockets = AsyncWebSocketClient(client, keepalive_ping_interval_seconds=None, max_message_size_bytes=2**21)
            async with sockets.connect(url, subprotocols=subprotocols) as socket:
                caller = Caller(socket)
                if init.pop("init", True):
                    await caller.send(type="conversation_initiation_client_data", **init)
                yield caller


@dataclass
class Stage(Served):
    """An engine in this process."""

    app: App
    clock: Clock
    llm: Peer


@dataclass
class Caller:
    socket: AsyncWebSocketSession
    seen: list[JSON] = field(default_factory=list[JSON])
    closed: tuple[int, str] | None = None

    async def send(self, **frame: Any) -> None:
        await self.socket.send_json(frame)

    async def say(self, text: str) -> None:
        await self.send(type="user_message", text=text)

    async def next(self) -> JSON | None:
        """The next frame; None at the end, and then `closed` has code and reason."""
        try:
            with anyio.fail_after(PATIENCE):
                frame: JSON = await self.socket.receive_json()
        except WebSocketDisconnect as exc:
            self.closed = int(exc.code), exc.reason or ""
            return None
        self.seen.append(frame)
        return frame

    async def until(self, type_: str) -> JSON:
        """The next frame of that type; what comes before it is in `seen`."""
        while (frame := await self.next()) is not None:
            if frame["type"] == type_:
                return frame
        raise AssertionError(f"closed with {self.closed} before {type_}; seen {self.seen}")

    async def begun(self) -> str:
        """The conversation's id, once its first message was said."""
        frame = await self.until("conversation_initiation_metadata")
        return frame["conversation_initiation_metadata_event"]["conversation_id"]

    async def answer(self) -> str:
        return (await self.until("agent_response"))["agent_response_event"]["agent_response"]

    async def end(self) -> tuple[int, str]:
        """What is sent until the other side closes."""
        while await self.next() is not None:
            pass
        assert self.closed
        return self.closed

    async def refusal(self) -> tuple[JSON, tuple[int, str]]:
        error = await self.until("error")
        return error["error_event"], await self.end()


@asynccontextmanager
async def stage(
    home: Path, reply: Callable[[JSON], Reply], *, with_model: bool = True, **chosen: Any
) -> AsyncGenerator[Stage]:
    clock = Clock()
    async with peer(reply) as llm:
        model = {"llm_base_url": llm.base_url, "llm_model": "m"} if with_model else {}
        app = App(settings(home, **model, **chosen), "embedded", clock=clock, ids=numbered(), sleep=clock.sleep)
        try:
            async with serving(await app.engine(KEY), ws="wsproto") as url, http_client(url) as http:
                yield Stage(url, http, app, clock, llm)
        finally:
            await app.close()


def http_client(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"xi-api-key": KEY})


def judged(reply: Callable[[JSON], Reply]) -> Callable[[JSON], Reply]:
    """The endpoint plays the agent by `reply`, and a lenient judge."""

    def answer(request: JSON) -> Reply:
        if "review conversations" not in request["messages"][0]["content"]:
            return reply(request)
        if "sum the conversation up" in request["messages"][1]["content"]:
            return Say('{"summary": "They talked.", "title": "A talk"}')
        return Say('{"result": "success", "rationale": "It was."}')

    return answer


def echo(request: JSON) -> Reply:
    return Say(f"You said {request['messages'][-1]['content']}.")
