"""Who speaks in a live conversation, and what each of them must know: at nodes, after transfers, in other languages."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON

from .acting import line, obey, speaking, system_tool
from .talking import Stage, judged, stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(obey)) as at:
        yield at


async def assigning(at: Stage, variable: str) -> str:
    """A stored tool whose answer sets a variable."""
    rule = {"source": "response", "dynamic_variable": variable, "value_path": variable}
    config = {"type": "client", "name": "look_up", "description": "Looks it up.", "assignments": [rule]}
    answer = await at.http.post("/v1/convai/tools", json={"tool_config": config})
    return answer.json()["id"]


async def test_variables_of_later_nodes_transfers_and_languages_are_named_before_anything_is_said(at: Stage) -> None:
    bills = await at.agent()
    rule = {"agent_id": bills, "condition": "Bills", "transfer_message": "To {{desk}}."}
    tools = system_tool("language_detection"), system_tool("transfer_to_agent", transfers=[rule])
    config = speaking("Help.", "en", *tools, nl={"prompt": {"prompt": "In {{stad}}."}})
    own = {"agent": {"first_message": "{{greeting}}", "prompt": {"prompt": "For {{customer}}."}}}
    nodes = line(
        ("sell", {"type": "override_agent", "label": "Sell", "additional_prompt": "{{offer}}"}),
        ("care", {"type": "override_agent", "label": "Care", "conversation_config": own}),
        ("bills", {"type": "standalone_agent", "agent_id": bills, "transfer_message": "One moment, {{name}}."}),
    )
    ada = await at.agent(config, workflow=nodes)
    async with at.connected(ada) as caller:
        error, _ = await caller.refusal()
    names = ["customer", "desk", "greeting", "name", "offer", "stad"]
    assert (error["error_type"], error["details"]) == ("missing_dynamic_variable", {"names": names})


async def test_a_language_that_nobody_can_switch_to_needs_no_variables(at: Stage) -> None:
    ada = await at.agent(speaking("Help.", nl={"prompt": {"prompt": "{{stad}}"}}))
    async with at.connected(ada) as caller:
        assert await caller.begun()


async def test_what_a_tool_may_set_is_asked_for_only_where_it_is_said(at: Stage) -> None:
    tool = await assigning(at, "tier")
    node = {"type": "override_agent", "label": "Sell", "additional_prompt": "Tier {{tier}}."}
    ada = await at.agent({"agent": {"prompt": {"tool_ids": [tool]}}}, workflow=line(("sell", node)))
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.say("Hello")
        error, closed = await caller.refusal()
    said = "Missing dynamic variables: tier. Give each a value, or a placeholder on the agent."
    assert (error["error_type"], error["message"]) == ("missing_dynamic_variable", said)
    assert closed[0] == 1008
    assert (await at.conversation(id, until="failed"))["metadata"]["error"] == {"code": 1008, "reason": said}


async def test_a_call_that_goes_out_needs_what_its_workflow_says(at: Stage) -> None:
    node = {"type": "override_agent", "label": "Sell", "additional_prompt": "{{offer}}"}
    ada = await at.agent(workflow=line(("sell", node)))
    number = {
        "phone_number": "+15550000001",
        "label": "Desk",
        "provider": "twilio",
        "sid": "AC" + "0" * 32,
        "token": "t",
    }
    made = await at.http.post("/v1/convai/phone-numbers", json=number)
    call = {"agent_id": ada, "agent_phone_number_id": made.json()["phone_number_id"], "to_number": "+15550000002"}
    answer = await at.http.post("/v1/convai/twilio/outbound-call", json=call)
    assert [problem["loc"][-2:] for problem in answer.json()["detail"]] == [["dynamic_variables", "offer"]]


DETECTION = system_tool("language_detection")
DUTCH: JSON = {"first_message": "Hoi!", "prompt": {"prompt": "Wees kort.", "llm": "gpt-4o-mini", "temperature": 0.9}}


def to_language(language: str) -> str:
    return f'call language_detection {{"reason": "asked", "language": "{language}"}}'


async def test_a_language_that_is_switched_to_brings_its_preset_and_the_agents_own_can_come_back(at: Stage) -> None:
    ada = await at.agent(speaking("Be short.", "en", DETECTION, nl=DUTCH))
    async with at.connected(ada) as caller:
        id = await caller.begun()
        assert await caller.answer() == "Greeting: Be short."
        for language, first in (("nl", "Wees kort."), ("en", "Be short.")):
            await caller.say(to_language(language))
            assert await caller.answer() == first
            system = at.llm.requests[-1]["messages"][0]["content"]
            assert system == f"{first}\n\nAnswer in the language with the code {language}."
            if language == "nl":
                assert at.llm.requests[-1]["temperature"] == 0.9
    assert (await at.conversation(id))["metadata"]["main_language"] == "en"


async def test_a_conversation_begun_in_another_language_can_come_to_the_agents_own(at: Stage) -> None:
    opened = {"overrides": {"conversation_config_override": {"agent": {"language": True}}}}
    ada = await at.agent(speaking("Be short.", "en", DETECTION, nl=DUTCH), platform_settings=opened)
    async with at.connected(ada, conversation_config_override={"agent": {"language": "nl"}}) as caller:
        assert await caller.answer() == "Hoi!"
        await caller.say(to_language("en"))
        assert await caller.answer() == "Be short."


async def test_a_language_whose_texts_lack_a_variable_is_not_switched_to(at: Stage) -> None:
    tool = await assigning(at, "stad")
    config = speaking("Be short.", "en", DETECTION, nl={"prompt": {"prompt": "In {{stad}}."}})
    config["agent"]["prompt"]["tool_ids"] = [tool]
    async with at.connected(await at.agent(config)) as caller:
        id = await caller.begun()
        await caller.answer()
        await caller.say(to_language("nl"))
        assert await caller.answer() == "Be short."
    [result] = [one for turn in (await at.conversation(id))["transcript"] for one in turn["tool_results"]]
    assert (result["is_error"], result["result"]) == (True, None)
    assert result["result_value"].startswith("Missing dynamic variables: stad.")


async def test_who_takes_over_speaks_the_language_of_the_conversation_if_it_can(at: Stage) -> None:
    french = await at.agent(speaking("Soyez bref.", "fr"))
    bills = await at.agent(speaking("Bills.", "en", nl=DUTCH | {"prompt": {"prompt": "Rekeningen."}}))
    rules = [
        {"agent_id": id, "condition": "C", "enable_transferred_agent_first_message": True} for id in (bills, french)
    ]
    ada = await at.agent(
        speaking("Be short.", "en", DETECTION, system_tool("transfer_to_agent", transfers=rules), nl=DUTCH)
    )
    for number, greeting, prompt, language in ((0, "Hoi!", "Rekeningen.", "nl"), (1, "Greeting: Soyez bref.", "Soyez bref.", "fr")):  # fmt: skip
        async with at.connected(ada) as caller:
            id = await caller.begun()
            await caller.answer()
            await caller.say(to_language("nl"))
            assert await caller.answer() == "Wees kort."
            await caller.say(f'call transfer_to_agent {{"agent_number": {number}}}')
            assert await caller.answer() == greeting
            await caller.say("Hm")
            assert await caller.answer() == prompt
        assert (await at.conversation(id))["metadata"]["main_language"] == language


async def test_a_node_with_a_language_of_its_own_speaks_it_and_the_next_one_goes_back(at: Stage) -> None:
    own = {"agent": {"language": "nl"}}
    nodes = line(
        ("dutch", {"type": "override_agent", "label": "D", "conversation_config": own, "additional_prompt": "Extra."}),
        ("later", {"type": "override_agent", "label": "L"}),
    )
    ada = await at.agent(speaking("Be short.", "en", nl=DUTCH), workflow=nodes)
    async with at.connected(ada) as caller:
        assert await caller.answer() == "Hoi!"
        await caller.say("Hm")
        assert await caller.answer() == "Be short."


async def test_a_language_that_was_switched_to_at_a_node_keeps_what_the_node_adds_and_holds_at_the_next(
    at: Stage,
) -> None:
    more = {"type": "override_agent", "label": "N"}
    nodes = line(("first", more | {"additional_prompt": "One."}), ("next", more | {"additional_prompt": "Two."}))
    nodes["edges"]["first_next"]["forward_condition"] = {
        "type": "expression",
        "expression": {
            "type": "eq_operator",
            "left": {"type": "dynamic_variable", "name": "system__call_duration_secs"},
            "right": {"type": "number_literal", "value": 60},
        },
    }
    ada = await at.agent(speaking("Be short.", "en", DETECTION, nl=DUTCH), workflow=nodes)
    async with at.connected(ada) as caller:
        await caller.answer()
        await caller.say(to_language("nl"))
        await caller.answer()
        assert at.llm.requests[-1]["messages"][0]["content"].startswith("Wees kort.\n\nOne.")
        at.clock.forward(seconds=60)
        await caller.say("Hm")
        await caller.answer()
        assert at.llm.requests[-1]["messages"][0]["content"].startswith("Wees kort.\n\nTwo.")
