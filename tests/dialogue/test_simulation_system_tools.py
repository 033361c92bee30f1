"""What the platform's own tools and voices do to a rehearsal."""

import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot

from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.simulated_user import STOP

from .conftest import Connect
from .llm_peer import JSON, Call, Fault, Say, peer
from .rehearsals import brief, parts, rehearsal, rehearse, role

pytestmark = pytest.mark.anyio


async def test_a_system_tool_switches_language_only_to_a_configured_one(connect: Connect) -> None:
    prompt = {"prompt": "P", "built_in_tools": {"language_detection": {"name": "language_detection"}}}
    agent = read_agent("a", {"agent": {"prompt": prompt}, "language_presets": {"nl": {"overrides": {}}}})

    def speak(request: JSON) -> Say:
        results = [m["content"] for m in request["messages"] if m["role"] == "tool"]
        wanted = ["xx", "nl"][len(results)] if len(results) < 2 else None
        return (
            Say(calls=(Call("language_detection", f'{{"reason": "r", "language": "{wanted}"}}'),))
            if wanted
            else Say("Ja.")
        )

    async with peer(parts(speak, f"Spreek Nederlands. {STOP}")) as at:
        done = await rehearse(rehearsal(agent=agent), connect(at))
    results = [one["tool_results"][0] for one in done.transcript if one["tool_results"]]
    assert [(r["result_value"], r["is_error"], r["result"]) for r in results] == snapshot(
        [
            ("The language 'xx' is not configured. Languages: en, nl.", True, None),
            (
                '{"result_type": "language_detection_success", "status": "success", "reason": "r", "language": "nl"}',
                False,
                {"result_type": "language_detection_success", "status": "success", "reason": "r", "language": "nl"},
            ),
        ]
    )
    assert "code nl" in [r for r in at.requests if role(r) == "agent"][-1]["messages"][0]["content"]


async def test_a_transfer_is_recorded_and_ends_the_rehearsal(connect: Connect) -> None:
    transfers = [{"agent_id": "agent_2", "condition": "Billing", "transfer_message": "One moment."}]
    tool = {"name": "transfer_to_agent", "params": {"system_tool_type": "transfer_to_agent", "transfers": transfers}}
    agent = read_agent("a", {"agent": {"prompt": {"prompt": "P", "built_in_tools": {"transfer_to_agent": tool}}}})

    def speak(request: JSON) -> Say:
        wrong = request["messages"][-1]["role"] != "tool"
        return Say(calls=(Call("transfer_to_agent", f'{{"agent_number": {7 if wrong else 0}}}'),))

    async with peer(parts(speak, "Billing please.")) as at:
        done = await rehearse(rehearsal(agent=agent), connect(at))
    assert brief(done.transcript) == snapshot(
        [
            "user: Billing please.",
            "agent calls ['transfer_to_agent']",
            "results ['There is no transfer number 7; numbers go from 0 to 0.']",
            "agent calls ['transfer_to_agent']",
            'results [\'{"result_type": "transfer_to_agent_success", "status": "success", "from_agent": "a", "to_agent": "agent_2", "condition": "Billing", "delay_ms": 0, "transfer_message": "One moment.", "enable_transferred_agent_first_message": false}\']',
            "agent: One moment.",
        ]
    )
    assert done.ended == "The conversation was handed over to the agent agent_2."


async def test_a_skipped_turn_leaves_the_word_to_the_user(connect: Connect) -> None:
    agent = read_agent("a", {"agent": {"prompt": {"prompt": "P", "tools": [{"type": "system", "name": "skip_turn"}]}}})

    def speak(request: JSON) -> Say:
        wait = request["messages"][-1]["content"] == "Wait."
        return Say(calls=(Call("skip_turn"),)) if wait else Say("Go on.")

    async with peer(parts(speak, "Wait.", f"Now. {STOP}")) as at:
        done = await rehearse(rehearsal(agent=agent), connect(at))
    assert brief(done.transcript) == snapshot(
        [
            "user: Wait.",
            "agent calls ['skip_turn']",
            'results [\'{"result_type": "skip_turn_success", "status": "success", "reason": null}\']',
            "user: Now.",
            "agent: Go on.",
        ]
    )


async def test_a_judge_that_is_down_leaves_everything_unknown(connect: Connect) -> None:
    async with peer(parts(lambda _: Say("Aha."), STOP, judge=lambda _: Fault(503))) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert done.analysis["call_successful"] == "unknown"
    rationales = [r["rationale"] for r in done.analysis["evaluation_criteria_results"].values()]
    assert rationales == [IsStr(regex="Not judged: .* answered 503 .*")] * 2
    assert done.analysis["data_collection_results"]["shop"]["value"] == "Northshore"


async def test_voices_are_recorded_in_parts_and_the_model_sees_its_tags_again(connect: Connect) -> None:
    voices = {"supported_voices": [{"label": "Joe", "voice_id": "v", "description": "A sailor"}]}
    agent = read_agent("a", {"agent": {"prompt": {"prompt": "P"}}, "tts": voices})
    async with peer(parts(lambda _: Say("He says: <Joe>Ahoy!</Joe>"), "Who is it?", f"Ah. {STOP}")) as at:
        done = await rehearse(rehearsal(agent=agent), connect(at))
    assert (done.transcript[1]["message"], done.transcript[1]["multivoice_message"]) == snapshot(
        (
            "He says: Ahoy!",
            {
                "parts": [
                    {"text": "He says: ", "voice_label": None, "time_in_call_secs": 0},
                    {"text": "Ahoy!", "voice_label": "Joe", "time_in_call_secs": 0},
                ]
            },
        )
    )
    asked = [r["messages"] for r in at.requests if role(r) == "agent"]
    assert "- Joe: A sailor" in asked[0][0]["content"]
    assert asked[1][2]["content"] == "He says: <Joe>Ahoy!</Joe>"
