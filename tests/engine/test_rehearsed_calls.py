"""Agents that answer a telephone, rehearsed: given a caller, they have the tools that need a line."""

from pathlib import Path

import pytest

from callwright.contract.conversations import GetConversation
from tests.dialogue.llm_peer import JSON, Call, Say, peer
from tests.dialogue.rehearsals import role
from tests.transports import Clock

from .helpers import agent, dump
from .test_simulations import rehearse, with_model

pytestmark = pytest.mark.anyio

DESK: JSON = {"transfer_destination": {"type": "phone", "phone_number": "+15551234567"}, "condition": "A person"}
TOOL: JSON = {
    "type": "system",
    "name": "transfer_to_number",
    "description": "",
    "params": {"system_tool_type": "transfer_to_number", "transfers": [DESK]},
}
ARGUMENTS = '{"transfer_number": "+15551234567", "client_message": "One moment.", "agent_message": "A caller."}'


def plays(request: JSON) -> Say:
    if role(request) == "user":
        return Say("A person, please.")
    if role(request) == "judge":
        return Say('{"summary": "S.", "title": "T"}')
    if request["messages"][-1]["role"] == "tool":
        return Say("So.")
    return Say(calls=(Call("transfer_to_number", ARGUMENTS),))


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        ({"system__caller_id": "+15550000001"}, "transfer_to_number_twilio_success"),
        ({"system__caller_id": None}, "transfer_to_number_error"),
        ({}, "transfer_to_number_error"),
    ],
    ids=["caller", "no caller", "nothing"],
)
async def test_a_rehearsal_with_a_caller_is_a_call(tmp_path: Path, clock: Clock, given: JSON, type_: str) -> None:
    async with peer(plays) as at, with_model(tmp_path, clock, at) as app:
        api = await app.api()
        ada = await agent(api, {"agent": {"prompt": {"built_in_tools": {"transfer_to_number": TOOL}}}})
        answer = dump(await api.send(rehearse(ada, dynamic_variables=given, new_turns_limit=2)))
        kept = dump(await api.send(GetConversation(conversation_id=answer["conversation_id"])))
    [result] = [one for turn in kept["transcript"] for one in turn["tool_results"]]
    assert result["result"]["result_type"] == type_
