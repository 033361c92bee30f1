"""The turns of a conversation that is being held: stored one by one, and read as one record."""

from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from callwright.engine.live.leases import LEASE_MS, sweep
from callwright.engine.schema.live import live_turn
from tests.dialogue.llm_peer import JSON, Say

from .talking import Caller, Stage, echo, judged, stage
from .test_recorder import another_process

pytestmark = pytest.mark.anyio

TEXT: JSON = {"conversation": {"text_only": True}}
PROMPT: JSON = {**TEXT, "agent": {"first_message": "", "prompt": {"prompt": "Be brief."}}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


async def talk(caller: Caller, text: str) -> None:
    await caller.say(text)
    assert await caller.answer() == f"You said {text}."


async def kept_apart(at: Stage) -> int:
    """Turns that are not in their conversation's record yet."""
    database = await at.app.database()
    return await database.read(lambda db: db.execute(select(func.count()).select_from(live_turn)).scalar_one())


@contextmanager
def written() -> Generator[list[tuple[str, int]]]:
    """Each statement meanwhile, with the size of its values in characters."""
    seen: list[tuple[str, int]] = []

    def note(_db: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, sum(len(str(value)) for value in values or ())))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_turn_costs_the_same_however_long_the_conversation_is(at: Stage) -> None:
    async with at.connected(await at.agent(PROMPT)) as caller:
        await caller.begun()
        for number in range(10, 14):
            await talk(caller, f"Number {number}")
        with written() as early:
            await talk(caller, "Number 14")
        for number in range(15, 60):
            await talk(caller, f"Number {number}")
        with written() as late:
            await talk(caller, "Number 60")
    assert [statement for statement, _ in late] == [statement for statement, _ in early]
    sizes = [sum(size for _, size in each) for each in (early, late)]
    assert sizes[1] - sizes[0] < 40  # a few numbers have a digit more


async def test_what_was_said_a_moment_ago_is_found_and_folded_into_the_record_at_the_end(at: Stage) -> None:
    async with at.connected(await at.agent(PROMPT)) as caller:
        id = await caller.begun()
        await talk(caller, "the Green parrot")
        during = await at.conversation(id, until="in-progress")
        assert await kept_apart(at) == 2
        for wanted, found in (("green PARROT", [id]), ("blue parrot", [])):
            listed = (await at.http.get("/v1/convai/conversations", params={"search": wanted})).json()
            assert [row["conversation_id"] for row in listed["conversations"]] == found
    after = await at.conversation(id)
    assert await kept_apart(at) == 0
    assert after["transcript"] == during["transcript"]
    assert after["metadata"]["charging"] == during["metadata"]["charging"]
    assert after["metadata"]["features_usage"] == during["metadata"]["features_usage"]
    listed = (await at.http.get("/v1/convai/conversations", params={"search": "green parrot"})).json()
    assert [row["conversation_id"] for row in listed["conversations"]] == [id]


async def test_two_conversations_of_one_agent_keep_their_turns_apart(at: Stage) -> None:
    ada = await at.agent(PROMPT)
    async with at.connected(ada) as one, at.connected(ada) as other:
        ids = [await one.begun(), await other.begun()]
        await talk(one, "alpha")
        await talk(other, "beta")
        for id, text in zip(ids, ("alpha", "beta"), strict=True):
            kept = await at.conversation(id, until="in-progress")
            assert [turn["message"] for turn in kept["transcript"]] == [text, f"You said {text}."]


async def test_an_old_answer_that_is_judged_is_stored_so_at_once(at: Stage) -> None:
    async with at.connected(await at.agent(PROMPT)) as caller:
        id = await caller.begun()
        for number in range(3):
            await talk(caller, str(number))
        await caller.send(type="feedback", event_id=1, score="like")
        await caller.send(type="feedback", event_id=2, score="like")
        await caller.send(type="feedback", event_id=2, score="dislike")
        await at.http.post(f"/v1/convai/conversations/{id}/feedback", json={"feedback": "like"})
        await talk(caller, "3")
        during = await at.conversation(id, until="in-progress")
    for kept in (during, await at.conversation(id)):
        scores = [turn["feedback"] and turn["feedback"]["score"] for turn in kept["transcript"]]
        assert scores == [None, "like", None, "dislike", None, None, None, None]
        assert kept["metadata"]["feedback"] == {"overall_score": None, "likes": 2, "dislikes": 1}


async def test_turns_of_a_process_that_is_gone_are_folded_into_the_record(at: Stage) -> None:
    other = await another_process(at)
    async with at.connected(await at.agent(PROMPT)) as caller:
        id = await caller.begun()
        await talk(caller, "Hi")
        at.clock.ms += LEASE_MS
        await sweep(other)
        kept = await at.conversation(id, until="failed")
        assert await kept_apart(at) == 0
        listed = (await at.http.get("/v1/convai/conversations", params={"search": "you said hi"})).json()
        assert [row["message_count"] for row in listed["conversations"]] == [2]
    assert [turn["message"] for turn in kept["transcript"]] == ["Hi", "You said Hi."]
    assert kept["metadata"]["charging"]["llm_usage"]["initiated_generation"]["model_usage"]
    await other.aclose()


async def test_no_turn_of_a_deleted_conversation_stays(at: Stage) -> None:
    async with at.connected(await at.agent(PROMPT)) as caller:
        id = await caller.begun()
        await talk(caller, "Hi")
        assert (await at.http.delete(f"/v1/convai/conversations/{id}")).status_code == 200
        assert await kept_apart(at) == 0
        await talk(caller, "Still there?")
        assert await kept_apart(at) == 0


async def test_with_zero_retention_no_turn_is_stored(at: Stage) -> None:
    ada = await at.agent(PROMPT, platform_settings={"privacy": {"zero_retention_mode": True}})
    async with at.connected(ada) as caller:
        await caller.begun()
        await talk(caller, "Hi")
        assert await kept_apart(at) == 0


async def test_a_turn_tells_how_soon_its_model_spoke(at: Stage) -> None:
    def slow(request: JSON) -> Say:
        at.clock.forward(seconds=0.25)
        return Say("Well, now", stalls=True)

    at.llm.reply = judged(slow)
    async with at.connected(await at.agent(TEXT)) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Hi")
        while (await caller.until("agent_chat_response_part"))["text_response_part"]["text"] != " now":
            pass
        at.clock.forward(seconds=0.5)
        at.llm.go_on.set()
        await caller.answer()
    turns = (await at.conversation(id))["transcript"]
    assert [turn["conversation_turn_metrics"] for turn in turns] == [
        None,
        None,
        {
            "metrics": {
                "convai_llm_service_ttfb": {"elapsed_time": 0.25},
                "convai_llm_service_ttf_sentence": {"elapsed_time": 0.75},
            }
        },
    ]
