"""An agent with a workflow, rehearsed through the platform's API: stored tools, other agents, and what is kept."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agent_tools import CreateTool
from callwright.contract.agents import UpdateAgent
from callwright.contract.conversations import GetConversation
from tests.contract.facts import assert_answer
from tests.dialogue.llm_peer import Call, Say, peer
from tests.dialogue.rehearsals import role
from tests.transports import Clock

from .helpers import JSON, agent, dump
from .test_simulations import rehearse, with_model

pytestmark = pytest.mark.anyio

ALWAYS: JSON = {"type": "unconditional"}


def plays(request: JSON) -> Say:
    """A caller with an order number, whom every condition about it is true of."""
    system, last = (request["messages"][place]["content"] for place in (0, -1))
    match role(request):
        case "user":
            return Say("My order is A-7.")
        case "judge" if "Conditions:" in last:
            return Say('{"condition": 0, "rationale": "It was given."}')
        case "judge" if "sum the conversation up" in last:
            return Say('{"summary": "An order was looked up.", "title": "Order A-7"}')
        case "judge":
            return Say('{"result": "success", "rationale": "It was."}')
        case _ if request.get("tool_choice"):
            return Say(calls=(Call("look_up", '{"order": "A-7"}'),))
        case _:
            return Say("Yes, it is on its way. Goodbye." if "Tell what was found" in system else "Which order?")


async def shop(api: ApiClient, bills: str) -> str:
    """An agent that looks orders up, tells what was found, and hands everything else over."""
    parameters: JSON = {"type": "object", "properties": {"order": {"type": "string", "description": "Its number."}}}
    config = {"type": "client", "name": "look_up", "description": "Looks an order up.", "parameters": parameters}
    found = {"type": "result", "successful": True}
    tool = (await api.send(CreateTool.model_validate({"tool_config": config}))).id
    nodes: JSON = {
        "start": {"type": "start"},
        "ask": {"type": "override_agent", "label": "Ask", "additional_prompt": "Ask for the order."},
        "find": {"type": "tool", "tools": [{"tool_id": tool}]},
        "tell": {"type": "override_agent", "label": "Tell", "additional_prompt": "Tell what was found."},
        "bills": {"type": "standalone_agent", "agent_id": bills},
        "bye": {"type": "end"},
    }
    ways: JSON = {
        "begin": ("start", "ask", ALWAYS),
        "number": ("ask", "find", {"type": "llm", "condition": "An order number was given."}),
        "found": ("find", "tell", found),
        "lost": ("find", "bills", found | {"successful": False}),
        "over": ("tell", "bye", ALWAYS),
    }
    edges = {id: {"source": a, "target": b, "forward_condition": how} for id, (a, b, how) in ways.items()}
    return await agent(api, workflow={"nodes": nodes, "edges": edges})


def spoken(transcript: list[JSON]) -> list[str]:
    return [
        f"{turn['agent_metadata']['workflow_node_id'] if turn['agent_metadata'] else turn['role']}: {turn['message']}"
        for turn in transcript
        if turn["message"]
    ]


async def test_a_rehearsal_follows_the_workflow_and_keeps_its_steps(tmp_path: Path, clock: Clock) -> None:
    async with peer(plays) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        ada = await shop(api, await agent(api, name="Bills"))
        answer = dump(await api.send(rehearse(ada, new_turns_limit=6)))
        kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
    assert spoken(kept["transcript"]) == snapshot(
        [
            "ask: Hello! How can I help you today?",
            "user: My order is A-7.",
            "tell: Yes, it is on its way. Goodbye.",
            "user: My order is A-7.",
        ]
    )
    assert_answer(GetConversation, 200, kept)
    assert kept["metadata"]["termination_reason"] == "The workflow came to its end."
    assert kept["metadata"]["features_usage"]["workflow"] == snapshot(
        {
            "enabled": True,
            "tool_node": {"enabled": True, "used": True},
            "standalone_agent_node": {"enabled": True, "used": False},
            "phone_number_node": {"enabled": False, "used": False},
            "end_node": {"enabled": True, "used": True},
        }
    )


async def test_a_tool_that_is_mocked_to_fail_hands_the_rehearsal_over(tmp_path: Path, clock: Clock) -> None:
    mocks = {"look_up": {"default_return_value": "No such order.", "default_is_error": True}}
    async with peer(plays) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        bills = await agent(api, name="Bills")
        ada = await shop(api, bills)
        answer = dump(await api.send(rehearse(ada, new_turns_limit=2, tool_mock_config=mocks)))
        kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
    last = answer["simulated_conversation"][-1]
    assert (last["message"], last["agent_metadata"]["agent_id"]) == ("Which order?", bills)
    assert kept["metadata"]["features_usage"]["workflow"]["standalone_agent_node"] == {"enabled": True, "used": True}


async def test_an_archived_agent_is_not_handed_over_to(tmp_path: Path, clock: Clock) -> None:
    mocks = {"look_up": {"default_return_value": "No such order.", "default_is_error": True}}
    async with peer(plays) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        bills = await agent(api, name="Bills")
        ada = await shop(api, bills)
        await api.send(UpdateAgent.model_validate({"agent_id": bills, "platform_settings": {"archived": True}}))
        answer = dump(await api.send(rehearse(ada, tool_mock_config=mocks)))
    assert answer["ended_because"] == snapshot(
        "The workflow could not hand the conversation over: Agent 'Bills' (agent_1) is archived and talks to nobody."
    )
