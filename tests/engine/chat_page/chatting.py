"""A person before the chat page: a real browser, a real engine, and a network between them that can be cut."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream

from tests.browser import Page, browser
from tests.dialogue.llm_peer import JSON
from tests.engine.live.talking import ALL_EVENTS, Stage
from tests.engine.live.test_session import HANG_UP
from tests.peers import peer

SAID = "[...document.querySelectorAll('#transcript > :is(.user, .agent:not(.waiting))')].map(each => each.innerText.trim().replace(/\\n+/g, '\\n'))"
ANSWERS = "document.querySelectorAll('#transcript .feedback:not([hidden])').length"
FOCUSED = "(document.activeElement.innerText || document.activeElement.ariaLabel || document.activeElement.id).trim()"
STATE = "document.querySelector('#state').innerText"
OVER = "document.querySelector('#over').innerText"
TOLD = "[...document.querySelectorAll('#told p')].map(each => each.textContent)"
TOOLS = "[...document.querySelectorAll('.tool')].map(each => each.innerText.replace(/\\s+/g, ' ').trim())"


def config(**prompt: Any) -> JSON:
    return {
        "conversation": {"client_events": ALL_EVENTS},
        "agent": {"first_message": "Hello!", "prompt": {"built_in_tools": HANG_UP, **prompt}},
    }


@dataclass
class Person:
    """Uses the page by keyboard alone."""

    at: Stage
    page: Page

    async def opens(self, agent_id: str, query: str = "", url: str = "") -> None:
        await self.page.open(f"{url or self.at.url}/agents/{agent_id}/chat{query}")
        await self.page.until("!document.querySelector('#begin').hidden")

    async def tabs_to(self, name: str) -> None:
        for _ in range(30):
            if await self.page.read(FOCUSED) == name:
                return
            await self.page.press("Tab")
        raise AssertionError(f"No way by keyboard to {name!r}.")

    async def presses(self, name: str) -> None:
        await self.tabs_to(name)
        await self.page.press("Enter")

    async def starts(self) -> None:
        """And hears the first message."""
        await self.presses("Start chat")
        await self.page.until(f"{ANSWERS} === 1")

    async def writes(self, text: str) -> None:
        """Where the focus is."""
        await self.page.type(text)
        await self.page.press("Enter")

    async def asks(self, text: str) -> str:
        """Waits for the answer, and reads it."""
        before = await self.page.read(ANSWERS)
        await self.writes(text)
        await self.page.until(f"{ANSWERS} > {before}")
        return (await self.page.read(SAID))[-1]


@asynccontextmanager
async def person(at: Stage, folder: Path) -> AsyncGenerator[Person]:
    async with browser(folder / "profile") as page:
        yield Person(at, page)


@dataclass
class Network:
    """Passes bytes on to the engine until it is cut; what comes after that finds a network again."""

    port: int
    _open: set[SocketStream] = field(default_factory=set[SocketStream])

    async def carry(self, near: SocketStream) -> None:
        async with await anyio.connect_tcp("127.0.0.1", self.port) as far, anyio.create_task_group() as tasks:
            self._open |= {near, far}
            tasks.start_soon(self._pass, near, far)
            await self._pass(far, near)
            tasks.cancel_scope.cancel()

    async def cut(self) -> None:
        for each in self._open:
            await each.aclose()
        self._open.clear()

    async def _pass(self, start: SocketStream, end: SocketStream) -> None:
        try:
            async for part in start:
                await end.send(part)
            await end.send_eof()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # it was cut


@asynccontextmanager
async def network(at: Stage) -> AsyncGenerator[tuple[str, Network]]:
    between = Network(int(at.url.rpartition(":")[2]))
    async with peer(between.carry) as url:
        yield url, between


async def the_conversation(at: Stage) -> str:
    """The id of the only one there is: it is kept before its first message is said."""
    [one] = (await at.http.get("/v1/convai/conversations")).json()["conversations"]
    return one["conversation_id"]
