"""A client that knows tasks: a long call becomes one, and everything else stays as it was."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolResult,
    ElicitResult,
)

from callwright.app import App
from callwright.mcp_server.server import build_server
from callwright.tasks import task as machinery
from tests.conformance.fixtures import server_with_fixtures
from tests.dialogue.llm_peer import peer
from tests.transports import MODERN, Clock, facts, settings, text

from .knowing import TRANSPORTS, Json, Tasks, app_at, ask, ended, knowing, reached, rehearsal, stalling, task_of, until

pytestmark = pytest.mark.anyio


async def refused(client: Client, method: str, task_id: str, **more: Any) -> int:
    with pytest.raises(MCPError) as refusal:
        await ask(client.session, method, task_id, **more)
    return refusal.value.error.code


def without_ids(answer: Json) -> Json:
    return answer | {"conversation_id": "conv"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_rehearsal_becomes_a_task_whose_result_is_the_answer_of_the_call(
    tmp_path: Path, clock: Clock, transport: str
) -> None:
    with anyio.fail_after(60):
        async with (
            stalling(tmp_path, clock=clock) as (app, at),
            reached(app, transport) as server,
            knowing(server) as client,
        ):
            arguments = await rehearsal(client)
            created = await client.session.call_tool("simulate_conversation", arguments, allow_claimed=True)
            assert created.model_dump(by_alias=True, exclude={"meta", "task_id"}) == snapshot(
                {
                    "resultType": "task",
                    "status": "working",
                    "createdAt": "2027-01-15T08:00:00.000+00:00",
                    "lastUpdatedAt": "2027-01-15T08:00:00.000+00:00",
                    "ttlMs": 3600000,
                    "pollIntervalMs": 1000,
                }
            )
            id: str = created.model_dump()["task_id"]
            await at.stalled.wait()
            as_created = created.model_dump(by_alias=True, exclude={"meta"})
            now = {"resultType": "complete", "statusMessage": "turn 1: agent"}
            assert await ask(client.session, "get", id) == as_created | now
            at.go_on.set()
            done = await ended(client.session, id)
            app.tasks.patience = 60
        async with app_at_once(at.reply, tmp_path / "other", clock) as other, Client(build_server(other)) as plain:
            synchronous = await plain.call_tool("simulate_conversation", await rehearsal(plain))
    assert (done["status"], done["statusMessage"]) == ("completed", "turn 3: agent")
    assert without_ids(done["result"]["structuredContent"]) == without_ids(facts(synchronous))
    assert not done["result"].get("isError")


@asynccontextmanager
async def app_at_once(reply: Any, home: Path, clock: Clock) -> AsyncGenerator[App]:
    """As `stalling`, with a language model that does not, and whose callers wait."""
    async with peer(reply) as at:
        at.go_on.set()
        yield app_at(at, home, clock=clock, long_call_seconds=60)


async def test_what_is_answered_in_a_moment_is_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machinery, "GRACE_SECONDS", 60)
    tasks = Tasks()
    app = App(settings(tmp_path, long_call_seconds=60), "embedded")
    async with Client(build_server(app), mode=MODERN, extensions=[tasks]) as client:
        assert facts(await client.call_tool("simulate_conversation", await rehearsal(client)))["turns"] > 0
    assert tasks.created == []


async def test_a_question_to_a_person_comes_before_the_task(tmp_path: Path) -> None:
    asked: list[str] = []

    async def on_ask(context: Any, params: Any) -> ElicitResult:
        del context
        asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    tasks = Tasks()
    async with stalling(tmp_path, approval="always-ask") as (app, at):
        at.go_on.set()
        async with Client(build_server(app), mode=MODERN, extensions=[tasks], elicitation_callback=on_ask) as client:
            arguments = await rehearsal(client)
            asked.clear()
            assert facts(await client.call_tool("simulate_conversation", arguments))["turns"] > 0
            changes = facts(await client.call_tool("list_changes", {}))["changes"]
    assert (len(asked), len(tasks.created)) == (1, 1)
    assert (changes[0]["tool"], changes[0]["approved_by"]) == ("simulate_conversation", "person")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_cancelled_task_closes_the_stream_of_the_model(tmp_path: Path, transport: str) -> None:
    with anyio.fail_after(60):
        async with stalling(tmp_path) as (app, at), reached(app, transport) as server, knowing(server) as client:
            id = await task_of(client, "simulate_conversation", await rehearsal(client))
            await at.stalled.wait()
            assert not at.hung_up.is_set()
            assert await ask(client.session, "cancel", id) == {"resultType": "complete"}
            await at.hung_up.wait()
            assert (await ask(client.session, "get", id))["status"] == "cancelled"
            assert await ask(client.session, "cancel", id) == {"resultType": "complete"}
            assert facts(await client.call_tool("list_conversations", {}))["conversations"] == []


@pytest.mark.parametrize("transport", ["http", "stateless"])
async def test_a_client_that_is_lost_leaves_its_task_running(tmp_path: Path, transport: str) -> None:
    with anyio.fail_after(60):
        async with stalling(tmp_path) as (app, at), reached(app, transport) as server:
            async with knowing(server) as client:
                id = await task_of(client, "simulate_conversation", await rehearsal(client))
            await at.stalled.wait()
            assert not at.hung_up.is_set()
            at.go_on.set()
            async with knowing(server) as another:
                assert (await ended(another.session, id))["result"]["structuredContent"]["turns"] > 0


@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_a_server_that_ends_stops_its_tasks(tmp_path: Path, transport: str) -> None:
    with anyio.fail_after(60):
        async with stalling(tmp_path) as (app, at):
            async with reached(app, transport) as server, knowing(server) as client:
                id = await task_of(client, "simulate_conversation", await rehearsal(client))
                await at.stalled.wait()
            await at.hung_up.wait()
    found = app.tasks.find(id, app.owner)
    assert found is not None
    assert found.status == "cancelled"


async def test_after_an_hour_a_task_is_unknown_and_what_still_runs_is_stopped(tmp_path: Path, clock: Clock) -> None:
    with anyio.fail_after(60):
        async with stalling(tmp_path, clock=clock) as (app, at), knowing(build_server(app)) as client:
            id = await task_of(client, "simulate_conversation", await rehearsal(client))
            await at.stalled.wait()
            clock.forward(seconds=3_599)
            assert (await ask(client.session, "get", id))["status"] == "working"
            clock.forward(seconds=1)
            assert await refused(client, "get", id) == INVALID_PARAMS
            await at.hung_up.wait()


async def test_a_tool_that_fails_completes_with_its_error(tmp_path: Path) -> None:
    async with stalling(tmp_path) as (app, _), knowing(build_server(app)) as client:
        unknown: Json = {"agent_id": "agent_that_nobody_made", "caller": "Hello"}
        done = await ended(client.session, await task_of(client, "simulate_conversation", unknown))
        app.tasks.patience = 60
        async with Client(build_server(app)) as plain:
            said = text(await plain.call_tool("simulate_conversation", unknown))
    assert (done["status"], done["result"]["isError"]) == ("completed", True)
    assert done["result"]["content"][0]["text"] == said


async def test_the_log_says_of_a_task_what_it_says_of_a_call(tmp_path: Path) -> None:
    async with stalling(tmp_path) as (app, at), knowing(build_server(app)) as client:
        at.go_on.set()
        arguments = await rehearsal(client)
        await client.call_tool("simulate_conversation", arguments)
        app.tasks.patience = 60
        async with Client(build_server(app)) as plain:
            await plain.call_tool("simulate_conversation", arguments)
            synchronous, task, _ = facts(await plain.call_tool("list_changes", {}))["changes"]
    assert (task["tool"], task["outcome"]) == ("simulate_conversation", "done")
    own = {"change_id": "", "at_unix_secs": 0}
    assert task | own == synchronous | own


async def test_the_methods_are_for_who_declares_the_extension(tmp_path: Path) -> None:
    async with Client(build_server(App(settings(tmp_path), "embedded")), mode=MODERN) as client:
        for method in ("get", "update", "cancel"):
            assert await refused(client, method, "task_1") == MISSING_REQUIRED_CLIENT_CAPABILITY


async def test_an_id_that_nobody_was_given_is_unknown(tmp_path: Path) -> None:
    async with knowing(build_server(App(settings(tmp_path), "embedded"))) as client:
        for method in ("get", "update", "cancel"):
            assert await refused(client, method, "task_of_nobody") == INVALID_PARAMS


@pytest.mark.parametrize("named", ["task_other", None])
async def test_the_header_must_name_the_task(
    tmp_path: Path, named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stalling(tmp_path) as (app, _), reached(app, "http") as server, knowing(server) as client:
        id = await task_of(client, "simulate_conversation", await rehearsal(client))
        assert (await ask(client.session, "get", id))["status"] == "working"
        if named is None:
            monkeypatch.setattr("tests.tasks.knowing.TaskRequest.name_param", None)
        else:
            monkeypatch.setattr("mcp.client.session.encode_header_value", lambda _: named)  # pyright: ignore
        assert await refused(client, "get", id) == HEADER_MISMATCH


async def test_of_too_many_long_calls_the_next_is_refused_until_one_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machinery, "MOST_RUNNING", 1)
    with anyio.fail_after(60):
        async with stalling(tmp_path) as (app, at), knowing(build_server(app)) as client:
            arguments = await rehearsal(client)
            first = await task_of(client, "simulate_conversation", arguments)
            refusal = await client.session.call_tool("simulate_conversation", arguments)
            assert isinstance(refusal, CallToolResult)
            assert refusal.is_error
            assert text(refusal) == snapshot("1 long calls are running, the most at a time. Wait for one, or stop one.")
            at.go_on.set()
            await ended(client.session, first)
            await task_of(client, "simulate_conversation", arguments)


async def test_of_too_many_answers_the_oldest_is_forgotten(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machinery, "MOST_KEPT", 2)
    async with stalling(tmp_path, clock=clock) as (app, at), knowing(build_server(app)) as client:
        at.go_on.set()
        arguments = await rehearsal(client)
        ids: list[str] = []
        for _ in range(3):
            ids.append(await task_of(client, "simulate_conversation", arguments))
            await ended(client.session, ids[-1])
            clock.forward(seconds=1)
        assert await refused(client, "get", ids[0]) == INVALID_PARAMS
        assert [(await ask(client.session, "get", id))["status"] for id in ids[1:]] == ["completed", "completed"]


async def test_a_task_asks_and_takes_only_what_answers(tmp_path: Path) -> None:
    server = server_with_fixtures(App(settings(tmp_path), "embedded"))
    with anyio.fail_after(60):
        async with knowing(server) as client:
            id = await task_of(client, "confirm_delete", {"filename": "a.txt"})
            asked = await until(client.session, id, "input_required")
            assert asked["inputRequests"] == snapshot(
                {
                    "input_1": {
                        "method": "elicitation/create",
                        "params": {
                            "mode": "form",
                            "message": "Delete a.txt?",
                            "requestedSchema": {
                                "type": "object",
                                "properties": {"confirm": {"type": "boolean"}},
                                "required": ["confirm"],
                            },
                        },
                    }
                }
            )
            wrong = {"input_1": {"action": "perhaps"}}
            assert await refused(client, "update", id, inputResponses=wrong) == INVALID_PARAMS
            stranger: Json = {"input_9": {"action": "accept"}}
            assert await ask(client.session, "update", id, inputResponses=stranger) == {"resultType": "complete"}
            assert (await ask(client.session, "get", id))["inputRequests"].keys() == {"input_1"}
            answer = {"input_1": {"action": "accept", "content": {"confirm": True}}}
            await ask(client.session, "update", id, inputResponses=answer)
            done = await ended(client.session, id)
        async with Client(server) as plain:
            with pytest.raises(MCPError) as refusal:
                await plain.call_tool("confirm_delete", {"filename": "a.txt"})
    assert done["result"]["content"][0]["text"] == "accept: {'confirm': True}"
    assert refusal.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY
