"""Webhooks and tools of MCP servers, called in a conversation that a client holds over the WebSocket."""

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream
from starlette.responses import PlainTextResponse

from tests.dialogue.llm_peer import JSON, Call, Reply, Say
from tests.engine.mcp_peer import real
from tests.engine.tool_calls.test_webhooks import crm
from tests.peers import peer

from .talking import ALL_EVENTS, Stage, echo, judged, stage
from .test_session import calls, plays

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo), allow_private=("127.0.0.1",)) as found:
        yield found


def talking(events: list[str] = ALL_EVENTS, **prompt: object) -> JSON:
    return {"conversation": {"client_events": events}, "agent": {"prompt": {"built_in_tools": {}, **prompt}}}


async def test_a_webhook_is_called_and_its_answer_is_said(at: Stage) -> None:
    async with crm() as (url, got):
        tool = {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": {"url": f"{url}/me"}}
        plays(at, calls("crm"))
        async with at.connected(await at.agent(talking(tools=[tool]))) as caller:
            id = await caller.begun()
            await caller.answer()
            await caller.say("Who am I?")
            assert "/me" in await caller.answer()
    assert [request["path"] for request in got] == ["/me?"]
    kept = await at.conversation(id)
    [call] = [call for turn in kept["transcript"] for call in turn["tool_calls"]]
    assert (call["type"], call["tool_details"]["url"]) == ("webhook", f"{url}/me")


async def with_calendar(at: Stage, url: str, events: list[str] = ALL_EVENTS) -> str:
    config = {"name": "Calendar", "url": url, "approval_policy": "require_approval_all"}
    server = (await at.http.post("/v1/convai/mcp-servers", json={"config": config})).json()["id"]
    return await at.agent(talking(events, mcp_server_ids=[server]))


async def test_a_greeting_does_not_wait_for_an_mcp_server_that_hangs(at: Stage) -> None:
    plays(at, calls("book", '{"day": "Friday"}'))
    reached, gives_up = anyio.Event(), anyio.Event()

    async def hangs(_: SocketStream) -> None:
        reached.set()
        await gives_up.wait()

    async with peer(hangs) as url, at.connected(await with_calendar(at, f"{url}/mcp")) as caller:
        await caller.begun()
        with anyio.fail_after(10):  # half of what such a server is waited for
            assert await caller.answer() == "Hello! How can I help you today?"
        await reached.wait()
        gives_up.set()
        await caller.say("Book it.")
        assert "book" in await caller.answer()


@pytest.mark.parametrize("approved", [True, False])
async def test_a_tool_of_an_mcp_server_is_called_once_the_person_agrees(at: Stage, approved: bool) -> None:
    plays(at, calls("book", '{"day": "Friday"}'))
    async with real() as (url, _), at.connected(await with_calendar(at, url)) as caller:
        await caller.begun()
        await caller.answer()
        await caller.say("Book it.")
        asked = (await caller.until("mcp_tool_call"))["mcp_tool_call"]
        assert (asked["tool_name"], asked["parameters"]) == ("book", {"day": "Friday"})
        answer = {"tool_call_id": asked["tool_call_id"], "is_approved": approved}
        await caller.send(type="mcp_tool_approval_result", **answer)
        said = await caller.answer()
    states = [frame["mcp_tool_call"]["state"] for frame in caller.seen if frame["type"] == "mcp_tool_call"]
    assert states == ["awaiting_approval", *(["loading", "success"] if approved else ["failure"])]
    assert ("did not approve" in said) is not approved


async def test_a_client_that_is_not_told_of_calls_approves_none(at: Stage) -> None:
    plays(at, calls("book", '{"day": "Friday"}'))
    events = [event for event in ALL_EVENTS if event != "mcp_tool_call"]
    async with real() as (url, _), at.connected(await with_calendar(at, url, events)) as caller:
        await caller.begun()
        await caller.answer()
        await caller.say("Book it.")
        assert "did not approve" in await caller.answer()
    assert "mcp_tool_call" not in {frame["type"] for frame in caller.seen}


async def test_a_client_that_asks_for_it_is_told_what_a_tool_answered_and_how_full_the_context_is(at: Stage) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}

    def reply(request: JSON) -> Reply:
        done = request["messages"][-1]["role"] == "tool"
        return Say("Done.", model="gpt-4o", usage=usage) if done else Say(calls=(Call("crm"),))

    plays(at, reply)
    async with crm(PlainTextResponse("Ann")) as (url, _):
        tool = {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": {"url": url}}
        events = ["agent_response", "agent_tool_response_full_payload", "context_usage"]
        async with at.connected(await at.agent(talking(events, tools=[tool]))) as caller:
            await caller.answer()
            await caller.say("Who am I?")
            await caller.until("context_usage")
    [answer, _, context] = caller.seen[2:]
    assert answer["agent_tool_response_full_payload"].pop("tool_call_id")
    assert [answer, context] == [
        {
            "type": "agent_tool_response_full_payload",
            "agent_tool_response_full_payload": {
                "tool_name": "crm", "tool_type": "webhook", "event_id": 1, "is_error": False, "is_called": True,
                "full_tool_result": "Ann",
            },
        },
        {
            "type": "context_usage",
            "context_usage_event": {
                "event_id": 2, "model": "gpt-4o", "context_tokens": 1000, "context_limit_tokens": 128_000,
            },
        },
    ]  # fmt: skip
