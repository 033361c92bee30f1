"""The main job, through MCP: from a document to a rehearsed agent."""

import pytest

from callwright.app import App

from .transports import ARMS, facts, reach, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

DOCUMENT = "Rentals cost 12 pounds a day.\n\nA stolen bicycle must be reported within 24 hours."


@pytest.mark.parametrize(("transport", "era"), ARMS)
async def test_a_document_becomes_a_rehearsed_agent(app: App, transport: str, era: str) -> None:
    async with reach(app, era, transport=transport) as (client, _):
        document = facts(await client.call_tool("create_text_document", {"text": DOCUMENT, "name": "Handbook"}))
        asked = {"name": "Ada", "prompt": "Help.", "document_ids": [document["document_id"]]}
        agent = facts(await client.call_tool("create_agent", asked))
        assert agent["documents"] == [f"Handbook ({document['document_id']})"]
        rehearsal = {"agent_id": agent["agent_id"], "caller": "My bicycle was stolen!", "criteria": ["Is calm"]}
        said = facts(await client.call_tool("simulate_conversation", rehearsal))
        kept = facts(await client.call_tool("get_conversation", {"conversation_id": said["conversation_id"]}))
    assert [turn["said"] for turn in said["transcript"]] == [
        "Hello! How can I help you today?",
        "My bicycle was stolen!",
        "[offline responder] The document “Handbook” says: “A stolen bicycle must be reported within 24 hours.”",
    ]
    assert said["analysis"]["criteria"][0]["result"] == "unknown"
    assert kept["transcript"] == said["transcript"]
    assert kept["simulated"] is True


async def test_without_approval_nothing_is_deleted(app: App) -> None:
    async with reach(app, says="no") as (client, asked):
        agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
        refused = await client.call_tool("delete_agent", {"agent_id": agent["agent_id"]})
        assert (
            text(refused) == "The user said no. Nothing was done. Do not call this again unless the user asks for it."
        )
        assert facts(await client.call_tool("get_agent", {"agent_id": agent["agent_id"]}))["name"] == "Ada"
    assert asked == [f"Delete agent 'Ada' ({agent['agent_id']}) for good, with its configuration."]
