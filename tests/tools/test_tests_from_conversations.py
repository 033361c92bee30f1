"""A moment of a conversation that took place becomes a test."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from callwright.contract.agent_tests import CreateAgentTest, GetAgentTest
from callwright.contract.conversations import Conversation, GetConversation
from callwright.requests.agent_test_origins import CONDITION, cut_out
from tests.dialogue.llm_peer import JSON, Call, Reply, Say, peer
from tests.transports import Clock, facts, numbered, reach, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

TOOLS: JSON = {"tools": [{"type": "client", "name": "hours", "description": "Opening hours."}]}


def talking(request: JSON) -> Reply:
    """An agent that looks the hours up, a caller who asks twice, and a judge who passes everything."""
    system, *_, last = request["messages"]
    if "review conversations" in system["content"]:
        return Say('{"result": "success", "rationale": "So.", "summary": "S.", "title": "T"}')
    if "You open when?" in system["content"]:
        return Say("You open when?")
    return Say("", (Call("hours"),)) if last["role"] == "user" else Say("From nine, {{name}}.")


@asynccontextmanager
async def after_a_call(home: Path, clock: Clock) -> AsyncGenerator[tuple[App, Client, str]]:
    """A conversation with turns 0 greeting, 1 user, 2 call, 3 result, 4 words, and so on."""
    async with peer(talking) as at:
        app = server(
            settings(home, toolsets=("all",), llm_base_url=at.base_url, llm_model="m"), clock=clock, ids=numbered()
        )
        async with reach(app) as (client, _):
            config = {"conversation_config": {"agent": {"first_message": "Hi {{name}}.", "prompt": TOOLS}}}
            made = await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help.", "config": config})
            talk = {"agent_id": facts(made)["agent_id"], "caller": "You open when?", "max_turns": 4}
            talk |= {"variables": {"name": "Bo", "secret__key": "hush"}, "tool_mocks": {"hours": "9 to 5"}}
            yield app, client, facts(await client.call_tool("simulate_conversation", talk))["conversation_id"]


async def test_the_last_reply_of_a_call_becomes_a_test_with_what_was_said_before(tmp_path: Path, clock: Clock) -> None:
    async with after_a_call(tmp_path, clock) as (app, client, conversation):
        made = facts(await client.call_tool("create_test_from_conversation", {"conversation_id": conversation}))
        whole = await (await app.api()).send(GetAgentTest(test_id=made["test_id"]))
        talk = await (await app.api()).send(GetConversation(conversation_id=conversation))
    assert whole.from_conversation_metadata is not None
    before, reply = whole.chat_history, whole.from_conversation_metadata.original_agent_reply
    assert [turn.message for turn in before + reply] == [turn.message for turn in talk.transcript]
    assert [turn.tool_results for turn in before] == [turn.tool_results for turn in talk.transcript[: len(before)]]
    assert [turn.role for turn in reply] == ["agent", "agent", "agent"]
    assert before[-1].role == "user"
    assert whole.from_conversation_metadata.conversation_id == made["from_conversation_id"] == conversation
    assert whole.from_conversation_metadata.agent_id == talk.agent_id
    assert whole.dynamic_variables == {"name": "Bo"}
    assert made["condition"] == CONDITION


async def test_a_chosen_turn_is_an_example_of_what_was_wrong_and_the_test_runs(tmp_path: Path, clock: Clock) -> None:
    async with after_a_call(tmp_path, clock) as (_, client, conversation):
        asked = {"conversation_id": conversation, "turn": 4, "condition": "Names both hours.", "original": "bad"}
        made = facts(await client.call_tool("create_test_from_conversation", asked))
        agent_id = facts(await client.call_tool("list_agents", {}))["agents"][0]["agent_id"]
        ran = facts(await client.call_tool("run_agent_tests", {"agent_id": agent_id, "test_ids": [made["test_id"]]}))
    made["name"] = made["name"].replace(conversation, "conv")
    assert {key: made[key] for key in ("name", "condition", "good_replies", "bad_replies", "variables")} == snapshot(
        {
            "name": "conv, turn 4: From nine, {{name}}.",
            "condition": "Names both hours.",
            "good_replies": [],
            "bad_replies": ["From nine, {{name}}."],
            "variables": ["name = Bo"],
        }
    )
    assert [(turn["role"], turn["said"], turn["tools"]) for turn in made["history"]] == snapshot(
        [
            ("agent", "Hi Bo.", []),
            ("user", "You open when?", []),
            ("agent", "", ["called hours({})"]),
            ("agent", "", ["hours gave 9 to 5"]),
        ]
    )
    assert [(run["status"], [turn["said"] for turn in run["reply"]]) for run in ran["runs"]] == snapshot(
        [("passed", ["From nine, {{name}}."])]
    )


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"turn": 0}, "Nothing was said before turn 0. Agent's turns with others before them: 2, 3, 4, "),
        ({"turn": 1}, "Turn 1 is the user's. Agent's turns"),
        ({"turn": 99}, "There is no turn 99. Agent's turns"),
        ({"turn": -1}, "turn: "),
        ({"turn": 2, "original": "fine"}, "original: "),
    ],
)
async def test_a_turn_that_is_no_reply_is_refused_with_those_that_are(
    tmp_path: Path, clock: Clock, asked: JSON, why: str
) -> None:
    async with after_a_call(tmp_path, clock) as (_, client, conversation):
        refused = await client.call_tool("create_test_from_conversation", {"conversation_id": conversation, **asked})
    assert refused.is_error
    assert text(refused).startswith(why)


def conversation(*turns: JSON) -> Conversation:
    told: JSON = {"agent_id": "agent_1", "conversation_id": "conv_1", "status": "done", "metadata": {}}
    told |= {"has_audio": False, "has_user_audio": False, "has_response_audio": False}
    told["metadata"] = {"start_time_unix_secs": 0, "call_duration_secs": 9}
    return Conversation.model_validate(told | {"transcript": [{"time_in_call_secs": 0, **turn} for turn in turns]})


def test_after_a_transfer_the_reply_belongs_to_the_agent_and_node_that_gave_it() -> None:
    speaker = {"agent_id": "agent_2", "workflow_node_id": "billing"}
    found = conversation(
        {"role": "user", "message": "Hi"}, {"role": "agent", "message": "Yes", "agent_metadata": speaker}
    )
    body = cut_out(found, None, None, None, None)
    CreateAgentTest.model_validate(body)
    assert body["from_conversation_metadata"] == snapshot(
        {
            "conversation_id": "conv_1",
            "agent_id": "agent_2",
            "workflow_node_id": "billing",
            "original_agent_reply": [
                {
                    "role": "agent",
                    "agent_metadata": {"agent_id": "agent_2", "workflow_node_id": "billing"},
                    "message": "Yes",
                    "time_in_call_secs": 0,
                }
            ],
        }
    )


def test_what_a_conversation_cost_does_not_go_into_the_test() -> None:
    usage = {"model_usage": {"m": {"input": {"tokens": 5}}}}
    found = conversation(
        {"role": "agent", "message": "Hello", "llm_usage": usage, "conversation_turn_metrics": {"metrics": {}}},
        {"role": "user", "message": "Hi"},
        {"role": "agent", "message": "Yes"},
    )
    assert cut_out(found, 2, "N", None, None)["chat_history"] == snapshot(
        [
            {"role": "agent", "message": "Hello", "time_in_call_secs": 0},
            {"role": "user", "message": "Hi", "time_in_call_secs": 0},
        ]
    )


def test_a_conversation_without_a_reply_makes_no_test() -> None:
    with pytest.raises(Exception, match=r"answered nobody in this conversation\. .* before them: none\."):
        cut_out(conversation({"role": "agent", "message": "Hello?"}), None, None, None, None)


def test_a_call_without_words_is_no_example() -> None:
    call = {"request_id": "r", "tool_name": "hours", "params_as_json": "{}", "tool_has_been_called": True}
    found = conversation({"role": "user", "message": "Hi"}, {"role": "agent", "tool_calls": [call]})
    with pytest.raises(Exception, match="says nothing that could be an example"):
        cut_out(found, 1, None, None, "bad")
    assert cut_out(found, 1, None, None, None)["name"] == "conv_1, turn 1: hours"
