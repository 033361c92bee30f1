"""Who no longer wants an answer stops the work, down to the language model's stream."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from callwright.app import App
from callwright.http_server.serving import mcp_app
from callwright.mcp_server.server import build_server

from ..commands.test_cli import environment
from ..dialogue.llm_peer import Peer, Say, peer
from ..peers import serving
from ..transports import ARMS, facts, listening, settings
from ..warm import callwright

pytestmark = pytest.mark.anyio


def without(*arms: str) -> list[Any]:
    left = [each for each in ARMS if each.id not in arms]
    assert len(left) == len(ARMS) - len(arms)
    return left


@asynccontextmanager
async def served(home: Path, at: Peer, transport: str) -> AsyncGenerator[Any]:
    """Where a client reaches a server whose language model is `at`; one that is started as it is by default."""
    app = App(settings(home, llm_base_url=at.base_url, llm_model="m"), "embedded")
    if transport == "memory":
        yield build_server(app)
    elif transport == "stdio":
        env = environment(home, CALLWRIGHT_LLM_BASE_URL=at.base_url, CALLWRIGHT_LLM_MODEL="m")
        command, *args = callwright()
        yield StdioServerParameters(command=command, args=[*args, "serve"], env=env)
    else:
        async with serving(mcp_app(app, listening(transport)), lifespan="on") as url:
            yield f"{url}/mcp"


async def rehearsal(client: Client) -> dict[str, Any]:
    agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Be brief."}))
    return {"agent_id": agent["agent_id"], "caller": "Ask for the hours."}


# What an older client cancels, it names within its session: a server that keeps none cannot know it. A newer one breaks
# the connection off, which a server that sends nothing until the end does not see.
@pytest.mark.parametrize(("transport", "era"), without("stateless-legacy", "json-modern"))
async def test_a_cancelled_rehearsal_closes_the_stream_of_the_model(tmp_path: Path, transport: str, era: str) -> None:
    async with (
        peer(lambda _: Say("Well", stalls=True)) as at,
        served(tmp_path, at, transport) as server,
        Client(server, mode=era) as client,
    ):
        arguments = await rehearsal(client)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "simulate_conversation", arguments)
                await at.stalled.wait()
                assert not at.hung_up.is_set()
                tasks.cancel_scope.cancel()
            await at.hung_up.wait()
            # The connection lives on, and nothing of the rehearsal was kept.
            assert facts(await client.call_tool("list_conversations", {}))["conversations"] == []


# To the older revisions a broken connection is no cancellation, as long as the session lasts.
@pytest.mark.parametrize(("transport", "era"), without("http-legacy", "json-legacy", "json-modern"))
async def test_a_client_that_goes_away_leaves_no_work_behind(tmp_path: Path, transport: str, era: str) -> None:
    async with peer(lambda _: Say("Well", stalls=True)) as at, served(tmp_path, at, transport) as server:

        async def rehearse() -> None:
            async with Client(server, mode=era) as client:
                await client.call_tool("simulate_conversation", await rehearsal(client))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rehearse)
                await at.stalled.wait()
                tasks.cancel_scope.cancel()
            await at.hung_up.wait()


@pytest.mark.parametrize(("transport", "era"), without("json-legacy", "json-modern"))  # one answer, and nothing before
async def test_a_client_that_asked_for_progress_hears_of_each_turn(tmp_path: Path, transport: str, era: str) -> None:
    heard: list[str | None] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message)

    async with (
        peer(lambda _: Say("We open at nine.")) as at,
        served(tmp_path, at, transport) as server,
        Client(server, mode=era) as client,
    ):
        arguments = await rehearsal(client)
        arguments["max_turns"] = 2
        facts(await client.call_tool("simulate_conversation", arguments, progress_callback=on_progress))
    assert "turn 1: agent" in heard
