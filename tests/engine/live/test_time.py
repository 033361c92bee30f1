"""What happens by itself: the agent speaks to a silent user, and conversations end by the clock."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON, Call, Say

from .acting import obey, speaking, system_tool
from .talking import ALL_EVENTS, Caller, Stage, echo, judged, stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


def quiet(events: list[str] | None = None, **turn: float) -> JSON:
    return {"turn": turn, "conversation": {"client_events": events or ["agent_response"]}}


async def ended(at: Stage, caller: Caller, id: str) -> tuple[tuple[int, str], JSON]:
    end = await caller.end()
    return end, (await at.conversation(id))["metadata"]


async def test_a_silent_user_is_spoken_to_three_times_in_a_row(at: Stage) -> None:
    async with at.connected(await at.agent(quiet(turn_timeout=7))) as caller:
        id = await caller.begun()
        await caller.answer()
        for _ in range(3):
            await at.clock.passes(seconds=7)
            assert await caller.answer() == "You said ...."
        await caller.say("Here I am")
        assert await caller.answer() == "You said Here I am."
        await at.clock.passes(seconds=7)
        assert await caller.answer() == "You said ...."
    kept = await at.conversation(id)
    assert [turn["time_in_call_secs"] for turn in kept["transcript"]] == [0, 7, 7, 14, 14, 21, 21, 21, 21, 28, 28]


async def test_after_three_times_only_the_user_begins_again(at: Stage) -> None:
    async with at.connected(await at.agent(quiet(turn_timeout=7, silence_end_call_timeout=100))) as caller:
        id = await caller.begun()
        await caller.answer()
        for _ in range(3):
            await at.clock.passes(seconds=7)
            await caller.answer()
        await at.clock.passes(seconds=79)
        end, metadata = await ended(at, caller, id)
    assert end == (1000, "The user was silent for too long.")
    assert metadata["call_duration_secs"] == 100
    assert len(at.llm.requests) == 3 + 2  # and the judge


async def test_an_agent_that_skips_its_turn_waits_for_the_user(at: Stage) -> None:
    skip = {"skip_turn": {"name": "skip_turn", "params": {"system_tool_type": "skip_turn"}}}

    def reply(request: JSON) -> Say:
        waits = request["messages"][-1]["content"] == "One moment"
        return Say(calls=(Call("skip_turn"),)) if waits else Say("Fine.")

    at.llm.reply = judged(reply)
    config = quiet(turn_timeout=7, silence_end_call_timeout=30) | {"agent": {"prompt": {"built_in_tools": skip}}}
    async with at.connected(await at.agent(config)) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("One moment")
        await at.clock.passes(seconds=30)
        assert (await ended(at, caller, id))[0][1] == "The user was silent for too long."
    assert [frame["type"] for frame in caller.seen] == ["conversation_initiation_metadata", "agent_response"]


async def test_a_user_who_does_something_is_not_spoken_to(at: Stage) -> None:
    async with at.connected(await at.agent(quiet(["agent_response", "ping"], turn_timeout=8))) as caller:
        await caller.answer()
        await at.clock.passes(seconds=5)
        await caller.until("ping")
        await caller.send(type="user_activity")
        await at.clock.passes(seconds=5)
        assert (await caller.next() or {})["type"] == "ping"  # 10 seconds of silence would have been too long
        await at.clock.passes(seconds=3)
        assert await caller.answer() == "You said ...."


async def test_an_agent_without_a_model_reminds_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path, judged(echo), with_model=False) as at:
        async with at.connected(await at.agent(quiet(turn_timeout=7, silence_end_call_timeout=60))) as caller:
            id = await caller.begun()
            await caller.answer()
            await at.clock.passes(seconds=60)
            await caller.end()
        kept = await at.conversation(id)
    assert len(kept["transcript"]) == 1
    assert "no language model is configured" in kept["analysis"]["transcript_summary"]


async def test_a_conversation_lasts_as_long_as_the_agent_allows(at: Stage) -> None:
    ada = await at.agent({"conversation": {"max_duration_seconds": 20, "client_events": ["agent_response"]}})
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        await at.clock.passes(seconds=7)  # the reminder
        await caller.answer()
        await at.clock.passes(seconds=7)
        await caller.answer()
        await at.clock.passes(seconds=6)
        end, metadata = await ended(at, caller, id)
    assert end == (1000, "The conversation reached its maximum duration.")
    assert (metadata["termination_reason"], metadata["call_duration_secs"]) == (end[1], 20)


async def test_an_answer_that_takes_too_long_ends_with_the_conversation(at: Stage) -> None:
    at.llm.reply = judged(lambda _: Say("Well", stalls=True))
    events = [*ALL_EVENTS, "agent_chat_response_part"]
    ada = await at.agent({"conversation": {"max_duration_seconds": 20, "client_events": events}})
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Hi")
        await at.llm.stalled.wait()
        while (await caller.until("agent_chat_response_part"))["text_response_part"]["text"] != "Well":
            pass
        at.clock.forward(seconds=20)
        assert (await caller.end())[0] == 1000
    assert (await at.conversation(id))["transcript"][-1]["message"] == "Well"
    await at.llm.hung_up.wait()


async def test_a_ping_tells_how_long_the_last_pong_took(at: Stage) -> None:
    async with at.connected(await at.agent(quiet(["ping"], turn_timeout=30))) as caller:
        await at.clock.passes(seconds=5)
        assert (await caller.until("ping"))["ping_event"] == {"event_id": 1, "ping_ms": None}
        at.clock.forward(seconds=0.25)
        await caller.send(type="pong", event_id=1)
        await caller.send(type="pong", event_id=0)
        await at.clock.passes(seconds=4.75)
        assert (await caller.until("ping"))["ping_event"] == {"event_id": 2, "ping_ms": 250}


async def test_who_takes_over_waits_as_long_as_it_is_told_to(at: Stage) -> None:
    at.llm.reply = judged(obey)
    patient = await at.agent(speaking("Bills.") | quiet(turn_timeout=20, silence_end_call_timeout=30))
    rule = {"agent_id": patient, "condition": "When asked"}
    config = speaking("Help.", "en", system_tool("transfer_to_agent", transfers=[rule]))
    async with at.connected(await at.agent(config | quiet(turn_timeout=7, silence_end_call_timeout=10))) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say('call transfer_to_agent {"agent_number": 0}')
        assert await caller.answer() == "Bills."
        await at.clock.passes(seconds=20)
        assert await caller.answer() == "Bills."
        await at.clock.passes(seconds=10)
        end, metadata = await ended(at, caller, id)
    assert (end, metadata["call_duration_secs"]) == ((1000, "The user was silent for too long."), 30)


async def test_a_client_that_only_speaks_is_told_that_nobody_hears_it(tmp_path: Path) -> None:
    async with stage(tmp_path, echo, with_model=False) as at, at.connected(await at.agent(quiet())) as caller:
        id = await caller.begun()
        await caller.answer()
        for _ in range(3):
            await caller.send(user_audio_chunk="AAAA")
            await caller.send(type="pong", event_id=7)  # as the SDKs do by themselves
        await at.clock.passes(seconds=60)
        error, end = await caller.refusal()
        kept = await at.conversation(id, until="failed")
    assert (error["message"], end) == ("text-only local engine", (1008, "text-only local engine"))
    assert kept["metadata"]["error"] == {"code": 1008, "reason": "text-only local engine"}


async def test_a_client_that_has_written_may_speak_as_long_as_it_likes(at: Stage) -> None:
    config = quiet(["agent_response", "ping"], turn_timeout=30, silence_end_call_timeout=-1)
    async with at.connected(await at.agent(config)) as caller:
        await caller.answer()
        await caller.send(user_audio_chunk="AAAA")
        await caller.say("Hello")
        await caller.answer()
        for _ in range(14):
            await caller.send(user_audio_chunk="AAAA")
            await at.clock.passes(seconds=5)
            await caller.until("ping")
        await caller.say("Are you there?")
        while await caller.answer() != "You said Are you there?.":
            pass  # reminders
