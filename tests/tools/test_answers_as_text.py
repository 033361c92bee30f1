"""What a model reads: the text of answers and errors, through the MCP client."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.transports import Clock, facts, reach, text, unknown_inside

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


async def test_an_empty_list_says_that_there_is_none(tmp_path: Path, clock: Clock) -> None:
    async with reach(offering(tmp_path, clock)) as (client, _):
        said = [text(await client.call_tool(tool, {})) for tool in ("list_agents", "list_secrets", "list_mcp_servers")]
    assert said == ["has_more: no\nagents: none", "has_more: no\nsecrets: none", "has_more: no\nmcp_servers: none"]


async def test_texts_that_hold_commas_stand_on_lines_of_their_own(tmp_path: Path, clock: Clock) -> None:
    parameters = {"properties": {"day": {"type": "string", "description": "Day, as 2027-01-15"}}, "required": ["day"]}
    webhook = {"name": "find_slot", "description": "d", "url": "https://crm.example.com/slots"}
    async with reach(offering(tmp_path, clock), says="yes") as (client, _):
        said = text(await client.call_tool("create_tool", {**webhook, "method": "POST", "parameters": parameters}))
    assert said == snapshot("""\
tool_id: tool_1
name: find_slot
kind: webhook
description: d
url: https://crm.example.com/slots
method: POST
parameters:
- day (string, body, required): Day, as 2027-01-15
timeout_secs: 20\
""")


async def test_a_change_shows_the_beginning_of_a_long_prompt_and_a_get_shows_more(tmp_path: Path, clock: Clock) -> None:
    async with reach(offering(tmp_path, clock)) as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p" * 5_000}))
        found = facts(await client.call_tool("get_agent", {"agent_id": made["agent_id"]}))
    assert (len(made["prompt"]), made["prompt"][-1], made["prompt_length"]) == (301, "…", 5_000)
    assert found["prompt"] == "p" * 5_000


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("create_agent", {"name": "Ada", "prompt": "p", "config": {"tts": {"speed": 1}}}),
    ("create_agent", {"name": "Ada", "prompt": "p", "test_ids": ["test_nowhere"]}),
    ("create_agent", {"name": "Ada", "prompt": "p", "language": "German"}),
    ("update_mcp_server", {"mcp_server_id": "mcpsrv_1", "config": {"response_timeout": 5}}),
    ("create_agent_test", {"name": "Polite", "condition": "is polite"}),
    ("create_agent_test", {"name": "P", "history": ["user: Hi"], "condition": "c", "config": {"chat_history": []}}),
    ("simulate_conversation", {"agent_id": "agent_1", "caller": "Hi", "config": {"new_turns_limit": 2}}),
    ("create_mcp_server", {"name": "Calendar"}),
]


async def test_an_error_says_what_is_meant_or_where_to_look(tmp_path: Path, clock: Clock, either_platform: str) -> None:
    async with reach(offering(tmp_path, clock), says="yes") as (client, _):
        said = [text(await client.call_tool(tool, arguments)) for tool, arguments in WRONG]
    assert said == [
        "config.tts is unknown; did you mean config.conversation_config.tts?",
        unknown_inside(either_platform, "platform_settings.testing.attached_tests.0", "test", "test_nowhere"),
        "language does not fit; wanted: language code, as en or de.",
        "config.response_timeout is unknown; did you mean 'response_timeout_secs'?",
        "history is required: the turns before the reply that is tested.",
        "history is also set in config.chat_history: say it once.",
        "config.new_turns_limit is unknown; allowed: extra_evaluation_criteria, simulation_specification.",
        "url is required; one that is itself secret is config.url = {secret_id: …}.",
    ]


async def test_every_kind_of_document_is_described(tmp_path: Path, clock: Clock) -> None:
    kinds = ["agent", "tool", "test", "simulation", "call", "phone_number", "mcp_server", "mcp_tool", "workspace"]
    async with reach(offering(tmp_path, clock)) as (client, _):
        found = {kind: facts(await client.call_tool("describe_config", {"kind": kind}))["fields"] for kind in kinds}
        region = {"kind": "phone_number", "path": "region_config.region_id"}
        allowed = await client.call_tool("describe_config", region)
    assert {kind: len(fields) for kind, fields in found.items()} == snapshot(
        {
            "agent": 5,
            "tool": 3,
            "test": 9,
            "simulation": 3,
            "call": 5,
            "phone_number": 10,
            "mcp_server": 14,
            "mcp_tool": 12,
            "workspace": 5,
        }
    )
    assert [field["name"] for field in found["simulation"]] == [
        "simulation_specification",
        "extra_evaluation_criteria",
        "new_turns_limit",
    ]
    assert "mcp_server_id" not in str(found["mcp_server"])
    assert not allowed.is_error
