"""Older spellings of an agent's document become the one that platforms keep."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.agent.normalise import normalise
from callwright.contract.agents import CreateAgent, SimulateConversation

EDITOR_TOOLS: list[Any] = json.loads((Path(__file__).parent / "editor-tools.json").read_text("utf-8"))
END_CALL = {"type": "system", "name": "end_call", "description": "", "params": {"system_tool_type": "end_call"}}
WEBHOOK = {"type": "webhook", "name": "w", "description": "d", "api_schema": {"url": "https://example.com"}}


def agent(**prompt: Any) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": prompt}}}


def prompt_of(request: dict[str, Any]) -> Any:
    return normalise(request)[0]["conversation_config"]["agent"]["prompt"]


@pytest.mark.parametrize(
    "prompt",
    [
        {"tools": [{"type": "system", "name": "end_call", "description": ""}]},
        {
            "tools": [
                {"type": "system", "name": "hang_up", "description": "", "params": {"system_tool_type": "end_call"}}
            ]
        },
        {"built_in_tools": {"end_call": {"description": ""}}},
        {"built_in_tools": {"end_call": END_CALL}},
    ],
    ids=["without params", "with params", "short in its place", "in full"],
)
def test_system_tools_end_in_their_place(prompt: dict[str, Any]) -> None:
    built = prompt_of(agent(**prompt))["built_in_tools"]["end_call"]
    assert {**built, "name": "end_call"} == END_CALL


def test_other_tools_stay_where_they_are() -> None:
    future = {"type": "system", "name": "dance", "description": ""}
    end_call = {"type": "system", "name": "end_call", "description": ""}
    prompt = prompt_of(agent(tools=[WEBHOOK, end_call, future]))
    assert prompt == {"tools": [WEBHOOK, future], "built_in_tools": {"end_call": END_CALL}}


def test_of_two_the_one_in_its_place_is_kept_and_that_is_said() -> None:
    kept = {**END_CALL, "description": "kept"}
    document, warnings = normalise(agent(tools=[END_CALL], built_in_tools={"end_call": kept}))
    assert document == agent(tools=[], built_in_tools={"end_call": kept})
    assert warnings == ["end_call stands in tools and in built_in_tools; the one in built_in_tools is kept."]


def test_a_switched_off_tool_stays_off() -> None:
    assert prompt_of(agent(built_in_tools={"end_call": None})) == {"built_in_tools": {"end_call": None}}


def test_a_greeting_in_the_prompt_is_lifted_and_that_is_said() -> None:
    document, warnings = normalise(agent(prompt="Help.", first_message="Hi!"))
    assert document == {"conversation_config": {"agent": {"first_message": "Hi!", "prompt": {"prompt": "Help."}}}}
    assert warnings == ["agent.prompt.first_message is not read there; it became agent.first_message."]


def test_a_greeting_in_its_place_wins() -> None:
    request = {"conversation_config": {"agent": {"first_message": "Kept.", "prompt": {"first_message": "Hi!"}}}}
    assert normalise(request)[0] == {"conversation_config": {"agent": {"first_message": "Kept.", "prompt": {}}}}


def test_goals_may_be_sentences() -> None:
    goal = "The caller's order number was confirmed, twice."
    spelt = {
        "id": "the_caller_s_order_number_was",
        "name": goal,
        "type": "prompt",
        "conversation_goal_prompt": goal,
    }
    other = spelt | {"id": "other"}
    request = {"platform_settings": {"evaluation": {"criteria": [goal, other]}}, "extra_evaluation_criteria": [goal]}
    assert normalise(request)[0] == {
        "platform_settings": {"evaluation": {"criteria": [spelt, other]}},
        "extra_evaluation_criteria": [spelt],
    }


def test_a_simulated_user_may_be_a_sentence() -> None:
    body = {"simulation_specification": {"simulated_user_config": {"prompt": "You are impatient."}}}
    op = SimulateConversation.parse({"agent_id": "a"}, {}, body)
    assert op.body() == {
        "simulation_specification": {"simulated_user_config": {"prompt": {"prompt": "You are impatient."}}}
    }


def test_goals_that_begin_alike_have_ids_of_their_own() -> None:
    """Results are kept by id: of two with one id, only one would be."""
    goals = [
        "Stays calm",
        "Stays calm!",
        {"id": "stays_calm_2", "name": "n", "conversation_goal_prompt": "p"},
        "…",
        "?",
    ]
    document = {"platform_settings": {"evaluation": {"criteria": goals}}, "extra_evaluation_criteria": goals[:2]}
    found, _ = normalise(document)
    kept = found["platform_settings"]["evaluation"]["criteria"]
    assert [goal["id"] for goal in kept] == ["stays_calm", "stays_calm_3", "stays_calm_2", "goal", "goal_2"]
    assert [goal["id"] for goal in found["extra_evaluation_criteria"]] == ["stays_calm", "stays_calm_2"]


@pytest.mark.parametrize("case", EDITOR_TOOLS, ids=lambda case: case["api"]["name"])
def test_an_agents_own_tool_may_be_written_as_editors_do(case: Any) -> None:
    found, warnings = normalise(agent(tools=[case["editor"]]))
    assert found == agent(tools=[case["api"]])
    assert all(warning.startswith(f"{case['api']['name']}: ") for warning in warnings)
    assert warnings
    assert normalise(found) == (found, [])


def test_what_a_node_of_a_workflow_changes_is_read_the_same_way() -> None:
    request = {"workflow": {"nodes": {"n": agent(tools=[{"type": "system", "name": "end_call", "description": ""}])}}}
    spelt = agent(tools=[], built_in_tools={"end_call": END_CALL})
    assert normalise(request)[0] == {"workflow": {"nodes": {"n": spelt}}}


def test_the_request_sends_one_spelling_and_keeps_the_warnings() -> None:
    op = CreateAgent.model_validate(agent(first_message="Hi!", tools=[{"type": "system", "name": "end_call"}]))
    assert op.body() == {
        "conversation_config": {
            "agent": {
                "first_message": "Hi!",
                "prompt": {
                    "tools": [],
                    "built_in_tools": {
                        "end_call": {"type": "system", "name": "end_call", "params": {"system_tool_type": "end_call"}}
                    },
                },
            }
        }
    }
    assert op.warnings == ["agent.prompt.first_message is not read there; it became agent.first_message."]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON, JSON, JSON)
def test_no_shape_breaks_it_nothing_is_changed_in_place_and_twice_is_once(a: Any, b: Any, c: Any, d: Any) -> None:
    prompts = [
        agent(tools=a, built_in_tools=b, first_message=c),
        agent(tools=[a, {"type": "system", "name": b, "params": c}], built_in_tools={"end_call": d}),
        {"workflow": {"nodes": a}},
        {"workflow": {"nodes": {"n": a, "m": agent(tools=b)}}},
        {"conversation_config": a, "platform_settings": {"evaluation": b}, "extra_evaluation_criteria": c},
        a,
    ]
    for request in prompts:
        before = copy.deepcopy(request)
        once, _ = normalise(request)
        assert request == before
        assert normalise(once)[0] == once
