"""What becomes of a conversation after its last word."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import select

from callwright.engine.http.app import build_app, key_holder
from callwright.engine.models.routing import models_of
from callwright.engine.runtime import Engine
from callwright.engine.schema.tables import conversation
from callwright.engine.store.vault import Vault
from callwright.engine.unit import Unit
from tests.dialogue.llm_peer import JSON, Say
from tests.peers import serving

from .talking import KEY, Stage, echo, http_client, judged, stage

pytestmark = pytest.mark.anyio

POLITE: JSON = {"id": "polite", "name": "Polite", "type": "prompt", "conversation_goal_prompt": "Was polite."}
CRITERIA: JSON = {"evaluation": {"criteria": [POLITE]}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo), with_model=False, allow_private=("127.0.0.1",)) as at:
        yield at


async def test_an_endpoint_of_the_agents_own_is_told_whose_conversation_it_judges(at: Stage) -> None:
    own = {"url": at.llm.base_url, "request_headers": {"x-tenant": {"variable_name": "tenant"}}}
    ada = await at.agent(
        {"agent": {"prompt": {"llm": "custom-llm", "custom_llm": own}}},
        platform_settings={**CRITERIA, "overrides": {"custom_llm_extra_body": True}},
    )
    told: JSON = {"dynamic_variables": {"tenant": "north"}, "user_id": "u-7", "custom_llm_extra_body": {"shard": 3}}
    async with at.connected(ada, **told) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Hello")
        await caller.answer()
    analysis = (await at.conversation(id))["analysis"]
    assert analysis["evaluation_criteria_results"]["polite"] == {
        "criteria_id": "polite", "result": "success", "rationale": "It was.",
    }  # fmt: skip
    assert len(at.llm.requests) == 3  # the answer, the criterion and the summary
    assert [headers["x-tenant"] for headers in at.llm.headers] == ["north"] * 3
    assert all(body["user_id"] == "u-7" for body in at.llm.requests)
    assert all(body["elevenlabs_extra_body"] == {"shard": 3} for body in at.llm.requests)


@pytest.mark.parametrize("events", [["agent_response"], ["agent_response", "agent_typing"], ["interruption"]])
async def test_what_was_said_to_an_agent_at_work_is_kept_when_the_user_leaves(
    tmp_path: Path, events: list[str]
) -> None:
    async with stage(tmp_path, judged(lambda _: Say("Let me think", stalls=True))) as at:
        async with at.connected(await at.agent({"conversation": {"client_events": events}})) as caller:
            id = await caller.begun()
            await caller.say("My order is late.")
            await at.llm.stalled.wait()
            await caller.say("It has the number 4711.")
            await caller.say("Call me back.")
        kept = await at.conversation(id)
    said = [turn["message"] for turn in kept["transcript"] if turn["role"] == "user"]
    assert said == ["My order is late.", "It has the number 4711.", "Call me back."]
    assert kept["metadata"]["termination_reason"] == "The client ended the conversation."


async def test_everything_that_was_said_in_one_breath_is_kept(at: Stage) -> None:
    words = [f"Word {number}" for number in range(5)]
    async with at.connected(await at.agent()) as caller:
        id = await caller.begun()
        for word in words:
            await caller.say(word)
    kept = await at.conversation(id)
    assert [turn["message"] for turn in kept["transcript"] if turn["role"] == "user"] == words


@dataclass
class Listener:
    """Whoever waits for conversations that are over."""

    fails: bool = False
    got: list[JSON] = field(default_factory=list[JSON])
    stored: list[bool] = field(default_factory=list[bool])
    """Whether each was still stored when it came."""
    came: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, unit: Unit, document: JSON) -> None:
        id = document["conversation_id"]
        mine = select(conversation.c.id).where(conversation.c.id == id)
        self.stored.append(await unit.read(lambda tx: tx.db.execute(mine).scalar_one_or_none()) is not None)
        self.got.append(document)
        self.came.set()
        if self.fails:
            raise RuntimeError("Nobody can be reached.")


@asynccontextmanager
async def heard_by(listener: Listener, home: Path) -> AsyncGenerator[Stage]:
    async with stage(home, judged(echo)) as at:
        vault, models = Vault(b"k" * 32), models_of(at.app.settings)
        engine = Engine(await at.app.database(), vault, models, sleep=at.clock.sleep, on_finished=listener)
        async with serving(build_app(engine, key_holder(KEY)), ws="wsproto") as url, http_client(url) as http:
            yield replace(at, url=url, http=http)
        await engine.aclose()
        await models.aclose()


async def talked(at: Stage, listener: Listener, *, breaks: bool = False, **privacy: object) -> str:
    """A short conversation, of which the listener has heard; and its id."""
    ada = await at.agent(platform_settings={**CRITERIA, "privacy": privacy})
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Hello")
        await caller.answer()
        if breaks:
            await caller.socket.send_text("no JSON")
            await caller.refusal()
    with anyio.fail_after(60):
        await listener.came.wait()
    return id


async def test_a_conversation_is_handed_on_whole_once_it_is_analysed(tmp_path: Path) -> None:
    listener = Listener()
    async with heard_by(listener, tmp_path) as at:
        kept = await at.conversation(await talked(at, listener))
    assert listener.stored == [True]
    [document] = listener.got
    assert (document["status"], document["analysis"]["call_successful"]) == ("done", "success")
    assert {key: kept[key] for key in document} == document


async def test_what_is_deleted_with_its_end_is_handed_on_before(tmp_path: Path) -> None:
    listener = Listener()
    async with heard_by(listener, tmp_path) as at:
        id = await talked(at, listener, retention_days=0)
        with anyio.fail_after(60):
            while (await at.http.get(f"/v1/convai/conversations/{id}")).status_code != 404:
                await anyio.lowlevel.checkpoint()
    assert (listener.stored, [document["conversation_id"] for document in listener.got]) == ([True], [id])


async def test_with_zero_retention_the_analysis_is_handed_on_and_kept_nowhere(tmp_path: Path) -> None:
    listener = Listener()
    async with heard_by(listener, tmp_path) as at:
        id = await talked(at, listener, zero_retention_mode=True)
        assert (await at.http.get(f"/v1/convai/conversations/{id}")).status_code == 404
    [document] = listener.got
    assert listener.stored == [False]
    assert [turn["message"] for turn in document["transcript"]][1:] == ["Hello", "You said Hello."]
    assert document["analysis"]["evaluation_criteria_results"]["polite"]["result"] == "success"


async def test_a_conversation_that_broke_off_is_handed_on_too(tmp_path: Path) -> None:
    listener = Listener()
    async with heard_by(listener, tmp_path) as at:
        kept = await at.conversation(await talked(at, listener, breaks=True), until="failed")
    assert [{key: kept[key] for key in document} for document in listener.got] == listener.got


async def test_a_listener_that_fails_loses_no_conversation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener(fails=True)
    async with heard_by(listener, tmp_path) as at:
        kept = await at.conversation(await talked(at, listener))
    assert kept["analysis"]["call_successful"] == "success"
    assert "Nobody can be reached." in caplog.text
