"""What a person reads before each thing that asks: who or what depends on it, whom it rings, what it costs."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.app import App
from callwright.approval.policy import ASKING
from callwright.contract import all_operations
from callwright.surface import built
from tests.transports import Clock, numbered, reach, settings, undigested

from .asking_calls import NEAR, calls, furnished

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> dict[str, str]:
    return await furnished(tmp_path, clock)


ELSEWHERE = {
    "create_mcp_tool_config": "in laws/test_guarded.py",
    "update_mcp_tool_config": "in laws/test_guarded.py",
    "create_mcp_tool_approval": "needs a server that answers: test_mcp_servers.py",
    "add_pronunciation_dictionary": "it does not say who else may edit a dictionary",
    "undo_change": "asks as the change that it takes back: test_undo.py",
}


async def test_each_question_tells_what_depends_what_it_costs_and_who_is_rung(
    tmp_path: Path, clock: Clock, world: dict[str, str]
) -> None:
    guarded = {f"{op.method} {op.path}" for op in all_operations() if op.guarded}
    asking = {e["tool"]["name"] for e in built() if e["effect"] in ASKING or guarded & {*e["operations"]}}
    assert {*calls(world), *ELSEWHERE} == asking
    app = App(settings(tmp_path, **NEAR), "embedded", clock=clock, ids=numbered())
    questions: dict[str, str] = {}
    async with reach(app, says="no") as (client, asked):
        for tool, arguments in calls(world).items():
            answer = await client.call_tool(tool, arguments)
            text = answer.content[0]
            questions[tool] = undigested(asked.pop()) if asked else f"not asked: {getattr(text, 'text', '')}"
    assert questions == snapshot(
        {
            "create_agent": "Create agent 'Bob'. It sets platform_settings.auth = {enable_auth: False}.",
            "update_agent": "Change agent 'Ada' (agent_11): platform_settings.auth.enable_auth. It answers +15551234567. It sets platform_settings.auth = {enable_auth: False}.",
            "get_agent_link": "Hand out a key: whoever has it can talk to agent 'Ada' (agent_11). A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "delete_agent": "Delete agent 'Ada' (agent_11) for good, with its configuration. +15551234567 would have no agent to answer.",
            "simulate_conversation": "Rehearse agent 'Ada' (agent_11), at most 20 turns. It sets simulation_specification.simulated_user_config.prompt.tools.0.api_schema.request_headers = {Authorization: (hidden), X-Key: (hidden)}; simulation_specification.simulated_user_config.prompt.tools.0.api_schema.url = 'https://hooks.example/crm'.",
            "get_signed_url": "Hand out a URL: for 15 minutes, whoever has it can start any number of conversations with agent 'Ada' (agent_11). A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "get_session_token": "Hand out a token: whoever has it can start a conversation with agent 'Ada' (agent_11). A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "delete_conversation": "Delete rehearsal conv_13 of 2027-01-15 08:00 UTC with agent agent_11 for good: 3 turns, analysis and recording.",
            "create_url_document": "Read the page http://127.0.0.1:1/page now, and keep its text as a document. It sets url = 'http://127.0.0.1:1/page'.",
            "delete_document": "Delete document 'Handbook' (doc_1, 20 bytes) for good. It is taken out of 'Ada' (agent_11).",
            "delete_rag_index": "Delete the index (ragindex_2, model e5_mistral_7b_instruct) of document 'Handbook'.",
            "import_phone_number": "Import phone number +15557654321 as 'Two'.",
            "update_phone_number": "Change phone number +15551234567 (Desk). Callers will reach nobody instead of Ada (agent_11). It sets agent_id = nothing.",
            "delete_phone_number": "Take out phone number +15551234567 (Desk) for good, with its credentials. Ada (agent_11) answers it now.",
            "create_secret": "Store a secret named 'new' (3 characters).",
            "update_secret": "Replace secret 'crm' (secret_5) by 'crm' (4 characters); the old value is lost. Used by MCP server mcpsrv_9.",
            "delete_secret": "Delete secret 'old' (secret_6) for good.",
            "create_auth_connection": "Store the oauth2_client_credentials login 'new', whose secret (5 characters) is sent to https://login.example/token. It sets token_url = 'https://login.example/token'.",
            "delete_auth_connection": "Delete the auth connection 'crm' (authconn_8) for good.",
            "create_tool": "Store the webhook tool 'crm' for agents to call. It sets tool_config.api_schema.request_headers = {Authorization: (hidden), X-Key: (hidden)}; tool_config.api_schema.url = 'https://hooks.example/crm'.",
            "update_tool": "Change tool 'crm' (tool_3), which Ada can call: api_schema.url. It sets tool_config.api_schema.method = 'GET'; tool_config.api_schema.request_headers = {Authorization: (hidden), X-Key: (hidden)}; tool_config.api_schema.url = 'https://b.example/'.",
            "delete_tool": "Delete tool 'old' (tool_4) for good.",
            "update_destinations": "Let requests (with their secrets) and transfers of tool 'crm' (tool_3) go where these variables lead, whoever gives their values, within these destinations. Before: none. It sets destinations = {base: ['https://b.example']}.",
            "run_agent_tests": "Run 1 test on agent 'Ada' (agent_11), with an unsaved configuration: agent_config_override.conversation_config.agent.prompt.tools, agent_config_override.platform_settings, tests. It sets agent_config_override.conversation_config.agent.prompt.tools.0.api_schema.request_headers = {Authorization: (hidden), X-Key: (hidden)}; agent_config_override.conversation_config.agent.prompt.tools.0.api_schema.url = 'https://hooks.example/crm'.",
            "resubmit_test_invocation": "Run 1 test of tinv_22 again on agent 'Ada' (agent_11), with an unsaved configuration: agent_config_override.conversation_config.agent.prompt.tools, agent_config_override.platform_settings, agent_id, test_run_ids. It sets agent_config_override.conversation_config.agent.prompt.tools.0.api_schema.request_headers = {Authorization: (hidden), X-Key: (hidden)}; agent_config_override.conversation_config.agent.prompt.tools.0.api_schema.url = 'https://hooks.example/crm'.",
            "delete_agent_test": "Delete test 'Polite' (test_7) for good.",
            "create_mcp_server": "Connect MCP server 'New'; agents may then send it what callers say. It sets config.url = 'http://127.0.0.1:1/mcp'.",
            "update_mcp_server": "Change MCP server 'Shop' (mcpsrv_9): request_headers.X. Used by Ada. It sets request_headers = {X: (hidden)}.",
            "delete_mcp_server": "Delete MCP server 'Old' (mcpsrv_10) for good, with what was decided about its tools.",
            "update_mcp_approval_policy": "Change who approves calls of MCP server 'Shop' (mcpsrv_9): from require_approval_all to auto_approve_all. Used by Ada. It sets approval_policy = 'auto_approve_all'.",
            "delete_mcp_tool_approval": "Take back what was decided about 'look_up' of MCP server 'Shop' (mcpsrv_9). Used by Ada.",
            "delete_mcp_tool_config": "Delete the settings of the tool 'look_up' of MCP server 'Shop' (mcpsrv_9) for good. Used by Ada.",
            "place_call": "Let agent 'Ada' (agent_11) call 1 person, +15550001111, from +15551234567 (Desk), now. Costs minutes with the telephone provider and the platform, at most 10 min; the language model about 0.0003 USD a minute, so at most 1 cent. A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "submit_batch_call": "Let agent 'Ada' (agent_11) call 7 people from +15551234567 (Desk), now, as batch 'Recall': +15550000000, +15550000001, +15550000002, +15550000003, +15550000004, +15550000005, +15550000006. Costs minutes with the telephone provider and the platform, at most 70 min (7 x 10); the language model about 0.0003 USD a minute, so at most 0.02 USD. A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "cancel_batch_call": "Stop batch 'Reminder' (btcal_14): 7 people would not be called.",
            "retry_batch_call": "Let agent 'Ada' (agent_11) call 0 people of batch 'Reminder' (btcal_14) again from +15551234567 (Desk), now: nobody. Costs nothing. A yes is for the agent with 1 tool, 1 document, 1 MCP server, as it is now (digest).",
            "update_workspace_settings": "Change the settings of the workspace, for every agent that has none of its own: can_use_mcp_servers. It sets can_use_mcp_servers = False.",
        }
    )
