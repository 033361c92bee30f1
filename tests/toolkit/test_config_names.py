"""The large documents: described on demand, and names in them checked before anything is sent."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App

from ..transports import ERAS, facts, reach, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


def tts(**fields: Any) -> dict[str, Any]:
    return {"conversation_config": {"tts": fields}}


async def make_agent(client: Client) -> str:
    return facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))["agent_id"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_part_of_the_schema_is_told_on_demand(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        part = facts(await client.call_tool("describe_config", {"path": "platform_settings.auth"}))
    assert part == snapshot(
        {
            "path": "platform_settings.auth",
            "type": "object",
            "meaning": "Who may talk to the agent.",
            "fields": [
                {"name": "enable_auth", "type": "true or false"},
                {
                    "name": "allowlist",
                    "type": "list of object",
                    "meaning": "Empty lets every page in.",
                    "parts": ["hostname"],
                },
                {"name": "shareable_token", "type": "text"},
            ],
        }
    )


@pytest.mark.parametrize(
    ("kind", "path"),
    [("tool", ""), ("tool", "webhook.api_schema"), ("test", "success_examples"), ("mcp_server", "request_headers")],
)
async def test_the_other_documents_are_described_as_they_are_given(client: Client, kind: str, path: str) -> None:
    part = facts(await client.call_tool("describe_config", {"kind": kind, "path": path}))
    assert part["path"] == path
    assert part["fields"]


async def test_a_wrong_path_is_answered_with_the_right_names(client: Client) -> None:
    agent = await client.call_tool("describe_config", {"path": "conversation_config.ttts"})
    tool = await client.call_tool("describe_config", {"kind": "tool", "path": "webhok"})
    inside = await client.call_tool("describe_config", {"kind": "tool", "path": "webhook.nowhere"})
    kind = await client.call_tool("describe_config", {"kind": "flow"})
    assert [text(answer) for answer in (agent, tool, inside, kind)] == snapshot(
        [
            "conversation_config has no part 'ttts'; it has: asr, turn, tts, conversation, language_presets, vad, agent.",
            "the tool has no part 'webhok'; it has: webhook, client, system.",
            "webhook has no part 'nowhere'; it has: name, response_timeout_secs, disable_interruptions, force_pre_tool_speech, assignments, tool_call_sound, tool_call_sound_behavior, description, dynamic_variables, execution_mode, type, api_schema.",
            "kind does not fit; wanted: agent, tool, test, simulation, call, talk, phone_number, mcp_server, mcp_tool, workspace.",
        ]
    )


async def test_a_mistyped_name_is_refused_before_anything_is_sent(client: Client) -> None:
    agent_id = await make_agent(client)
    said: list[str] = []
    evalution: dict[str, Any] = {"platform_settings": {"evalution": {}}}
    for config in (tts(sped=1.1), tts(sped=1.1, stabilty=0.4), evalution):
        refused = await client.call_tool("update_agent", {"agent_id": agent_id, "name": "Bob", "config": config})
        said.append(text(refused))
    created = await client.call_tool("create_agent", {"name": "Cy", "prompt": "Help.", "config": tts(sped=1.1)})
    tried = await client.call_tool("update_agent", {"agent_id": agent_id, "config": tts(sped=1.1), "dry_run": True})
    assert text(created) == text(tried) == said[0]
    assert said == snapshot(
        [
            "Unknown name 'conversation_config.tts.sped'; did you mean 'speed'? Nothing was sent. describe_config tells the names.",
            "Unknown name 'conversation_config.tts.sped'; did you mean 'speed'? Unknown name 'conversation_config.tts.stabilty'; did you mean 'stability'? Nothing was sent. describe_config tells the names.",
            "Unknown name 'platform_settings.evalution'; did you mean 'evaluation'? Nothing was sent. describe_config tells the names.",
        ]
    )
    agents = facts(await client.call_tool("list_agents", {}))["agents"]
    assert [agent["name"] for agent in agents] == ["Ada"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_name_of_a_newer_platform_is_sent_and_named(app: App, era: str) -> None:
    config = tts(speed=1.1, whisper_mode={"level": 2})
    async with reach(app, era) as (client, _):
        agent_id = await make_agent(client)
        plan = facts(await client.call_tool("update_agent", {"agent_id": agent_id, "config": config, "dry_run": True}))
        answer = await client.call_tool("update_agent", {"agent_id": agent_id, "config": config})
        asked = {"agent_id": agent_id, "parts": ["conversation_config.tts.whisper_mode"]}
        kept = facts(await client.call_tool("get_agent", asked))["parts"]
    assert plan["dry_run"]["unknown"] == facts(answer)["unknown"] == ["conversation_config.tts.whisper_mode"]
    assert "unknown: conversation_config.tts.whisper_mode" in text(answer)
    assert kept == {"conversation_config.tts.whisper_mode": {"level": 2}}


async def test_what_stood_there_before_is_put_back_whatever_its_names(client: Client) -> None:
    """A name that was stored by somebody else is no typing mistake of whoever takes a change back."""
    agent_id = await make_agent(client)
    facts(await client.call_tool("update_agent", {"agent_id": agent_id, "config": tts(whisper_mode=1)}))
    [change] = [c for c in facts(await client.call_tool("list_changes", {}))["changes"] if c["undoable"]]
    undone = facts(await client.call_tool("undo_change", {"change_id": change["change_id"]}))
    assert "unknown" not in undone


async def test_keys_of_a_map_are_free(client: Client) -> None:
    agent_id = await make_agent(client)
    placeholders = {"dynamic_variables": {"dynamic_variable_placeholders": {"frist_message": "x"}}}
    config = {"conversation_config": {"agent": placeholders}}
    assert "unknown" not in facts(await client.call_tool("update_agent", {"agent_id": agent_id, "config": config}))
