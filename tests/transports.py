"""The same server, reached every way: in memory, stdio, HTTP, stateless HTTP; both protocol eras."""

import os
import re
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ElicitResult

from callwright.app import App
from callwright.approval.refusal import facts_of
from callwright.clock import NewId, NowMs, new_id, now_ms
from callwright.http_server.serving import Listen, mcp_app
from callwright.mcp_server.server import build_server
from callwright.settings import Settings

from .homes import put_database_into
from .peers import serving
from .warm import callwright

MODERN = "2026-07-28"
ERAS = [pytest.param(MODERN, id="modern"), pytest.param("legacy", id="legacy")]
ARMS = [
    pytest.param(transport, era, id=f"{transport}-{'modern' if era == MODERN else era}")
    for transport in ("memory", "stdio", "http", "stateless", "json")
    for era in (MODERN, "legacy")
]

Says = Literal["yes", "no", "decline", "cancel"]
"""What the person at the client answers; None: the client cannot ask."""

START_MS = 1_800_000_000_000


class Clock:
    """Time that a test moves: milliseconds since 1970."""

    def __init__(self) -> None:
        self.ms = START_MS
        self._sleepers: list[tuple[int, anyio.Event]] = []
        self._lain_down = anyio.Event()

    def __call__(self) -> int:
        return self.ms

    def forward(self, *, seconds: float) -> None:
        self.ms += round(seconds * 1000)
        for due, wake in self._sleepers:
            if due <= self.ms:
                wake.set()

    async def sleep(self, seconds: float) -> None:
        """Until `forward` has moved the time so far."""
        sleeper = self.ms + round(seconds * 1000), anyio.Event()
        self._sleepers.append(sleeper)
        self._lain_down.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def passes(self, *, seconds: float) -> None:
        """As `forward`, once somebody sleeps until exactly then."""
        due = self.ms + round(seconds * 1000)
        with anyio.fail_after(60):
            while all(each != due for each, _ in self._sleepers):
                self._lain_down = anyio.Event()
                await self._lain_down.wait()
        self.forward(seconds=seconds)


