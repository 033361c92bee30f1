"""What goes over the line while a conversation is held: interruptions, tools, notes, feedback, and frames that are wrong."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.engine.live.text_medium import FRAMES_AT_ONCE
from tests.dialogue.llm_peer import JSON, Call, Fault, Reply, Say

from .talking import ALL_EVENTS, Stage, echo, judged, stage

pytestmark = pytest.mark.anyio

EVENTS: JSON = {"conversation": {"client_events": ALL_EVENTS}}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


def plays(at: Stage, reply: Callable[[JSON], Reply]) -> None:
    at.llm.reply = judged(reply)


def said(kept: JSON) -> list[str]:
    return [f"{turn['role']}: {turn['message']}" for turn in kept["transcript"] if turn["message"]]


def last(request: JSON) -> str:
    return request["messages"][-1]["content"]


# Interruption


def long(request: JSON) -> Say:
    return Say("Once upon a time", stalls=True) if "story" in last(request) else Say("As you like.")


async def test_a_user_who_speaks_over_the_agent_is_answered_and_the_rest_is_never_said(at: Stage) -> None:
    plays(at, long)
    async with at.connected(await at.agent(EVENTS)) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("A story, please")
        while (await caller.until("agent_chat_response_part"))["text_response_part"]["text"] != " time":
            pass
        heard = len(caller.seen)
        await caller.say("Stop")
        assert await caller.answer() == "As you like."
        assert caller.seen[heard : heard + 3] == snapshot(
            [
                {"type": "agent_chat_response_part", "text_response_part": {"text": "", "type": "stop", "event_id": 2}},
                {"type": "interruption", "interruption_event": {"event_id": 2, "reason": "user_message"}},
                {
                    "type": "agent_response_correction",
                    "agent_response_correction_event": {
                        "original_agent_response": "Once upon a time",
                        "corrected_agent_response": "Once upon a time",
                        "event_id": 2,
                    },
                },
            ]
        )
    await at.llm.hung_up.wait()
    kept = await at.conversation(id)
    assert said(kept)[1:] == ["user: A story, please", "agent: Once upon a time", "user: Stop", "agent: As you like."]
    cut = kept["transcript"][2]
    assert (cut["interrupted"], cut["original_message"]) == (True, "Once upon a time")


async def test_what_the_user_has_not_seen_was_not_said(at: Stage) -> None:
    plays(at, long)
    events = ["interruption", "agent_response", "agent_response_correction"]
    async with at.connected(await at.agent({"conversation": {"client_events": events}})) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("A story, please")
        await at.llm.stalled.wait()
        await caller.say("Stop")
        assert await caller.answer() == "As you like."
    assert [frame["type"] for frame in caller.seen[2:]] == ["interruption", "agent_response"]
    kept = await at.conversation(id)
    assert said(kept)[1:] == ["user: A story, please", "user: Stop", "agent: As you like."]
    cut = kept["transcript"][2]
    assert (cut["message"], cut["interrupted"], cut["original_message"]) == (None, True, "Once upon a time")


async def test_an_agent_that_may_not_be_interrupted_is_heard_out(at: Stage) -> None:
    async with at.connected(await at.agent({"conversation": {"client_events": ["agent_response"]}})) as caller:
        await caller.answer()
        for text in ("one", "two", "three"):
            await caller.say(text)
        assert [await caller.answer() for _ in range(3)] == ["You said one.", "You said two.", "You said three."]


async def test_a_client_that_leaves_in_the_middle_of_an_answer_leaves_what_it_heard(at: Stage) -> None:
    plays(at, long)
    async with at.connected(await at.agent(EVENTS)) as caller:
        id = await caller.begun()
        await caller.say("A story, please")
        await at.llm.stalled.wait()
        while (await caller.until("agent_chat_response_part"))["text_response_part"]["text"] != " time":
            pass
    kept = await at.conversation(id)
    assert said(kept)[-1] == "agent: Once upon a time"
    assert kept["transcript"][-1]["interrupted"]


async def test_tags_of_voices_are_never_shown_while_they_are_spoken(at: Stage) -> None:
    plays(at, lambda _: Say("Hear the pirate: <Pirate>Arr, mate!</Pirate> <b>Nice</b>?"))
    voices = [{"label": "Pirate", "voice_id": "v"}]
    async with at.connected(await at.agent({**EVENTS, "tts": {"supported_voices": voices}})) as caller:
        await caller.answer()
        begun = len(caller.seen)
        await caller.say("Hm")
        whole = await caller.answer()
    shown = [f["text_response_part"]["text"] for f in caller.seen[begun:] if f["type"] == "agent_chat_response_part"]
    assert "".join(shown) == whole == "Hear the pirate: Arr, mate! Nice?"


# Tools

ASKS: JSON = {
    "type": "client", "name": "where", "description": "Where?", "expects_response": True, "response_timeout_secs": 5,
    "parameters": {"type": "object", "properties": {"precise": {"type": "boolean", "description": "To the metre."}}},
}  # fmt: skip
TELLS: JSON = {"type": "client", "name": "show", "description": "Shows.", "expects_response": False}
HANG_UP: JSON = {"end_call": {"name": "end_call", "params": {"system_tool_type": "end_call"}}}


def with_tools(*tools: JSON, events: list[str] = ALL_EVENTS) -> JSON:
    return {"conversation": {"client_events": events}, "agent": {"prompt": {"tools": list(tools), "built_in_tools": HANG_UP}}}  # fmt: skip


def calls(name: str, arguments: str = "{}") -> Callable[[JSON], Reply]:
    def reply(request: JSON) -> Reply:
        if request["messages"][-1]["role"] == "tool":
            return Say(f"It says {last(request)}.")
        return Say(calls=(Call(name, arguments),))

    return reply


@pytest.mark.parametrize(
    ("result", "read"), [("Utrecht", "Utrecht"), ({"city": "Utrecht"}, '{"city": "Utrecht"}'), (None, "null")]
)
async def test_a_client_tool_is_run_by_the_client(at: Stage, result: object, read: str) -> None:
    plays(at, calls("where", '{"precise": true}'))
    async with at.connected(await at.agent(with_tools(ASKS))) as caller:
        id = await caller.begun()
        await caller.answer()
        begun = len(caller.seen)
        await caller.say("Where am I?")
        call = (await caller.until("client_tool_call"))["client_tool_call"]
        await caller.send(type="client_tool_result", tool_call_id=call["tool_call_id"], result=result, is_error=False)
        assert await caller.answer() == f"It says {read}."
    tool_id = call["tool_call_id"]
    frames = [f for f in caller.seen[begun:] if f["type"] not in ("agent_chat_response_part", "agent_response")]
    for frame in frames:
        assert frame[frame["type"]].pop("tool_call_id") == tool_id
    assert frames == snapshot(
        [
            {
                "type": "agent_tool_request",
                "agent_tool_request": {"tool_name": "where", "tool_type": "client", "event_id": 1},
            },
            {
                "type": "client_tool_call",
                "client_tool_call": {
                    "tool_name": "where",
                    "parameters": {"precise": True},
                    "event_id": 1,
                    "expects_response": True,
                },
            },
            {
                "type": "agent_tool_response",
                "agent_tool_response": {
                    "tool_name": "where",
                    "tool_type": "client",
                    "event_id": 1,
                    "is_error": False,
                    "is_called": True,
                },
            },
        ]
    )
    kept = await at.conversation(id)
    [tool_result] = kept["transcript"][3]["tool_results"]
    assert (tool_result["result_value"], tool_result["type"], tool_result["request_id"]) == (read, "client", tool_id)


async def test_a_client_that_does_not_answer_is_waited_for_as_long_as_the_tool_says(at: Stage) -> None:
    plays(at, calls("where"))
    async with at.connected(await at.agent(with_tools(ASKS))) as caller:
        await caller.answer()
        await caller.say("Where am I?")
        call = await caller.until("client_tool_call")
        await caller.send(type="client_tool_result", tool_call_id="where_another", result="Mars", is_error=False)
        await at.clock.passes(seconds=5)
        assert await caller.answer() == "It says The client gave no answer within 5 seconds.."
        late = call["client_tool_call"]["tool_call_id"]
        await caller.send(type="client_tool_result", tool_call_id=late, result="Venus", is_error=False)
        await caller.say("Again")
        await caller.until("client_tool_call")


async def test_a_tool_whose_answer_nobody_waits_for_is_taken_to_have_run(at: Stage) -> None:
    plays(at, calls("show"))
    async with at.connected(await at.agent(with_tools(TELLS))) as caller:
        await caller.answer()
        await caller.say("Show me")
        assert (await caller.until("client_tool_call"))["client_tool_call"]["expects_response"] is False
        assert "not waited for" in await caller.answer()


async def test_a_client_that_sees_no_tool_calls_is_not_waited_for(at: Stage) -> None:
    plays(at, calls("where"))
    async with at.connected(await at.agent(with_tools(ASKS, events=["agent_response"]))) as caller:
        await caller.answer()
        await caller.say("Where am I?")
        assert "client_tool_call is not among the agent's client_events" in await caller.answer()
    assert {frame["type"] for frame in caller.seen} == {"conversation_initiation_metadata", "agent_response"}


@pytest.mark.parametrize(
    ("mocking", "answer"),
    [
        ({"mocking_strategy": "all"}, "It says Tool Called.."),
        ({"mocking_strategy": "selected", "mocked_tool_names": ["where"]}, "It says Tool Called.."),
        (
            {"mocking_strategy": "selected", "mocked_tool_names": ["other"], "fallback_strategy": "raise_error"},
            "It says This tool is not mocked, and no other is called here..",
        ),
        ({"mocking_strategy": "selected", "mocked_tool_names": ["other"]}, "It says Mars."),
    ],
)
async def test_tools_may_be_mocked_for_one_conversation(at: Stage, mocking: JSON, answer: str) -> None:
    plays(at, calls("where"))
    async with at.connected(await at.agent(with_tools(ASKS)), tool_mock_config=mocking) as caller:
        await caller.answer()
        await caller.say("Where am I?")
        if "Mars" in answer:
            call = (await caller.until("client_tool_call"))["client_tool_call"]
            await caller.send(type="client_tool_result", tool_call_id=call["tool_call_id"], result="Mars")
        assert await caller.answer() == answer


async def test_the_agent_ends_the_conversation(at: Stage) -> None:
    plays(at, lambda _: Say(calls=(Call("end_call", '{"reason": "all done", "message": "Goodbye!"}'),)))
    async with at.connected(await at.agent(with_tools())) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("Thanks")
        assert await caller.answer() == "Goodbye!"
        assert await caller.end() == (1000, "The agent ended the conversation: all done")
    kept = await at.conversation(id)
    assert kept["metadata"]["termination_reason"] == "The agent ended the conversation: all done"
    assert [frame["type"] for frame in caller.seen][-6:] == snapshot(
        [
            "agent_tool_request",
            "agent_tool_response",
            "agent_chat_response_part",
            "agent_chat_response_part",
            "agent_chat_response_part",
            "agent_response",
        ]
    )


# What the client lets the agent know


async def test_a_note_is_known_from_then_on_and_the_last_of_each_id_counts(at: Stage) -> None:
    async with at.connected(await at.agent(EVENTS)) as caller:
        id = await caller.begun()
        await caller.answer()
        seen = len(caller.seen)
        await caller.send(type="contextual_update", text="On page one", context_id="page")
        await caller.send(type="contextual_update", text="Has a cart")
        await caller.send(type="contextual_update", text="On page two", context_id="page")
        await caller.say("Hi")
        assert await caller.answer() == "You said Hi."
        assert {f["type"] for f in caller.seen[seen:]} == {"agent_chat_response_part", "agent_response"}
    told = [m for m in at.llm.requests[0]["messages"] if m["role"] == "tool"]
    assert [message["content"] for message in told] == ["Has a cart", "On page two"]
    kept = await at.conversation(id)
    notes = [result["result_value"] for turn in kept["transcript"] for result in turn["tool_results"]]
    assert notes == ["On page one", "Has a cart", "On page two"]


async def test_feedback_stands_at_the_answer_and_may_be_taken_back(at: Stage) -> None:
    async with at.connected(await at.agent(EVENTS)) as caller:
        id = await caller.begun()
        first = (await caller.until("agent_response"))["agent_response_event"]["event_id"]
        await caller.say("Hi")
        second = (await caller.until("agent_response"))["agent_response_event"]["event_id"]
        for event, score in ((first, "like"), (second, "dislike"), (first, None), (99, "like"), (first, "like")):
            await caller.send(type="feedback", event_id=event, score=score)
        await caller.say("Bye")
        await caller.answer()
        body = {"feedback": "like"}
        assert (await at.http.post(f"/v1/convai/conversations/{id}/feedback", json=body)).status_code == 200
        await caller.send(type="feedback", event_id=second, score=None)
    kept = await at.conversation(id)
    scores = [turn["feedback"] and turn["feedback"]["score"] for turn in kept["transcript"]]
    assert scores == ["like", None, None, None, None]
    assert kept["metadata"]["feedback"] == {"overall_score": None, "likes": 2, "dislikes": 0}


# Frames


async def test_frames_that_mean_nothing_here_are_passed_over(at: Stage) -> None:
    async with at.connected(await at.agent()) as caller:
        await caller.answer()
        for frame in ({"type": "from_the_future"}, {}, {"user_audio_chunk": "AAAA"}, {"type": "pong", "event_id": 7},
                      {"type": "user_message"}, {"type": "user_message", "text": "  "}, {"type": "user_activity"},
                      {"type": "mcp_tool_approval_result", "tool_call_id": "x", "is_approved": True},
                      {"type": "conversation_initiation_client_data"}):  # fmt: skip
            await caller.send(**frame)
        await caller.send(type="multimodal_message", text={"type": "user_message", "text": "Hi"})
        assert await caller.answer() == "You said Hi."


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("no JSON", "A frame is a JSON object"),
        ("[1]", "A frame is a JSON object."),
        ('{"type": "user_message", "text": 7}', "user_message: text: Input should be a valid string"),
        ('{"type": "feedback"}', "feedback: event_id: Field required"),
        ('{"type": "user_message", "text": "a\\u0000"}', "text has no NUL"),
        ('{"type": "user_message", "text": "' + "a" * 100_001 + '"}', "at most 100000 characters"),
    ],
    ids=["text", "list", "type", "missing", "nul", "long"],
)
async def test_a_frame_that_cannot_be_read_ends_the_conversation_with_the_reason(
    at: Stage, raw: str, words: str
) -> None:
    async with at.connected(await at.agent()) as caller:
        id = await caller.begun()
        await caller.socket.send_text(raw)
        error, (code, _) = await caller.refusal()
    assert (error["code"], error["error_type"], code) == (1008, "invalid_message", 1008)
    assert words in error["message"]
    kept = await at.conversation(id, until="failed")
    assert kept["metadata"]["error"] == {"code": 1008, "reason": error["message"]}
    assert kept["analysis"]["call_successful"] == "unknown"


async def test_a_frame_of_a_megabyte_is_not_read(at: Stage) -> None:
    async with at.connected(await at.agent()) as caller:
        await caller.answer()
        await caller.send(type="user_activity", padding="a" * 1024 * 1024)
        error, _ = await caller.refusal()
        assert "1,048,576 bytes" in error["message"]


async def test_a_client_that_sends_without_end_is_cut_off(at: Stage) -> None:
    async with at.connected(await at.agent()) as caller:
        await caller.answer()
        for _ in range(int(FRAMES_AT_ONCE) + 1):
            await caller.send(type="user_activity")
        error, _ = await caller.refusal()
        assert "Too many frames" in error["message"]


@pytest.mark.parametrize(
    ("reply", "heard"), [(Fault(401), None), (Say("I was about to", error={"message": "lost"}), "I was about to")]
)
async def test_a_model_that_fails_ends_the_conversation(at: Stage, reply: Any, heard: str | None) -> None:
    async with at.connected(await at.agent()) as caller:
        id = await caller.begun()
        await caller.answer()
        plays(at, lambda _: reply)
        await caller.say("Hi")
        if heard:
            assert await caller.answer() == heard
        error, (code, _) = await caller.refusal()
    assert (error["code"], error["error_type"], code) == (1002, "llm_error", 1002)
    kept = await at.conversation(id, until="failed")
    assert said(kept)[1:] == ["user: Hi", *([f"agent: {heard}"] if heard else [])]
    assert kept["metadata"]["error"] == {"code": 1002, "reason": error["message"]}
    assert "broke off" in kept["analysis"]["transcript_summary"]


async def test_only_the_events_that_the_agent_names_are_sent(at: Stage) -> None:
    async with at.connected(await at.agent({"conversation": {"client_events": ["ping"]}})) as caller:
        await caller.begun()
        await caller.say("Hi")
        await at.clock.passes(seconds=5)
        await caller.until("ping")
    assert [frame["type"] for frame in caller.seen] == ["conversation_initiation_metadata", "ping"]
