"""A client that does not know tasks: a call that lasts too long is answered with an id, and get_task has the answer."""

import json
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, ElicitResult

from callwright.app import App
from callwright.commands.call import call_tool
from callwright.mcp_server.server import build_server
from callwright.surface import built
from tests.commands.test_cli import environment
from tests.conformance.fixtures import server_with_fixtures
from tests.dialogue.llm_peer import Say, peer
from tests.transports import ERAS, MODERN, Clock, facts, reach, server, settings, text
from tests.warm import callwright

from .knowing import TRANSPORTS, Json, app_at, knowing, reached, rehearsal, stalling, task_of

pytestmark = pytest.mark.anyio

ENTRIES = {entry["tool"]["name"]: entry["tool"] for entry in built()}
LONG = [entry["tool"]["name"] for entry in built() if entry["long"]]


async def handle(client: Client, arguments: Json) -> str:
    """The id with which a rehearsal is answered that goes on."""
    answer = await client.call_tool("simulate_conversation", arguments)
    return facts(answer)["task_id"]


async def whole(client: Client, id: str) -> CallToolResult:
    """The answer, once it is there."""
    while "task_id" in facts(answer := await client.call_tool("get_task", {"task_id": id})):
        pass
    return answer


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_lasts_is_answered_with_an_id_and_then_as_it_would_have_been(
    tmp_path: Path, clock: Clock, era: str
) -> None:
    with anyio.fail_after(60):
        async with stalling(tmp_path, clock=clock) as (app, at), Client(build_server(app), mode=era) as client:
            answer = await client.call_tool("simulate_conversation", await rehearsal(client))
            id: str = facts(answer)["task_id"]
            assert facts(answer) == {"task_id": id, "status": "working"}
            assert text(answer).replace(id, "ID") == snapshot(
                "simulate_conversation is still running. get_task with task_id ID gives its answer, cancel_task stops it."
            )
            await at.stalled.wait()
            still = await client.call_tool("get_task", {"task_id": id})
            assert text(still) == snapshot(
                "simulate_conversation is still running (turn 1: agent). Call get_task again."
            )
            assert facts(still) == {"task_id": id, "status": "working", "progress": "turn 1: agent"}
            at.go_on.set()
            late = await whole(client, id)
        async with peer(at.reply) as other:
            other.go_on.set()
            patient = app_at(other, tmp_path / "other", clock=clock, long_call_seconds=60)
            async with Client(build_server(patient), mode=era) as client:
                synchronous = await client.call_tool("simulate_conversation", await rehearsal(client))

    def plain(answer: CallToolResult) -> Any:
        said = answer.model_dump_json(exclude={"meta"})
        return json.loads(said.replace(facts(answer)["conversation_id"], "ID"))

    assert plain(late) == plain(synchronous)


@pytest.mark.parametrize("era", ERAS)
async def test_get_task_waits_for_the_end_itself(tmp_path: Path, era: str) -> None:
    answers: list[CallToolResult] = []
    with anyio.fail_after(60):
        async with stalling(tmp_path) as (app, at), Client(build_server(app), mode=era) as client:
            id = await handle(client, await rehearsal(client))
            app.tasks.patience = 50

            async def get() -> None:
                answers.append(await client.call_tool("get_task", {"task_id": id}))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(get)
                await at.stalled.wait()
                at.go_on.set()
    assert facts(answers[0])["turns"] > 0


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("era", ERAS)
async def test_a_task_is_stopped_by_a_tool_too(tmp_path: Path, transport: str, era: str) -> None:
    with anyio.fail_after(60):
        async with (
            stalling(tmp_path) as (app, at),
            reached(app, transport) as url,
            Client(url, mode=era) as client,
        ):
            id = await handle(client, await rehearsal(client))
            await at.stalled.wait()
            told = [
                await client.call_tool(tool, {"task_id": id}) for tool in ("cancel_task", "cancel_task", "get_task")
            ]
            await at.hung_up.wait()
            assert facts(await client.call_tool("list_conversations", {}))["conversations"] == []
    assert [text(answer) for answer in told] == snapshot(
        [
            "simulate_conversation is stopped.",
            "simulate_conversation had ended already.",
            "simulate_conversation was stopped before its end.",
        ]
    )
    assert {facts(answer)["status"] for answer in told} == {"cancelled"}


async def test_an_unknown_task_is_an_error_that_says_how_long_answers_are_kept(tmp_path: Path) -> None:
    async with Client(build_server(App(settings(tmp_path), "embedded"))) as client:
        answers = [await client.call_tool(tool, {"task_id": "task_1"}) for tool in ("get_task", "cancel_task")]
    assert [answer.is_error for answer in answers] == [True, True]
    assert {text(answer) for answer in answers} == snapshot(
        {"No such task. Its answer is kept for an hour, and not beyond a restart of the server."}
    )


async def test_a_call_that_failed_late_is_the_same_error(tmp_path: Path) -> None:
    async with stalling(tmp_path) as (app, _), Client(build_server(app)) as client:
        id = await handle(client, {"agent_id": "agent_that_nobody_made", "caller": "Hello"})
        with anyio.fail_after(20):
            while not (answer := await client.call_tool("get_task", {"task_id": id})).is_error:
                pass
    assert text(answer) == snapshot("No agent 'agent_that_nobody_made'. list_agents shows them.")


