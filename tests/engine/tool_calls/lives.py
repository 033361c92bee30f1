"""A live conversation on the real engine, with a client that a test plays, and a model on loopback."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.engine.dialogue.tools import MockExecutor, Outcome, Tool
from callwright.engine.dialogue.turn import Conversation, ConversationContext
from callwright.engine.roles.role_loader import RoleLoader
from callwright.engine.tool_calls.live import Live, live_tools
from callwright.engine.unit import Unit
from tests.engine.helpers import JSON
from tests.transports import Clock, numbered, settings

PEER = ("127.0.0.1",)


@dataclass
class Person:
    """The other end. It answers what it is told to, and remembers what it was asked."""

    result: Outcome = Outcome("shown")
    approves: bool = True
    silent: bool = False
    gone: bool = False
    asked: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    events: list[JSON] = field(default_factory=list[JSON])

    async def ask(self, tool: Tool, request_id: str, arguments: Any) -> Outcome:
        self.asked.append((tool.name, dict(arguments), tool.expects_response))
        return self.result

    async def approve(self, call: Any) -> bool:
        await self._be()
        return self.approves

    async def report(self, event: Any) -> None:
        self.events.append(event)

    async def _be(self) -> None:
        if self.gone:
            raise ConnectionError
        if self.silent:
            await anyio.sleep_forever()

    def states(self) -> list[str]:
        """Of the calls of MCP tools, in their order."""
        return [event["mcp_tool_call"]["state"] for event in self.events if event["type"] == "mcp_tool_call"]

    def integrations(self) -> list[list[JSON]]:
        name = "mcp_connection_status"
        return [event[name]["integrations"] for event in self.events if event["type"] == name]


@asynccontextmanager
async def platform(home: Path, clock: Clock, llm: str = "") -> AsyncGenerator[tuple[ApiClient, Callable[[], Unit]]]:
    """An engine that may call this machine; its API, and a unit of its workspace."""
    chosen: JSON = {"llm_base_url": llm, "llm_model": "m"} if llm else {}
    app = App(settings(home, allow_private=PEER, **chosen), "embedded", clock=clock, ids=numbered())
    try:
        api = await app.api()
        engine = await app.host.engine()
        assert engine
        yield api, lambda: engine.unit("default")
    finally:
        await app.close()


@asynccontextmanager
async def talking(
    unit: Unit, agent_id: str, person: Person, clock: Clock, *, on_phone: bool = False, **variables: Any
) -> AsyncGenerator[tuple[Conversation, Live]]:
    ids = numbered()
    roles = RoleLoader(unit, agent_id, on_phone=on_phone)
    around = ConversationContext(MockExecutor(), lambda: clock() / 1000, lambda: ids("x").rjust(32, "0"), roles=roles)
    talk = Conversation("conv_live", await roles.role(agent_id), around, given=variables)
    async with live_tools(unit, agent_id, roles, person, talk.variables) as live:
        talk.equip(live.tools, live.roles, await live.roles.role(agent_id))
        yield talk, live


async def said(talk: Conversation, text: str) -> list[JSON]:
    """The turns that follow what a person says."""
    before = len(talk.transcript)
    await talk.listen(text)
    await talk.answer()
    return talk.transcript[before + 1 :]
