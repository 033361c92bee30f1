"""Runs of tests through the platform's API: pending at once, finished by the engine, and never lost in between."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agent_tests import (
    DeleteAgentTest,
    GetInvocation,
    ListInvocations,
    ResubmitInvocation,
    RunAgentTests,
)
from callwright.contract.agent_tools import CreateTool
from callwright.contract.errors import NotFound
from tests.contract.facts import assert_answer
from tests.dialogue.llm_peer import Call, Fault, Peer, Reply, Say, peer
from tests.transports import Clock, numbered, settings

from .helpers import JSON, agent, dump, http, knowing, problems, read, refused, text
from .test_agent_tests import CALL, made

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served(home: Path, clock: Clock, at: Peer | None = None) -> AsyncGenerator[ApiClient]:
    """A server of its own on the data folder `home`."""
    chosen: dict[str, Any] = {"llm_base_url": at.base_url, "llm_model": "m"} if at else {}
    app = App(settings(home, **chosen), "embedded", clock=clock, ids=numbered())
    yield await app.api()
    await app.close()


def run(agent_id: str, *test_ids: str, **rest: Any) -> RunAgentTests:
    tests = [{"test_id": id} for id in test_ids]
    return RunAgentTests.model_validate({"agent_id": agent_id, "tests": tests, **rest})


async def finished(api: ApiClient, invocation: str) -> JSON:
    """The invocation, once nothing in it is pending."""
    with anyio.fail_after(20):
        while True:
            found = dump(await api.send(GetInvocation(test_invocation_id=invocation)))
            if all(one["status"] != "pending" for one in found["test_runs"]):
                return found
            await anyio.sleep(0.01)


def results(invocation: JSON) -> list[tuple[str, str, str]]:
    return [(r["test_name"], r["status"], r["condition_result"]["result"]) for r in invocation["test_runs"]]


def plays(reply: Reply, verdict: str = "success") -> Callable[[JSON], Reply]:
    def play(request: JSON) -> Reply:
        if "review conversations" in request["messages"][0]["content"]:
            return Say(f'{{"result": "{verdict}", "rationale": "Because."}}')
        return reply

    return play


async def test_a_run_is_pending_at_once_and_then_read_with_its_result(tmp_path: Path, clock: Clock) -> None:
    async with peer(plays(Say("From nine."))) as at, served(tmp_path, clock, at) as api:
        ada = await agent(api, name="Ada")
        asked = dump(await api.send(run(ada, await made(api), await made(api, CALL))))
        assert_answer(RunAgentTests, 200, asked)
        assert [one["status"] for one in asked["test_runs"]] == ["pending", "pending"]
        done = await finished(api, asked["id"])
    assert_answer(GetInvocation, 200, done)
    assert results(done) == [
        ("Opening hours", "passed", "success"),
        ("Emergency goes to the right number", "failed", "failure"),
    ]
    first = done["test_runs"][0]
    assert [turn["message"] for turn in first.pop("agent_responses")] == ["From nine."]
    assert first == snapshot(
        {
            "test_run_id": "trun_5",
            "test_invocation_id": "tinv_4",
            "agent_id": "agent_1",
            "workflow_node_id": None,
            "status": "passed",
            "test_id": "test_2",
            "test_name": "Opening hours",
            "condition_result": {"result": "success", "rationale": {"messages": ["Because."], "summary": "Because."}},
            "last_updated_at_unix": 1800000000,
            "metadata": {
                "workspace_id": "default",
                "test_name": "Opening hours",
                "ran_by_user_email": "",
                "test_type": "llm",
            },
        }
    )


async def test_without_a_model_a_run_fails_with_the_reason(api: ApiClient) -> None:
    ada = await agent(api)
    absent = {**CALL["tool_call_parameters"], "verify_absence": True}
    tests = [await made(api), await made(api, CALL, tool_call_parameters=absent)]
    done = await finished(api, (await api.send(run(ada, *tests))).id)
    assert [result[1:] for result in results(done)] == [("failed", "unknown"), ("failed", "unknown")]
    for one in done["test_runs"]:
        assert "no language model is configured" in one["condition_result"]["rationale"]["summary"]
        assert one["agent_responses"] is None


async def test_invocations_of_an_agent_are_listed_with_their_counts(tmp_path: Path, clock: Clock) -> None:
    def reply(request: JSON) -> Reply:
        return Fault(400) if "twice" in str(request) else plays(Say("From nine."))(request)

    async with peer(reply) as at, served(tmp_path, clock, at) as api:
        ada, bob = await agent(api), await agent(api)
        good, bad = await made(api), await made(api, name="Bad", chat_history=[{"role": "user", "message": "twice", "time_in_call_secs": 0}])  # fmt: skip
        first = await api.send(run(ada, good, bad))
        clock.forward(seconds=1)
        second = await api.send(run(ada, good))
        await api.send(run(bob, good))
        await finished(api, first.id)
        await finished(api, second.id)
        page = await api.send(ListInvocations(agent_id=ada, page_size=1))
        rest = dump(await api.send(ListInvocations(agent_id=ada, page_size=1, cursor=page.next_cursor)))
    assert [row.id for row in page.results] == [second.id]
    assert rest == snapshot(
        {
            "meta": {"total": 2, "page_size": 1},
            "results": [
                {
                    "id": "tinv_5",
                    "created_at_unix_secs": 1800000000,
                    "test_run_count": 2,
                    "passed_count": 1,
                    "failed_count": 1,
                    "pending_count": 0,
                    "cancelled_count": 0,
                    "title": "Opening hours and 1 more",
                    "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
                }
            ],
            "next_cursor": None,
            "has_more": False,
        }
    )


async def test_a_resubmitted_run_is_run_again_in_its_invocation(tmp_path: Path, clock: Clock) -> None:
    verdicts = iter(["failure", "success", "success"])

    def reply(request: JSON) -> Reply:
        if "review conversations" in request["messages"][0]["content"]:
            return plays(Say(""), next(verdicts))(request)
        return Say("From nine.")

    async with peer(reply) as at, served(tmp_path, clock, at) as api:
        ada, test = await agent(api), await made(api)
        invocation = (await api.send(run(ada, test))).id
        [failed] = (await finished(api, invocation))["test_runs"]
        again = {"test_invocation_id": invocation, "agent_id": ada, "test_run_ids": [failed["test_run_id"]]}
        await api.send(ResubmitInvocation.model_validate(again))
        [passed] = (await finished(api, invocation))["test_runs"]
        assert (failed["status"], passed["status"]) == ("failed", "passed")
        assert passed["test_run_id"] == failed["test_run_id"]

        bob = await agent(api)
        other = await refused(api, ResubmitInvocation.model_validate(again | {"agent_id": bob}))
        assert "is of the agent" in str(other)
        unknown = await refused(api, ResubmitInvocation.model_validate(again | {"test_run_ids": ["trun_no"]}))
        assert str(unknown) == "body.test_run_ids: This invocation has no run 'trun_no'."
        await api.send(DeleteAgentTest(test_id=test))
        gone = await refused(api, ResubmitInvocation.model_validate(again))
        assert f"There is no test {test!r}." in str(gone)


async def test_an_agent_is_tested_as_it_might_be_without_being_stored(tmp_path: Path, clock: Clock) -> None:
    override = {
        "conversation_config": {"agent": {"prompt": {"prompt": "Be brief, {{name}}."}}},
        "platform_settings": {},
    }
    async with peer(plays(Say("Nine."))) as at, served(tmp_path, clock, at) as api:
        document = await text(api, content="Open from nine.")
        ada = await agent(api, knowing(document, prompt="Be long."))
        before = await read(api, ada)
        test = await made(api, dynamic_variables={"name": "Bo"})
        await finished(api, (await api.send(run(ada, test, agent_config_override=override))).id)
        assert await read(api, ada) == before
    system = at.requests[0]["messages"][0]["content"]
    assert "Be brief, Bo." in system
    assert "Open from nine." in system


WORKFLOW: JSON = {
    "nodes": {
        "start": {"type": "start"},
        "sell": {
            "type": "override_agent",
            "label": "Sell",
            "additional_prompt": "Sell the large one.",
            "conversation_config": {"agent": {"prompt": {"temperature": 0.3}}},
        },
        "bye": {"type": "end"},
    },
    "edges": {"e": {"source": "start", "target": "sell", "forward_condition": {"type": "unconditional"}}},
}


async def test_a_node_of_the_workflow_is_tested_as_it_speaks(tmp_path: Path, clock: Clock) -> None:
    async with peer(plays(Say("Hi."))) as at, served(tmp_path, clock, at) as api:
        ada, test = await agent(api, {"agent": {"prompt": {"prompt": "Help."}}}, workflow=WORKFLOW), await made(api)
        tests = [{"test_id": test, "workflow_node_id": "sell"}]
        done = await finished(api, (await api.send(RunAgentTests.model_validate({"agent_id": ada, "tests": tests}))).id)
    assert "Help.\n\nSell the large one." in at.requests[0]["messages"][0]["content"]
    assert at.requests[0]["temperature"] == 0.3
    assert done["test_runs"][0]["workflow_node_id"] == "sell"


async def test_a_stored_tool_is_named_by_its_id(tmp_path: Path, clock: Clock) -> None:
    book: JSON = {
        "type": "client",
        "name": "book",
        "description": "Books.",
        "parameters": {"type": "object", "properties": {}},
    }
    async with peer(lambda _: Say("", (Call("book"),))) as at, served(tmp_path, clock, at) as api:
        tool = (await api.send(CreateTool.model_validate({"tool_config": book}))).id
        ada = await agent(api, {"agent": {"prompt": {"tool_ids": [tool]}}})
        wanted = {"referenced_tool": {"id": tool, "type": "client"}}
        done = await finished(api, (await api.send(run(ada, await made(api, CALL, tool_call_parameters=wanted)))).id)
    assert done["test_runs"][0]["condition_result"]["rationale"]["summary"] == "book was called as expected."


async def test_what_cannot_be_run_is_refused_at_its_place_and_nothing_is_kept(
    api: ApiClient, wire: AsyncClient
) -> None:
    ada, test = await agent(api, workflow=WORKFLOW), await made(api)
    path = f"/v1/convai/agents/{ada}/run-tests"

    async def said(**body: Any) -> list[str]:
        return problems(await wire.post(path, json=body))

    asked = [{"test_id": "test_no"}, {"test_id": test, "workflow_node_id": "x"}, {"test_id": test, "workflow_node_id": "bye"}]  # fmt: skip
    assert await said(tests=asked) == [
        "body.tests.0.test_id: There is no test 'test_no'.",
        "body.tests.1.workflow_node_id: The workflow has no node 'x'.",
        "body.tests.2.workflow_node_id: At a node of the type end the agent says nothing that could be tested.",
    ]
    assert await said(tests=[]) == ["body.tests: 1 to 100 tests are run together, not 0."]
    missing = knowing("doc_no")
    override = {"conversation_config": missing, "platform_settings": {}}
    [problem] = await said(tests=[{"test_id": test}], agent_config_override=override)
    assert problem.startswith("body.agent_config_override.conversation_config.agent.prompt.knowledge_base.0: ")
    assert (await api.send(ListInvocations(agent_id=ada))).results == []
    assert isinstance(await refused(api, run("agent_no", test)), NotFound)
    assert isinstance(await refused(api, GetInvocation(test_invocation_id="tinv_no")), NotFound)


async def test_what_a_stopped_server_was_running_has_failed_with_the_reason(tmp_path: Path, clock: Clock) -> None:
    async with peer(lambda _: Say("Well", stalls=True)) as at:
        async with served(tmp_path, clock, at) as api:
            ada = await agent(api)
            invocation = (await api.send(run(ada, await made(api)))).id
            await at.stalled.wait()
            again = {"test_invocation_id": invocation, "agent_id": ada, "test_run_ids": ["trun_4"]}
            assert "Still running: trun_4." in str(await refused(api, ResubmitInvocation.model_validate(again)))
        with anyio.fail_after(60):
            await at.hung_up.wait()
    async with served(tmp_path, clock) as api:
        [row] = (await api.send(GetInvocation(test_invocation_id=invocation))).test_runs
    assert row.status == "failed"
    assert row.condition_result
    assert row.condition_result.rationale
    assert row.condition_result.rationale.summary == "Not finished: the server that ran it was stopped."


async def test_what_a_killed_server_was_running_has_failed_once_its_lease_is_over(tmp_path: Path, clock: Clock) -> None:
    async with peer(lambda _: Say("Well", stalls=True)) as at, served(tmp_path, clock) as api:

        async def status() -> tuple[str, str, int]:
            [row] = dump(await api.send(GetInvocation(test_invocation_id=invocation)))["test_runs"]
            [listed] = (await api.send(ListInvocations(agent_id=ada))).results
            why = (row["condition_result"] or {"rationale": {"summary": ""}})["rationale"]["summary"]
            return row["status"], why, listed.failed_count

        async with served(tmp_path, clock, at) as dying:
            ada = await agent(dying)
            invocation = (await dying.send(run(ada, await made(dying)))).id
            await at.stalled.wait()
            assert await status() == ("pending", "", 0)
            clock.forward(seconds=31)
            over = ("failed", "Not finished: the server that ran it was stopped.", 1)
            assert await status() == over
        # The one that was thought dead has written how it ended, late: what was read stays true.
        assert await status() == over


async def test_a_defect_in_one_run_leaves_none_pending(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr("callwright.engine.rules.agent_test_runs.run_case", broken)
    async with served(tmp_path, clock) as api:
        ada, test = await agent(api), await made(api)
        done = await finished(api, (await api.send(run(ada, test, test))).id)
    assert {one["condition_result"]["rationale"]["summary"] for one in done["test_runs"]} == {
        "Not finished: an internal error, which the server's log explains."
    }
    assert "a defect" in caplog.text


async def test_a_few_runs_at_a_time_ask_the_model(tmp_path: Path, clock: Clock) -> None:
    async with peer(plays(Say("", (Call("end_call", '{"reason": "x"}'),)))) as at, served(tmp_path, clock, at) as api:
        ada, test = await agent(api), await made(api)
        done = await finished(api, (await api.send(run(ada, *[test] * 12))).id)
    assert {one["status"] for one in done["test_runs"]} == {"passed"}
    assert len(at.requests) == 24


async def test_runs_of_another_workspace_do_not_exist(wire: AsyncClient, app: App) -> None:
    async with http(await app.engine("key")) as stranger:
        assert (await stranger.get("/v1/convai/test-invocations", params={"agent_id": "a"})).status_code == 401
    assert (await wire.get("/v1/convai/test-invocations")).status_code == 422
