"""Whose task it is: nobody else learns of it, nor does the same person with a token that is for less."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from callwright.accounts.principals import Principal
from callwright.http_server.serving import Listen, mcp_app
from callwright.http_server.tokens import digest
from tests.http_server.tokens_fixture import entering, served, token
from tests.peers import serving
from tests.transports import ERAS, MODERN, facts, text

from .knowing import Tasks, ask, ended, rehearsal, stalling, task_of

pytestmark = pytest.mark.anyio

MINE, THEIRS = Principal("mine", workspace="mine"), Principal("theirs", workspace="theirs")
BESIDE = Principal("beside", workspace="mine")


def knows(url: str, bearer: str, http: httpx2.AsyncClient) -> Client:
    http.headers["authorization"] = f"Bearer {bearer}"
    transport: Any = streamable_http_client(f"{url}/mcp", http_client=http)
    return Client(transport, mode=MODERN, extensions=[Tasks()])


@pytest.mark.parametrize("stranger", [THEIRS, BESIDE], ids=lambda principal: principal.name)
async def test_the_task_of_another_is_unknown(tmp_path: Path, stranger: Principal) -> None:
    with anyio.fail_after(60):
        async with (
            stalling(tmp_path) as (app, at),
            served(app, MINE, stranger) as url,
            httpx2.AsyncClient() as one,
            httpx2.AsyncClient() as two,
            knows(url, token("mine"), one) as mine,
            knows(url, token(stranger.name), two) as theirs,
        ):
            id = await task_of(mine, "simulate_conversation", await rehearsal(mine))
            await at.stalled.wait()
            for method in ("get", "update", "cancel"):
                with pytest.raises(MCPError) as refusal:
                    await ask(theirs.session, method, id)
                assert refusal.value.error.model_dump(exclude={"data"}) == snapshot(
                    {"code": -32602, "message": "Unknown or expired task."}
                )
            assert (await ask(mine.session, "get", id))["status"] == "working"
            at.go_on.set()
            assert (await ended(mine.session, id))["status"] == "completed"


@pytest.mark.parametrize("era", ERAS)
async def test_the_handle_of_another_is_unknown(tmp_path: Path, era: str) -> None:
    async with (
        stalling(tmp_path) as (app, at),
        served(app, MINE, THEIRS) as url,
        entering(url, token("mine"), era) as mine,
        entering(url, token("theirs"), era) as theirs,
    ):
        id = facts(await mine.call_tool("simulate_conversation", await rehearsal(mine)))["task_id"]
        await at.stalled.wait()
        for tool in ("get_task", "cancel_task"):
            answer = await theirs.call_tool(tool, {"task_id": id})
            assert answer.is_error
            assert text(answer).startswith("No such task.")
        assert facts(await mine.call_tool("get_task", {"task_id": id}))["status"] == "working"


async def test_a_token_that_may_not_make_the_call_does_not_read_its_answer(tmp_path: Path) -> None:
    whole, less = "a-token-for-everything", "a-token-for-reading"
    tokens = {digest(whole): Principal("ada"), digest(less): Principal("ada", frozenset({"server:read"}))}
    async with stalling(tmp_path) as (app, at):
        at.go_on.set()
        async with serving(mcp_app(app, Listen(tokens=tokens)), lifespan="on") as url:
            async with entering(url, whole) as client:
                id = facts(await client.call_tool("simulate_conversation", await rehearsal(client)))["task_id"]
            async with entering(url, less) as client:
                assert text(await client.call_tool("get_task", {"task_id": id})).startswith("No such task.")
            async with httpx2.AsyncClient() as http, knows(url, less, http) as client:
                with pytest.raises(MCPError) as refusal:
                    await ask(client.session, "get", id)
    assert refusal.value.error.code == INVALID_PARAMS


async def test_a_token_that_may_not_ask_for_answers_waits_for_them(tmp_path: Path) -> None:
    builder = Principal("builder", frozenset({"agents:read", "agents:write"}))
    async with stalling(tmp_path) as (app, at), served(app, builder) as url, entering(url, token("builder")) as client:
        at.go_on.set()
        answer = await client.call_tool("simulate_conversation", await rehearsal(client))
    assert facts(answer)["turns"] > 0