def numbered(after: int = 0) -> Callable[[str], str]:
    """Ids that a snapshot can hold: `agent_1`, `doc_2`."""
    numbers = count(after + 1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


def settings(home: Path, **chosen: Any) -> Settings:
    """The settings of a server that keeps its data in `home`, where a migrated, empty database is put unless one is there.

    It lists every tool, so that a test calls each by its name; `toolsets=("default",)` is what people have.
    """
    if home.is_absolute() and "own_database_url" not in chosen:
        put_database_into(home)
    chosen.setdefault("toolsets", ("all",))
    return Settings(home=home, **chosen)


def server(chosen: Settings, *, clock: NowMs = now_ms, ids: NewId = new_id) -> App:
    """The server of these settings, on the platform that the test runs against: embedded, unless it asks for both.

    A module of tests asks with `pytestmark = [..., pytest.mark.usefixtures("either_platform")]`.
    """
    return PLACES[-1].app(chosen, clock=clock, ids=ids)


class Place(Protocol):
    """Where servers do their work."""

    def app(self, chosen: Settings, **rest: Any) -> App: ...

    def one_call(self, tool: str) -> AbstractContextManager[None]:
        """Within it, a client of `reach` calls a tool."""
        ...


class Inside:
    """In this process, where nothing need be watched."""

    def app(self, chosen: Settings, **rest: Any) -> App:
        return App(chosen, "embedded", **rest)

    def one_call(self, tool: str) -> AbstractContextManager[None]:
        return nullcontext()


PLACES: list[Place] = [Inside()]
"""The last is that of the running test: the fixture `either_platform` adds one."""


class WatchedClient(Client):
    """A client whose calls the place knows about."""

    async def call_tool(self, name: str, *given: Any, **more: Any) -> CallToolResult:
        with PLACES[-1].one_call(name):
            return await super().call_tool(name, *given, **more)


def platform_host(app: App) -> str:
    """What stands for the platform in addresses that it hands out."""
    return "embedded" if app.platform == "embedded" else urlsplit(app.settings.api_url).netloc


LISTS = {
    "agent": ("list_agents shows them.", "agents lists them."),
    "batch": ("list_batch_calls shows them.", "batch-calling/workspace lists them."),
    "conversation": ("list_conversations shows them.", "conversations lists them."),
    "document": ("list_documents shows them.", "knowledge-base lists them."),
    "MCP server": ("list_mcp_servers shows them.", "mcp-servers lists them."),
    "phone number": ("list_phone_numbers shows them.", "phone-numbers lists them."),
    "secret": ("list_secrets shows them.", "secrets lists them."),
    "test": ("list_agent_tests shows them.", "agent-testing lists them."),
    "test invocation": ("list_test_invocations shows an agent's.", "test-invocations lists an agent's."),
    "tool": ("list_tools shows them.", "tools lists them."),
}
"""Where ids are found: by a tool, and by a request."""


def unknown(platform: str, resource: str, id: str) -> str:
    """What a tool says of an id that nothing has. A hosted platform knows no tools, and its words are shown as they are."""
    tool, route = LISTS[resource]
    return f"No {resource} {id!r}. {tool if platform == 'embedded' else f'GET /v1/convai/{route}'}"


def unknown_inside(platform: str, place: str, resource: str, id: str) -> str:
    """The same of an id inside a document."""
    said = f"{place}: There is no {resource} {id!r}."
    return f"{said} {LISTS[resource][0]}" if platform == "embedded" else said


@asynccontextmanager
async def reach(
    app: App, era: str = MODERN, says: Says | None = None, transport: str = "memory"
) -> AsyncGenerator[tuple[Client, list[str]]]:
    """A client of `app`, and the questions that its person was asked. stdio makes a process with the same settings."""
    asked: list[str] = []

    async def on_ask(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        if says in ("decline", "cancel"):
            return ElicitResult(action=says)
        return ElicitResult(action="accept", content={"approve": says == "yes"})

    kw: dict[str, Any] = {"mode": era, "elicitation_callback": on_ask if says else None}
    if transport == "memory":
        async with WatchedClient(build_server(app), **kw) as client:
            yield client, asked
    elif transport == "stdio":
        async with WatchedClient(_process(app.settings), **kw) as client:
            yield client, asked
    else:
        asgi = mcp_app(app, listening(transport))
        async with serving(asgi, lifespan="on") as url, WatchedClient(f"{url}/mcp", **kw) as client:
            yield client, asked


def listening(transport: str) -> Listen:
    """For this machine, without a token: `http`, `stateless`, or `json` for answers without streams."""
    return Listen(token=False, stateless=transport == "stateless", json_answers=transport == "json")


def _process(chosen: Settings) -> StdioServerParameters:
    env = {
        "CALLWRIGHT_HOME": str(chosen.home),
        "CALLWRIGHT_APPROVAL": chosen.approval or "",
        "CALLWRIGHT_UNATTENDED": chosen.unattended,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "error",
    }
    if chosen.api_key:
        env |= {"ELEVENLABS_API_KEY": chosen.api_key, "CALLWRIGHT_API_URL": chosen.api_url}
    command, *args = callwright()
    return StdioServerParameters(command=command, args=[*args, "serve"], env=env)


def text(result: CallToolResult) -> str:
    """The text of a result, whatever else it carries."""
    return "\n".join(block.text for block in result.content if block.type == "text")


def undigested(question: str) -> str:
    """A question without the digest of what a yes is bound to, which changes with every default of an agent."""
    return re.sub(r"\(digest [0-9a-f]{32}\)", "(digest)", question)


def refusal_facts(result: CallToolResult) -> dict[str, Any]:
    """What programs read of a call that was not carried out. Nothing of it is structured content: see `tools.refusal`."""
    assert result.is_error, text(result)
    assert result.structured_content is None
    return facts_of(result)


def facts(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a call that must have worked."""
    assert not result.is_error, text(result)
    found: Any = result.structured_content
    assert isinstance(found, dict)
    return cast(dict[str, Any], found)
