"""The rules of kept conversations."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agents import DeleteAgent, ListAgents, UpdateAgent
from callwright.contract.conversations import (
    DeleteConversation,
    GetConversation,
    GetConversationAudio,
    ListConversations,
    SendFeedback,
)
from callwright.contract.errors import NotFound
from callwright.engine.store.conversations import keep
from callwright.engine.store.transaction import Tx
from callwright.engine.store.vault import Vault
from callwright.net.guard import NOTHING_PRIVATE
from tests.transports import Clock

from .helpers import JSON, agent, dump, problems, refused

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/conversations"


def record(id: str, agent_id: str, *, start: int = 0, said: str = "Hello.", **more: Any) -> JSON:
    """A real conversation, as a call leaves it."""
    turn: JSON = {"role": "user", "message": said, "tool_calls": [], "tool_results": [], "time_in_call_secs": 0}
    whole: JSON = {
        "agent_id": agent_id,
        "conversation_id": id,
        "status": "done",
        "user_id": "u1",
        "transcript": [turn, turn | {"message": None}],
        "metadata": {"start_time_unix_secs": start, "call_duration_secs": 9, "cost": 0},
        "analysis": {"call_successful": "success", "transcript_summary": "A greeting.", "call_summary_title": "Hi"},
        "has_audio": False,
        "has_user_audio": False,
        "has_response_audio": False,
    }
    return whole | more


async def kept(app: App, *records: JSON) -> None:
    def work(db: Any) -> None:
        tx = Tx(db, "default", Vault(b"k" * 32), 0, lambda prefix: prefix, NOTHING_PRIVATE)
        for each in records:
            keep(tx, each, simulated=False)

    await (await app.database()).write(work)


async def ids(api: ApiClient, **query: Any) -> list[str]:
    found = await api.send(ListConversations.model_validate(query))
    return [row.conversation_id for row in found.conversations]


async def test_a_deleted_conversation_is_gone_from_the_list(app: App, api: ApiClient) -> None:
    ada = await agent(api)
    await kept(app, record("conv_a", ada), record("conv_b", ada))
    assert dump(await api.send(DeleteConversation(conversation_id="conv_a"))) == {}
    assert await ids(api) == ["conv_b"]
    assert isinstance(await refused(api, GetConversation(conversation_id="conv_a")), NotFound)
    assert isinstance(await refused(api, DeleteConversation(conversation_id="conv_a")), NotFound)


async def test_conversations_are_found_by_what_they_are(app: App, api: ApiClient) -> None:
    ada, bob = await agent(api), await agent(api)
    failed = {"call_successful": "failure", "transcript_summary": "50% OFF wanted.", "call_summary_title": "Straße"}
    await kept(
        app,
        record("conv_a", ada, start=100),
        record("conv_b", bob, start=200, user_id="u2", said="Where is my ÉCLAIR?"),
        record("conv_c", ada, start=300, analysis=failed),
    )
    assert await ids(api) == ["conv_c", "conv_b", "conv_a"]
    assert await ids(api, agent_id=ada) == ["conv_c", "conv_a"]
    assert await ids(api, call_successful="failure") == ["conv_c"]
    assert await ids(api, user_id="u2") == ["conv_b"]
    assert await ids(api, call_start_after_unix=100, call_start_before_unix=300) == ["conv_b"]
    assert await ids(api, call_start_after_unix=-(10**30), call_start_before_unix=10**30) == [
        "conv_c",
        "conv_b",
        "conv_a",
    ]
    assert await ids(api, search="éclair") == ["conv_b"]
    assert await ids(api, search="50% off") == ["conv_c"]
    assert await ids(api, search="STRASSE") == ["conv_c"]
    assert await ids(api, search="5_%") == []


async def test_pages_go_on_where_the_last_one_ended(app: App, api: ApiClient) -> None:
    ada = await agent(api)
    await kept(app, *(record(f"conv_{n}", ada, start=100 + n // 3) for n in range(8)))
    first = await api.send(ListConversations(page_size=3))
    await kept(app, record("conv_new", ada, start=999))
    rest = await api.send(ListConversations(cursor=first.next_cursor))
    found = [row.conversation_id for page in (first, rest) for row in page.conversations]
    assert found == [f"conv_{n}" for n in reversed(range(8))]


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ({"agent_id": "agent_1"}, {"agent_id": "agent_2"}),
        ({"call_successful": "success"}, {"analysis": {"call_successful": "unknown"}}),
        ({"call_start_before_unix": 104}, {"start": 104}),
        ({"call_start_after_unix": 99}, {"start": 99}),
        ({"user_id": "u1"}, {"user_id": None}),
        ({"search": "hello"}, {"said": "Bye."}),
    ],
    ids=lambda value: next(iter(value)),
)
async def test_a_filter_holds_on_every_page(app: App, api: ApiClient, query: JSON, left_out: JSON) -> None:
    await agent(api)
    wanted = [record(f"conv_{n}", "agent_1", start=100 + n // 2) for n in range(6)]
    others: list[JSON] = []
    for n in range(6):
        given: JSON = {"start": 100 + n // 2, "analysis": {}}
        given |= left_out
        others.append(record(f"conv_{n}x", given.pop("agent_id", "agent_1"), **given))
    await kept(app, *wanted, *others)
    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = await api.send(ListConversations.model_validate({**query, "page_size": 2, "cursor": cursor}))
        found += [row.conversation_id for row in page.conversations]
        cursor = page.next_cursor
    assert (found, cursor) == ([f"conv_{n}" for n in reversed(range(6))], None)


async def test_a_summary_is_there_when_asked_for(app: App, api: ApiClient, wire: AsyncClient) -> None:
    ada = await agent(api, name="Ada")
    await kept(app, record("conv_a", ada, start=5))
    [row] = (await wire.get(BASE)).json()["conversations"]
    assert row == {
        "agent_id": ada,
        "agent_name": "Ada",
        "conversation_id": "conv_a",
        "start_time_unix_secs": 5,
        "call_duration_secs": 9,
        "message_count": 1,
        "status": "done",
        "call_successful": "success",
        "call_summary_title": "Hi",
        "direction": None,
        "simulated": False,
    }
    [row] = (await wire.get(BASE, params={"summary_mode": "include"})).json()["conversations"]
    assert row["transcript_summary"] == "A greeting."


async def test_a_conversation_outlives_its_agent_and_shows_its_present_name(
    app: App, api: ApiClient, clock: Clock
) -> None:
    ada = await agent(api, name="Ada")
    await kept(app, record("conv_a", ada, start=77))
    [row] = (await api.send(ListAgents())).agents
    assert row.last_call_time_unix_secs == 77
    await api.send(UpdateAgent(agent_id=ada, name="Ada B."))
    assert (await api.send(ListConversations())).conversations[0].agent_name == "Ada B."
    await api.send(DeleteAgent(agent_id=ada))
    [left] = (await api.send(ListConversations())).conversations
    assert (left.agent_id, left.agent_name) == (ada, None)
    assert (await api.send(GetConversation(conversation_id="conv_a"))).agent_id == ada


async def test_feedback_is_counted_in_the_conversation(app: App, api: ApiClient) -> None:
    await kept(app, record("conv_a", await agent(api)), record("conv_b", "agent_1"))
    before = dump(await api.send(GetConversation(conversation_id="conv_a")))
    for said in ("like", "dislike", "like"):
        await api.send(SendFeedback(conversation_id="conv_a", feedback=said))
    after = dump(await api.send(GetConversation(conversation_id="conv_a")))
    assert after["metadata"].pop("feedback") == {"overall_score": None, "likes": 2, "dislikes": 1}
    assert after == before
    other = await api.send(GetConversation(conversation_id="conv_b"))
    assert "feedback" not in dump(other)["metadata"]


async def test_feedback_is_like_or_dislike_and_about_a_conversation_that_exists(
    api: ApiClient, wire: AsyncClient
) -> None:
    assert problems(await wire.post(f"{BASE}/conv_a/feedback", json={"feedback": "meh"})) == [
        "body.feedback: Input should be 'like' or 'dislike'"
    ]
    assert isinstance(await refused(api, SendFeedback(conversation_id="conv_a", feedback="like")), NotFound)


async def test_a_conversation_without_a_recording_says_why(app: App, api: ApiClient) -> None:
    await kept(app, record("conv_a", await agent(api)))
    refusal = await refused(api, GetConversationAudio(conversation_id="conv_a"))
    assert isinstance(refusal, NotFound)
    assert str(refusal) == "Conversation 'conv_a' has no recording: it was held in text. Read its transcript."
    unknown = await refused(api, GetConversationAudio(conversation_id="conv_z"))
    assert str(unknown).startswith("No conversation 'conv_z'.")