async def test_a_person_is_asked_before_the_answer_is_an_id(tmp_path: Path) -> None:
    """An older server pushes its question while the call lasts: it must not be answered meanwhile."""
    asked: list[str] = []

    async def on_ask(context: Any, params: Any) -> ElicitResult:
        del context
        asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    async with stalling(tmp_path, approval="always-ask") as (app, at):
        at.go_on.set()
        async with Client(build_server(app), mode="legacy", elicitation_callback=on_ask) as client:
            arguments = await rehearsal(client)
            asked.clear()
            assert facts(await whole(client, await handle(client, arguments)))["turns"] > 0
    assert len(asked) == 1


async def test_a_dispatcher_that_is_told_nonsense_says_so(tmp_path: Path) -> None:
    async with Client(build_server(App(settings(tmp_path, surface="search"), "embedded"))) as client:
        answer = await client.call_tool("run_changing", {"tool": ["simulate_conversation"]})
    assert text(answer) == "tool must be a text."


async def test_through_the_search_surface_it_is_the_same(tmp_path: Path) -> None:
    async with stalling(tmp_path, surface="search") as (app, at), Client(build_server(app)) as client:
        at.go_on.set()

        async def run(runner: str, tool: str, **arguments: Any) -> Json:
            return facts(await client.call_tool(runner, {"tool": tool, "arguments": arguments}))

        agent = await run("run_changing", "create_agent", name="Ada", prompt="Be brief.")
        called: Json = {"agent_id": agent["agent_id"], "caller": "Hello", "max_turns": 2}
        answer = await run("run_changing", "simulate_conversation", **called)
        assert answer.keys() == {"task_id", "status"}
        with anyio.fail_after(20):
            while "task_id" in answer:
                answer = await run("run_reading", "get_task", task_id=answer["task_id"])
        assert answer["turns"] > 0
        async with knowing(build_server(app)) as knows:
            assert await task_of(knows, "run_changing", {"tool": "simulate_conversation", "arguments": called})


async def test_who_could_not_ask_for_the_answer_waits_for_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"tools": {"get_task": "disabled"}}')
    async with stalling(tmp_path, policy_file=policy) as (app, at):
        at.go_on.set()
        async with Client(build_server(app)) as client:
            answer = await client.call_tool("simulate_conversation", await rehearsal(client))
    assert facts(answer)["turns"] > 0


def test_a_call_from_a_shell_waits_however_long_it_takes(tmp_path: Path) -> None:
    def called(tool: str, arguments: Json) -> Json:
        app = App(settings(tmp_path, long_call_seconds=0), "embedded")
        status, said = call_tool(app, tool, arguments, "json", ask=False)
        assert status == 0, said
        return json.loads(said)

    agent = called("create_agent", {"name": "Ada", "prompt": "Be brief."})
    assert called("simulate_conversation", {"agent_id": agent["agent_id"], "caller": "Hello"})["turns"] > 0


async def test_a_call_that_breaks_off_breaks_off_in_get_task_too(tmp_path: Path) -> None:
    app = App(settings(tmp_path, long_call_seconds=0), "embedded")
    async with Client(server_with_fixtures(app), mode=MODERN) as client:
        id = facts(await client.call_tool("protocol_error_job", {}))["task_id"]
        app.tasks.patience = 50
        with pytest.raises(MCPError, match="This job breaks off, as it should"):
            await client.call_tool("get_task", {"task_id": id})


@pytest.mark.parametrize("tool", LONG)
def test_the_answers_of_long_tools_have_no_names_of_a_tasks(tool: str) -> None:
    """get_task hands them on under its own schema, which gives these names a meaning."""
    own = cast(Json, ENTRIES["get_task"]["outputSchema"]["properties"])
    schema = ENTRIES[tool]["outputSchema"]
    view, *others = [arm["required"] for arm in schema["anyOf"]]
    assert own.keys() & set(view) == set()
    assert ["task_id"] in others
    assert schema["properties"]["status"] == {"type": "string"}


async def test_over_stdio_it_is_the_same_and_the_end_of_the_server_is_that_of_the_task(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        async with peer(lambda _: Say("Well", stalls=True)) as at:
            llm = {"CALLWRIGHT_LLM_BASE_URL": at.base_url, "CALLWRIGHT_LLM_MODEL": "m"}
            env = environment(tmp_path, CALLWRIGHT_LONG_CALL_SECONDS="0", **llm)
            command, *args = callwright()
            async with Client(StdioServerParameters(command=command, args=[*args, "serve"], env=env)) as client:
                id = await handle(client, await rehearsal(client))
                await at.stalled.wait()
                assert facts(await client.call_tool("get_task", {"task_id": id}))["status"] == "working"
                assert not at.hung_up.is_set()
            await at.hung_up.wait()


@pytest.mark.usefixtures("either_platform")
async def test_on_either_platform_an_answer_can_be_asked_for(tmp_path: Path) -> None:
    app = server(settings(tmp_path, long_call_seconds=0))
    async with reach(app) as (client, _):
        id = await handle(client, await rehearsal(client))
        app.tasks.patience = 50
        answer = facts(await client.call_tool("get_task", {"task_id": id}))
        assert answer["turns"] == len(answer["transcript"]) > 0


async def test_a_model_that_answers_at_once_needs_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(lambda _: Say("We open at nine.")) as at:
        app = app_at(at, tmp_path, long_call_seconds=60)
        async with Client(build_server(app)) as client:
            assert facts(await client.call_tool("simulate_conversation", await rehearsal(client)))["turns"] > 0
