"""What is kept of a live conversation: from its start, through a crash, and not at all where that is forbidden."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio.abc import SocketStream
from httpx2.websockets import WebSocketNetworkError
from sqlalchemy import func, select, text

from callwright.app import App
from callwright.engine.jobs import process_name
from callwright.engine.live.closing import STORED_AGAIN_AFTER_SECONDS
from callwright.engine.live.ending import NOT_FINISHED, STOPPED
from callwright.engine.live.leases import LEASE_MS, sweep
from callwright.engine.models.routing import Models
from callwright.engine.runtime import Engine
from callwright.engine.schema.live import live_conversation, live_holder
from callwright.engine.store.vault import Vault
from tests.dialogue.llm_peer import JSON, Call, Reply, Say, peer
from tests.peers import peer as tcp_peer

from .talking import KEY, Served, Stage, echo, http_client, judged, stage

pytestmark = pytest.mark.anyio

TEXT: JSON = {"conversation": {"text_only": True}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


async def live(app: App) -> int:
    """Conversations that somebody holds, or is about to analyse."""
    database = await app.database()
    return await database.read(lambda db: db.execute(select(func.count()).select_from(live_conversation)).scalar_one())


async def test_a_conversation_is_listed_while_it_is_held(at: Stage) -> None:
    ada = await at.agent(name="Ada")
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        at.clock.forward(seconds=3)
        await caller.say("Hi")
        await caller.answer()
        [row] = (await at.http.get("/v1/convai/conversations")).json()["conversations"]
        assert [row[key] for key in ("conversation_id", "status", "message_count", "call_duration_secs")] == [id, "in-progress", 3, 3]  # fmt: skip
        assert await live(at.app) == 1
    await at.conversation(id)
    assert await live(at.app) == 0
    assert (await at.http.get("/v1/convai/agents")).json()["agents"][0]["last_call_time_unix_secs"] == 1_800_000_000


async def test_a_conversation_is_judged_by_the_criteria_of_its_agent(at: Stage) -> None:
    criterion = {"id": "calm", "name": "Calm", "type": "prompt", "conversation_goal_prompt": "Was calm."}
    ada = await at.agent(platform_settings={"evaluation": {"criteria": [criterion]}})
    async with at.connected(ada) as caller:
        id = await caller.begun()
    analysis = (await at.conversation(id))["analysis"]
    assert analysis["evaluation_criteria_results"]["calm"]["result"] == analysis["call_successful"] == "success"


async def test_with_zero_retention_nothing_is_kept(at: Stage, tmp_path: Path) -> None:
    ada = await at.agent(platform_settings={"privacy": {"zero_retention_mode": True}})
    async with at.connected(ada, dynamic_variables={"v": "canary-4711"}, user_id="canary-4711") as caller:
        id = await caller.begun()
        await caller.say("canary-4711")
        await caller.answer()
        assert await caller.answer() == "You said canary-4711."
        assert (await at.http.get(f"/v1/convai/conversations/{id}")).status_code == 404
    with anyio.fail_after(60):
        while await live(at.app):
            await anyio.lowlevel.checkpoint()
    assert (await at.http.get("/v1/convai/conversations")).json()["conversations"] == []
    assert not grep(tmp_path, b"canary-4711")


@pytest.mark.parametrize("breaks", [False, True])
async def test_an_end_that_cannot_be_stored_at_once_is_stored_later(
    at: Stage, caplog: pytest.LogCaptureFixture, breaks: bool
) -> None:
    database = await at.app.database()
    for change in ("UPDATE", "DELETE"):
        full = f"BEFORE {change} ON live_conversation BEGIN SELECT RAISE(FAIL, 'The disk is full'); END"
        await database.write(
            lambda db, name=f"no_{change}", full=full: db.execute(text(f"CREATE TRIGGER {name} {full}"))
        )
    config: JSON = {"conversation": {"max_duration_seconds": 20}, "turn": {"turn_timeout": 30}}
    async with at.connected(await at.agent(config)) as caller:
        id = await caller.begun()
        await caller.answer()
        if breaks:
            await caller.socket.send_text("no JSON")
        else:
            await at.clock.passes(seconds=20)
        assert (await caller.end())[0] == (1008 if breaks else 1000)
    assert "The disk is full" in caplog.text
    await at.clock.passes(seconds=STORED_AGAIN_AFTER_SECONDS[0])
    with anyio.fail_after(60):
        while "is still not stored" not in caplog.text:
            await anyio.lowlevel.checkpoint()
    for change in ("UPDATE", "DELETE"):
        await database.write(lambda db, change=change: db.execute(text(f"DROP TRIGGER no_{change}")))
    await at.clock.passes(seconds=STORED_AGAIN_AFTER_SECONDS[1])
    kept = await at.conversation(id, until="failed" if breaks else "done")
    assert (kept["metadata"]["call_duration_secs"], len(kept["transcript"])) == (0 if breaks else 20, 1)
    with anyio.fail_after(60):
        while await live(at.app):
            await anyio.lowlevel.checkpoint()


def grep(folder: Path, wanted: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and wanted in file.read_bytes()]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_conversation_that_is_to_stay_for_no_day_goes_with_its_end(at: Stage, fails: bool) -> None:
    ada = await at.agent(platform_settings={"privacy": {"retention_days": 0}})
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await at.conversation(id, until="in-progress")
        if fails:
            await caller.socket.send_text("no JSON")
            await caller.refusal()
    with anyio.fail_after(60):
        while await live(at.app):
            await anyio.lowlevel.checkpoint()
    assert (await at.http.get(f"/v1/convai/conversations/{id}")).status_code == 404


async def test_a_conversation_that_is_deleted_while_it_is_held_stays_deleted(at: Stage) -> None:
    async with at.connected(await at.agent()) as caller:
        id = await caller.begun()
        await caller.answer()
        assert (await at.http.delete(f"/v1/convai/conversations/{id}")).status_code == 200
        await caller.say("Hi")
        assert await caller.answer() == "You said Hi."
    with anyio.fail_after(60):
        while await live(at.app):
            await anyio.lowlevel.checkpoint()
    assert (await at.http.get(f"/v1/convai/conversations/{id}")).status_code == 404


async def test_a_hundred_conversations_at_once_know_nothing_of_each_other(at: Stage) -> None:
    ada = await at.agent({**TEXT, "agent": {"first_message": "Hello {{name}}", "prompt": {"prompt": "For {{name}}"}}})
    ids: dict[str, str] = {}
    all_here = anyio.Event()

    def reply(request: JSON) -> Say:
        system, *said = [str(message["content"]) for message in request["messages"]]
        return Say(f"{system.split()[1]} said {' and '.join(said[1::2])}.")

    at.llm.reply = judged(reply)

    async def talk(name: str) -> None:
        async with at.connected(ada, key=None, dynamic_variables={"name": name}) as caller:
            ids[name] = await caller.begun()
            assert await caller.answer() == f"Hello {name}"
            if len(ids) == 100:
                all_here.set()
            await all_here.wait()
            for number in range(3):
                await caller.say(f"{name}-{number}")
                heard = " and ".join(f"{name}-{each}" for each in range(number + 1))
                assert await caller.answer() == f"{name} said {heard}."

    with anyio.fail_after(300):
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(talk, f"u{number}")
        assert len(set(ids.values())) == 100
        for name in ("u0", "u50", "u99"):
            kept = await at.conversation(ids[name])
            assert all(name in turn["message"] for turn in kept["transcript"])
            assert len(kept["transcript"]) == 7


@contextmanager
def engine_process(home: Path, llm: str, **more: str) -> Generator[tuple[str, subprocess.Popen[str]]]:
    env = {
        "CALLWRIGHT_HOME": str(home), "CALLWRIGHT_ENGINE_API_KEY": KEY, "CALLWRIGHT_LLM_BASE_URL": llm,
        "CALLWRIGHT_LLM_MODEL": "m", "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "error",
        **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "callwright", "engine", "--port", "0"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said + process.stderr.read()
            yield found[0], process
        finally:
            process.kill()
            rest = process.stderr.read()
    assert "Traceback" not in rest, rest


async def test_a_process_that_is_killed_in_the_middle_of_a_turn_loses_nothing_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    def reply(request: JSON) -> Reply:
        return Say("I think", stalls=True) if request["messages"][-1]["content"] == "Think" else echo(request)

    id = ""
    async with peer(judged(reply)) as llm:
        with engine_process(tmp_path, llm.base_url) as (url, process):
            async with http_client(url) as http:
                ada = await Served(url, http).agent(TEXT)
                try:
                    async with Served(url, http).connected(ada) as caller:
                        id = await caller.begun()
                        await caller.answer()
                        await caller.say("Hi")
                        await caller.answer()
                        await caller.say("Think")
                        await caller.until("agent_chat_response_part")
                        process.kill()
                        await anyio.to_thread.run_sync(process.wait)
                        await caller.next()
                except* WebSocketNetworkError:
                    pass
        with engine_process(tmp_path, llm.base_url) as (url, _):
            async with http_client(url) as http:
                kept = await Served(url, http).conversation(id, until="failed")
    assert [turn["message"] for turn in kept["transcript"]] == [
        "Hello! How can I help you today?", "Hi", "You said Hi.", "Think",
    ]  # fmt: skip
    assert kept["metadata"]["termination_reason"] == STOPPED
    assert kept["metadata"]["error"] == {"code": 1011, "reason": STOPPED}
    assert kept["analysis"]["transcript_summary"] == STOPPED


async def test_a_process_that_is_killed_while_a_webhook_runs_leaves_the_call_without_a_result(tmp_path: Path) -> None:
    called, gives_up = anyio.Event(), anyio.Event()

    async def never_answers(_: SocketStream) -> None:
        called.set()
        await gives_up.wait()

    id = ""
    async with tcp_peer(never_answers) as crm, peer(judged(lambda _: Say(calls=(Call("crm"),)))) as llm:
        with engine_process(tmp_path, llm.base_url, CALLWRIGHT_ALLOW_PRIVATE="127.0.0.1") as (url, process):
            async with http_client(url) as http:
                tool: JSON = {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": {"url": crm}}
                ada = await Served(url, http).agent({"agent": {"prompt": {"tools": [tool]}}})
                try:
                    async with Served(url, http).connected(ada) as caller:
                        id = await caller.begun()
                        await caller.answer()
                        await caller.say("Who am I?")
                        await called.wait()
                        process.kill()
                        await anyio.to_thread.run_sync(process.wait)
                        await caller.next()
                except* WebSocketNetworkError:
                    pass
        gives_up.set()
        with engine_process(tmp_path, llm.base_url) as (url, _):
            async with http_client(url) as http:
                kept = await Served(url, http).conversation(id, until="failed")
    assert [turn["message"] for turn in kept["transcript"]] == ["Hello! How can I help you today?", "Who am I?", None]
    assert [call["tool_name"] for call in kept["transcript"][-1]["tool_calls"]] == ["crm"]
    assert not any(turn["tool_results"] for turn in kept["transcript"])
    assert kept["metadata"]["termination_reason"] == STOPPED


async def test_a_process_that_is_killed_while_it_judges_loses_the_judgement_alone(tmp_path: Path) -> None:
    def reply(request: JSON) -> Reply:
        return Say("{", stalls=True) if "review conversations" in request["messages"][0]["content"] else echo(request)

    async with peer(reply) as llm:
        with engine_process(tmp_path, llm.base_url) as (url, process):
            async with http_client(url) as http:
                async with Served(url, http).connected(await Served(url, http).agent()) as caller:
                    id = await caller.begun()
                    await caller.answer()
                    await caller.say("Hi")
                    await caller.answer()
                await llm.stalled.wait()
                process.kill()
                await anyio.to_thread.run_sync(process.wait)
        with engine_process(tmp_path, llm.base_url) as (url, _):
            async with http_client(url) as http:
                kept = await Served(url, http).conversation(id)
    assert [turn["message"] for turn in kept["transcript"]][1:] == ["Hi", "You said Hi."]
    assert kept["metadata"]["termination_reason"] == "The client ended the conversation."
    assert (kept["metadata"]["error"], kept["analysis"]["transcript_summary"]) == (None, NOT_FINISHED)


async def test_a_server_that_stops_says_so_to_the_client_and_in_the_record(tmp_path: Path) -> None:
    async with peer(judged(echo)) as llm:
        with engine_process(tmp_path, llm.base_url) as (url, process):
            async with http_client(url) as http:
                ada = await Served(url, http).agent(TEXT)
                async with Served(url, http).connected(ada) as caller:
                    id = await caller.begun()
                    await caller.answer()
                    process.terminate()
                    assert (await caller.end())[0] == 1012
                await anyio.to_thread.run_sync(process.wait)
        with engine_process(tmp_path, llm.base_url) as (url, _):
            async with http_client(url) as http:
                kept = await Served(url, http).conversation(id, until="failed")
    assert (kept["metadata"]["termination_reason"], len(kept["transcript"])) == (STOPPED, 1)


async def another_process(at: Stage) -> Engine:
    engine = Engine(await at.app.database(), Vault(b"k" * 32), Models({}), clock=at.clock)
    return replace(engine, holder="another-machine/1/00000000")


async def test_a_process_that_renews_its_lease_is_left_alone_and_one_that_does_not_is_closed(at: Stage) -> None:
    other = await another_process(at)
    ada = await at.agent()
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        for _ in range(5):
            await at.clock.passes(seconds=8)
            with anyio.fail_after(60):
                while await lease_left(at) < LEASE_MS:
                    await anyio.lowlevel.checkpoint()
            await sweep(other)
        assert (await at.conversation(id, until="in-progress"))["transcript"]
        at.clock.ms += LEASE_MS  # nobody is woken: the process stands still
        await sweep(other)
        kept = await at.conversation(id, until="failed")
        await caller.say("Hi")
        error, (code, _) = await caller.refusal()
        assert (error["message"], code) == (STOPPED, 1011)
    assert kept["metadata"]["termination_reason"] == STOPPED
    assert await at.conversation(id, until="failed") == kept
    assert await live(at.app) == 0
    await other.aclose()


async def test_what_a_process_held_whose_number_is_now_ours_is_closed_at_once(at: Stage) -> None:
    """As in a container that was started again: the first process has the same number each time."""
    host, pid, _ = process_name().rsplit("/", 2)
    later = replace(await another_process(at), holder=f"{host}/{pid}/00000000")
    async with at.connected(await at.agent()) as caller:
        id = await caller.begun()
        await sweep(later)
        assert (await at.conversation(id, until="failed"))["metadata"]["termination_reason"] == STOPPED
    await later.aclose()


async def lease_left(at: Stage) -> int:
    database = await at.app.database()
    [lease] = await database.read(lambda db: db.execute(select(live_holder.c.lease_ms)).scalars().all())
    return lease - at.clock.ms
