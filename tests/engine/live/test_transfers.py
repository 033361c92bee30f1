"""Agents that hand a live conversation over: when, to whom, what they know, and what is recorded of it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from callwright.contract.paths import at as at_path
from callwright.engine.dialogue.tool_calling import MAX_TRANSFERS
from tests.dialogue.llm_peer import JSON, Call, Say

from .acting import obey, speaking, system_tool
from .talking import KEY, Stage, judged, stage

pytestmark = pytest.mark.anyio

TO_FIRST = 'call transfer_to_agent {"agent_number": 0}'
END = 'call end_call {"reason": "done", "message": "Bye."}'
TOO_LATE = "Another call has already ended or handed over the conversation."


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(obey)) as at:
        yield at


def rule(agent_id: str, **more: object) -> JSON:
    return {"agent_id": agent_id, "condition": "When asked", **more}


async def transferring(at: Stage, prompt: str, *rules: JSON, tools: tuple[JSON, ...] = (), **more: JSON) -> str:
    tools = (*tools, system_tool("transfer_to_agent", transfers=list(rules)))
    config = speaking(prompt, "en", *tools, nl={})
    return await at.agent({**config, "agent": config["agent"] | more})


async def results(at: Stage, id: str) -> list[tuple[str, bool, str | None]]:
    """What was called, whether it failed, and the typed result, of a conversation that is over."""
    transcript = (await at.conversation(id))["transcript"]
    told = [result for turn in transcript for result in turn["tool_results"]]
    return [(one["tool_name"], one["is_error"], at_path(one, "result", "result_type")) for one in told]


@pytest.mark.parametrize(
    ("calls", "expected", "ended"),
    [
        ([END, TO_FIRST], [("end_call", False, "end_call_success"), ("transfer_to_agent", True, "transfer_to_agent_error")], "The agent ended the conversation: done"),
        ([TO_FIRST, END], [("transfer_to_agent", False, "transfer_to_agent_success"), ("end_call", True, None)], "The client ended the conversation."),
        ([TO_FIRST, 'call language_detection {"reason": "r", "language": "nl"}'], [("transfer_to_agent", False, "transfer_to_agent_success"), ("language_detection", True, None)], "The client ended the conversation."),
        ([TO_FIRST, 'call skip_turn {"reason": "r"}'], [("transfer_to_agent", False, "transfer_to_agent_success"), ("skip_turn", True, None)], "The client ended the conversation."),
    ],
    ids=["end first", "transfer first", "language", "skip"],
)  # fmt: skip
async def test_of_calls_that_take_the_conversation_away_only_the_first_happens(
    at: Stage, calls: list[str], expected: list[tuple[str, bool, str | None]], ended: str
) -> None:
    bills = await at.agent(speaking("Bills."))
    tools = (system_tool("end_call"), system_tool("language_detection"), system_tool("skip_turn"))
    ada = await transferring(at, "Help.", rule(bills), tools=tools)
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say("\n".join(calls))
        assert await caller.answer() == ("Bye." if calls[0] == END else "Bills.")
    kept = await at.conversation(id)
    assert await results(at, id) == expected
    assert kept["metadata"]["termination_reason"] == ended
    assert kept["metadata"]["features_usage"]["transfer_to_agent"]["used"] is (calls[0] == TO_FIRST)


async def test_a_transfer_is_announced_waits_and_then_greets(at: Stage) -> None:
    bills = await at.agent(speaking("Bills."))
    greets = rule(bills, delay_ms=1000, transfer_message="One moment.", enable_transferred_agent_first_message=True)
    async with at.connected(await transferring(at, "Help.", greets)) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say(TO_FIRST)
        assert await caller.answer() == "One moment."
        live = await at.conversation(id, until="in-progress")
        assert live["transcript"][-1]["message"] == "One moment."
        await at.clock.passes(seconds=1)
        assert await caller.answer() == "Greeting: Bills."
    said = [turn for turn in (await at.conversation(id))["transcript"] if turn["message"]]
    assert [(turn["time_in_call_secs"], turn["message"]) for turn in said][-2:] == [
        (0, "One moment."),
        (1, "Greeting: Bills."),
    ]


async def test_a_conversation_handed_on_twice_in_a_turn_keeps_its_history_and_variables(tmp_path: Path) -> None:
    def reply(request: JSON) -> Say:
        prompt = request["messages"][0]["content"].splitlines()[0]
        return (
            Say(prompt) if prompt.startswith("Last") else Say(calls=(Call("transfer_to_agent", '{"agent_number": 0}'),))
        )

    async with stage(tmp_path, judged(reply)) as at:
        told = "{{name}} at {{system__current_agent_id}}, called {{system__agent_id}}, {{own}}"
        last = speaking(f"Last {told}.")
        last["agent"]["dynamic_variables"] = {"dynamic_variable_placeholders": {"own": "of the last"}}
        third = await at.agent(last)
        second = await transferring(at, "Second.", rule(third))
        first = await transferring(at, "First {{name}}.", rule(second))
        async with at.connected(first, dynamic_variables={"name": "Ada"}) as caller:
            id = await caller.begun()
            await caller.answer()
            await caller.say("My boat is lost.")
            assert await caller.answer() == f"Last Ada at {third}, called {first}, of the last."
        kept = await at.conversation(id)
        heard = at.llm.requests[2]["messages"]
    assert [(m["role"], m.get("content")) for m in heard][1:3] == [
        ("assistant", "Greeting: First Ada."),
        ("user", "My boat is lost."),
    ]
    assert [call["function"]["name"] for m in heard for call in m.get("tool_calls", ())] == ["transfer_to_agent"] * 2
    speakers = [turn["agent_metadata"]["agent_id"] for turn in kept["transcript"] if turn["role"] == "agent"]
    assert list(dict.fromkeys(speakers)) == [first, second, third]
    assert kept["agent_id"] == first


async def test_two_agents_that_hand_over_to_each_other_for_ever_are_stopped_and_somebody_speaks(tmp_path: Path) -> None:
    def reply(request: JSON) -> Say:
        if "tools" not in request:
            return Say("Well, I am " + request["messages"][0]["content"].splitlines()[0])
        return Say(calls=(Call("transfer_to_agent", '{"agent_number": 0}'),))

    async with stage(tmp_path, judged(reply)) as at:
        ada = await transferring(at, "Ada.")
        bob = await transferring(at, "Bob.", rule(ada))
        back = system_tool("transfer_to_agent", transfers=[rule(bob)])
        prompt = {"built_in_tools": {"transfer_to_agent": back}}
        answer = await at.http.patch(
            f"/v1/convai/agents/{ada}", json={"conversation_config": {"agent": {"prompt": prompt}}}
        )
        assert answer.status_code == 200
        async with at.connected(ada) as caller:
            id = await caller.begun()
            await caller.answer()
            await caller.say("Hello?")
            assert await caller.answer() == "Well, I am Bob."
            await caller.say("And again?")
            assert await caller.answer() == "Well, I am Ada."
        happened = [failed for _, failed, _ in await results(at, id)]
    assert happened == ([False] * MAX_TRANSFERS + [True] * (10 - MAX_TRANSFERS)) * 2


async def test_a_transfer_message_is_said_by_the_agent_that_hands_over_with_its_own_variables(at: Stage) -> None:
    bills = await at.agent(speaking("Bills."))
    own = {"dynamic_variable_placeholders": {"desk": "the desk"}}
    ada = await transferring(at, "Help.", rule(bills, transfer_message="To {{desk}}."), dynamic_variables=own)
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say(TO_FIRST)
        assert await caller.answer() == "To the desk."
        assert await caller.answer() == "Bills."
    said = [turn for turn in (await at.conversation(id))["transcript"] if turn["message"]]
    assert [turn["agent_metadata"]["agent_id"] for turn in said[-2:]] == [ada, bills]


async def test_only_who_holds_the_key_may_say_that_a_conversation_is_a_call(at: Stage) -> None:
    desk = {"transfer_destination": {"type": "phone", "phone_number": "+15551234567"}, "condition": "A person"}
    ada = await at.agent(speaking("Help.", "en", system_tool("transfer_to_number", transfers=[desk])))
    call = {"system__caller_id": "+15550000001"}
    async with at.connected(ada, key=None, dynamic_variables=call) as caller:
        error, _ = await caller.refusal()
    assert error["details"]["fields"] == ["dynamic_variables.system__caller_id"]
    for key, type_ in ((KEY, "transfer_to_number_twilio_success"), (None, "transfer_to_number_error")):
        async with at.connected(ada, key=key, dynamic_variables=call if key else {}) as caller:
            id = await caller.begun()
            await caller.answer()
            arguments = '{"transfer_number": "+15551234567", "client_message": "Hold.", "agent_message": "A caller."}'
            await caller.say(f"call transfer_to_number {arguments}")
            assert await caller.answer() == ("Hold." if key else "Help.")
        assert [result for _, _, result in await results(at, id)] == [type_]
