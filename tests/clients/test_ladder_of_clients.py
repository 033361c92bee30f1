"""The ladder of asking behind released clients: what each shows its model and its person, rung by rung, in one process."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.app import App
from callwright.http_server.serving import mcp_app
from tests.approval.visitor import answer as answer_page
from tests.approval.visitor import visitor
from tests.peers import serving
from tests.transports import listening, numbered, settings

from .ladder_client import Json, LadderClient, inspected, ladder_client

pytestmark = pytest.mark.anyio

FORM: Json = {"form": {}}
URL: Json = {"url": {}}
YES: Json = {"action": "accept", "content": {"approve": True}}
NO = "The user said no. Nothing was done. Do not call this again unless the user asks for it."
CLIENTS = ["typescript 1.32", "typescript 2.4", "fastmcp", "pydantic-ai"]
SHOWING_ADDRESSES = CLIENTS[:2]
"""The others show forms as soon as they can ask at all."""


def question(name: str) -> str:
    return f"Store a secret named '{name}' (3 characters)."


def waits(name: str, here: str) -> str:
    """The refusal, whose code differs."""
    return (
        f"Not done yet. {question(name)} This needs a person (secret), and {here}. Ask the user to run `callwright approve"
        " CODE` in a terminal and answer there within 15 minutes. When they have agreed, call create_secret again with the"
        " same arguments."
    )


def said(seen: Json) -> str:
    """The text of an error that a model gets, without its code."""
    assert seen.get("isError"), seen
    return re.sub("approve [2-9A-Z]{8}", "approve CODE", seen["text"])


def code(seen: Json) -> str:
    return re.findall("approve ([2-9A-Z]{8})`", seen["text"])[0]


class Climber:
    """The rungs. Each asks about a secret with a name of its own."""

    def __init__(self, app: App, url: str, client: LadderClient) -> None:
        self.app, self.url, self.client = app, url, client

    async def store(self, name: str, answer: Json | None = None, **more: Any) -> Json:
        return await self.client.call("create_secret", {"name": name, "value": "abc"}, answer, **more)

    async def nobody_can_be_asked(self) -> None:
        await self.client.connect(self.url, None)
        first = await self.store("one")
        assert said(first) == waits("one", "this client cannot ask one")
        ledger = await self.app.ledger()
        assert await ledger.approve(code(first))
        assert not (await self.store("one"))["isError"]
        assert await ledger.decline(code(await self.store("two")))
        assert said(await self.store("two")) == NO
        made = await self.client.call("create_agent", {"name": "Ada", "prompt": "Help."})
        agent = {"agent_id": re.findall(r"agent_\d+", made["text"])[0]}
        preview = said(await self.client.call("delete_agent", agent))
        assert re.search("Ask the user. If they agree, call delete_agent again, arguments unchanged, with", preview)
        agent["approval_token"] = re.findall("approval_token='([^']+)'", preview)[0]
        assert not (await self.client.call("delete_agent", agent))["isError"]
        assert self.client.asked == []

    async def a_form_is_shown(self) -> None:
        await self.client.connect(self.url, FORM)
        assert not (await self.store("three", YES))["isError"]
        assert said(await self.store("four", {"action": "accept", "content": {"approve": False}})) == NO
        assert said(await self.store("five", {"action": "decline"})) == NO
        cancelled = await self.store("six", {"action": "cancel"})
        assert said(cancelled) == waits("six", "nobody answered here")
        assert await (await self.app.ledger()).approve(code(cancelled))
        assert not (await self.store("six"))["isError"]
        names = ("three", "four", "five", "six")
        assert [each["question"] for each in self.client.asked] == [question(name) for name in names]

    async def an_address_is_shown(self) -> None:
        """To an older client an address is an error of the protocol, and the same call again has the answer."""
        await self.client.connect(self.url, URL)
        assert not (await self.answered_on_the_page("seven", "approve"))["isError"]
        assert said(await self.answered_on_the_page("eight", "decline")) == NO

    async def answered_on_the_page(self, name: str, decision: str) -> Json:
        async def visit(shown: Json) -> None:
            assert question(name) in (shown.get("question"), shown.get("message"))
            async with visitor() as browser:
                assert (await answer_page(browser, shown["url"], decision)).status_code == 200

        seen = await self.store(name, {"action": "accept"}, before=visit)
        if "code" not in seen:
            return seen
        assert (seen["code"], "127.0.0.1" in seen["message"]) == (-32042, False)
        await visit(seen["shown"][0])
        return await self.store(name)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_released_client_climbs_the_ladder_of_asking(tmp_path: Path, kind: str) -> None:
    app = App(settings(tmp_path), "embedded", near=True, ids=numbered())
    async with (
        serving(mcp_app(app, listening("http")), lifespan="on") as url,
        ladder_client(kind) as client,
    ):
        climber = Climber(app, f"{url}/mcp", client)
        await climber.nobody_can_be_asked()
        await climber.a_form_is_shown()
        if kind in SHOWING_ADDRESSES:
            await climber.an_address_is_shown()


async def test_the_inspector_shows_the_refusal_and_then_the_result(tmp_path: Path) -> None:
    app = App(settings(tmp_path), "embedded", near=True, ids=numbered())
    async with serving(mcp_app(app, listening("http")), lifespan="on") as url:

        async def store() -> Json:
            arguments = {"name": "crm", "value": "abc"}
            return json.loads(await anyio.to_thread.run_sync(inspected, f"{url}/mcp", "create_secret", arguments))

        [content] = (refused := (await store())["result"])["content"]
        assert said({**refused, **content}) == waits("crm", "this client cannot ask one")
        assert await (await app.ledger()).approve(code(content))
        assert (await store())["result"]["isError"] is False
