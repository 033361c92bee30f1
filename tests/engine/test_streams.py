"""A rehearsal that is answered turn by turn."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import SimulateConversation, StreamSimulation
from callwright.contract.conversations import GetConversation, ListConversations
from callwright.contract.errors import InvalidRequest, NotFound
from tests.dialogue.llm_peer import Peer, Say, peer
from tests.transports import Clock, numbered, settings

from .helpers import JSON, agent, dump, knowing, text

pytestmark = pytest.mark.anyio

USER: JSON = {"prompt": {"prompt": "- When are bicycles repaired?\n- Thank you."}}
SPEC: JSON = {"simulated_user_config": USER}


def streamed(agent_id: str, **spec: object) -> StreamSimulation:
    return StreamSimulation.model_validate({"agent_id": agent_id, "simulation_specification": SPEC | spec})


async def parts_of(api: ApiClient, op: StreamSimulation) -> list[JSON]:
    async with aclosing(api.stream(op)) as parts:
        return [dump(part) async for part in parts]


@asynccontextmanager
async def with_model(home: Path, clock: Clock, at: Peer) -> AsyncGenerator[App]:
    app = App(settings(home, llm_base_url=at.base_url, llm_model="m"), "embedded", clock=clock, ids=numbered())
    yield app
    await app.close()


async def test_the_parts_of_a_streamed_rehearsal_make_up_the_whole(api: ApiClient) -> None:
    document = await text(api, content="Bicycles are repaired on Mondays.")
    ada = await agent(api, knowing(document))
    whole = dump(await api.send(SimulateConversation.model_validate(streamed(ada).model_dump(exclude_unset=True))))
    parts = await parts_of(api, streamed(ada))
    turns = [turn for part in parts for turn in part.get("simulated_conversation", [])]
    assert turns == whole["simulated_conversation"]
    assert [len(part["simulated_conversation"]) for part in parts] == [1, 1, 1, 1, 1, 0]
    assert [part for part in parts if "analysis" in part] == [parts[-1]]
    assert parts[-1]["analysis"] == whole["analysis"]
    kept = dump(await api.send(GetConversation(conversation_id=parts[-1]["conversation_id"])))
    assert kept["transcript"] == turns


async def test_what_was_said_before_comes_first(api: ApiClient) -> None:
    ada = await agent(api)
    before: list[dict[str, Any]] = [
        {"role": "agent", "message": "Hi.", "time_in_call_secs": 0, "tool_calls": [], "tool_results": []}
    ]
    first, *_ = await parts_of(api, streamed(ada, partial_conversation_history=before))
    assert [turn["message"] for turn in first["simulated_conversation"]] == ["Hi.", "When are bicycles repaired?"]


async def test_a_turn_is_there_before_the_next_and_a_reader_who_leaves_stops_the_model(
    tmp_path: Path, clock: Clock
) -> None:
    async with peer(lambda _: Say("Wh", stalls=True)) as at, with_model(tmp_path / "home", clock, at) as app:
        api = await app.api()
        ada = await agent(api)
        with anyio.fail_after(60):
            async with aclosing(api.stream(streamed(ada))) as parts:
                first = dump(await anext(parts))
                assert [turn["role"] for turn in first["simulated_conversation"]] == ["agent"]
                await at.stalled.wait()
            await at.hung_up.wait()
        assert (await api.send(ListConversations(include_simulated=True))).conversations == []


async def test_a_refusal_before_the_first_turn_has_its_own_status(api: ApiClient) -> None:
    with pytest.raises(NotFound):
        await parts_of(api, streamed("agent_no"))
    ada = await agent(api, {"agent": {"first_message": "Hello {{name}}."}})
    with pytest.raises(InvalidRequest, match="name"):
        await parts_of(api, streamed(ada))


async def test_a_failure_between_two_turns_ends_the_rehearsal_and_what_was_said_is_kept(api: ApiClient) -> None:
    """The greeting has left when it turns out that the prompt, with its document, is larger than the platform takes."""
    document = await text(api, content="x" * 2_000_000)
    locator = {"type": "text", "name": "Handbook", "id": document, "usage_mode": "prompt"}
    ada = await agent(api, {"agent": {"prompt": {"prompt": "y" * 150_000, "knowledge_base": [locator]}}})
    parts = await parts_of(api, streamed(ada))
    said = [turn["message"] for part in parts for turn in part["simulated_conversation"]]
    assert said == ["Hello! How can I help you today?", "When are bicycles repaired?"]
    assert "2 MB" in parts[-1]["ended_because"]
    kept = dump(await api.send(GetConversation(conversation_id=parts[-1]["conversation_id"])))
    assert (kept["status"], kept["metadata"]["error"]["reason"]) == ("failed", parts[-1]["ended_because"])
    assert [turn["message"] for turn in kept["transcript"]] == said
