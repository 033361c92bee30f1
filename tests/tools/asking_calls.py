"""A workspace with something of each kind, and for every tool that may ask a call of it that does."""

from pathlib import Path
from typing import Any

from callwright.app import App
from tests.samples.guarding import HOOK
from tests.transports import START_MS, Clock, facts, numbered, reach, settings

Json = dict[str, Any]
NEAR: Json = {
    "toolsets": ("all",), "allow_private": ("127.0.0.1", "mcp.example"), "secret_env": {"CRM": "tiger"},
}  # fmt: skip
LOGIN = {"auth_type": "oauth2_client_credentials", "client_id": "c", "token_url": "https://login.example/token"}


async def furnished(home: Path, clock: Clock) -> dict[str, str]:
    """Ids of something of each kind, and of things that depend on it; made where nobody is asked."""
    app = App(settings(home, approval="none", **NEAR), "embedded", clock=clock, ids=numbered())
    async with reach(app) as (client, _):

        async def made(tool: str, key: str, **arguments: Any) -> str:
            return facts(await client.call_tool(tool, arguments))[key]

        ids: dict[str, str] = {}
        ids["document"] = await made(
            "create_text_document", "document_id", name="Handbook", text="Opening hours: nine."
        )
        ids["index"] = await made("create_rag_index", "index_id", document_id=ids["document"])
        ids["tool"] = await made("create_tool", "tool_id", config=HOOK)
        ids["free_tool"] = await made("create_tool", "tool_id", config={**HOOK, "name": "old"})
        ids["secret"] = await made("create_secret", "secret_id", name="crm", value="abc")
        ids["free_secret"] = await made("create_secret", "secret_id", name="old", value="abc")
        ids["test"] = await made(
            "create_agent_test", "test_id", name="Polite", history=["user: Hi"], condition="polite"
        )
        ids["login"] = await made(
            "create_auth_connection", "auth_connection_id", name="crm", value_env="CRM", login=LOGIN
        )
        mcp = {"name": "Shop", "url": "http://127.0.0.1:1/mcp", "token_secret_id": ids["secret"]}
        ids["mcp"] = await made("create_mcp_server", "mcp_server_id", **mcp)
        ids["free_mcp"] = await made("create_mcp_server", "mcp_server_id", name="Old", url="http://127.0.0.1:1/mcp")
        part: Json = {
            "conversation_config": {"agent": {"prompt": {"mcp_server_ids": [ids["mcp"]], "llm": "gpt-4o-mini"}}}
        }
        part["platform_settings"] = {"auth": {"enable_auth": True}}
        agent = {"name": "Ada", "prompt": "p", "tool_ids": [ids["tool"]], "document_ids": [ids["document"]]}
        ids["agent"] = await made("create_agent", "agent_id", **agent, config=part)
        twilio = {"phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1", "twilio_token": "hush"}
        ids["number"] = await made("import_phone_number", "phone_number_id", **twilio)
        await made("update_phone_number", "phone_number_id", phone_number_id=ids["number"], agent_id=ids["agent"])
        ids["talk"] = await made("simulate_conversation", "conversation_id", agent_id=ids["agent"], caller="Hello")
        batch = {"agent_id": ids["agent"], "phone_number_id": ids["number"], "name": "Reminder"}
        people = [{"phone_number": f"+1555000{i:04}"} for i in range(7)]
        later = START_MS // 1000 + 3600
        ids["batch"] = await made(
            "submit_batch_call", "batch_id", **batch, recipients=people, scheduled_unix_secs=later
        )
        ran = await made("run_agent_tests", "invocation_id", agent_id=ids["agent"], test_ids=[ids["test"]])
        ids["invocation"] = ran
        runs = facts(await client.call_tool("get_test_invocation", {"invocation_id": ran}))["runs"]
        ids["run"] = runs[0]["run_id"]
    return ids


def calls(ids: dict[str, str]) -> dict[str, Json]:
    """For every tool that may ask, a call of it that does."""
    agent, number, mcp = {"agent_id": ids["agent"]}, {"phone_number_id": ids["number"]}, {"mcp_server_id": ids["mcp"]}
    opened = {"config": {"platform_settings": {"auth": {"enable_auth": False}}}}
    hooked = {"conversation_config": {"agent": {"prompt": {"tools": [HOOK]}}}}
    people = [{"phone_number": f"+1555000{i:04}"} for i in range(7)]
    schema: Json = {**dict[str, Any](HOOK)["api_schema"], "url": "https://b.example/"}
    changed = {"config": {**HOOK, "api_schema": schema}}
    return {
        "create_agent": {"name": "Bob", "prompt": "p", **opened},
        "update_agent": {**agent, **opened},
        "get_agent_link": agent,
        "delete_agent": agent,
        "simulate_conversation": {**agent, "caller": "Hi", "config": {"simulation_specification": {"simulated_user_config": {"prompt": {"tools": [HOOK]}}}}},
        "get_signed_url": agent,
        "get_session_token": agent,
        "delete_conversation": {"conversation_id": ids["talk"]},
        "create_url_document": {"url": "http://127.0.0.1:1/page"},
        "delete_document": {"document_id": ids["document"], "force": True},
        "delete_rag_index": {"document_id": ids["document"], "index_id": ids["index"]},
        "import_phone_number": {"phone_number": "+15557654321", "label": "Two", "twilio_sid": "A", "twilio_token": "h"},
        "update_phone_number": {**number, "unassign": True},
        "delete_phone_number": number,
        "create_secret": {"name": "new", "value": "abc"},
        "update_secret": {"secret_id": ids["secret"], "name": "crm", "value": "abcd"},
        "delete_secret": {"secret_id": ids["free_secret"]},
        "create_auth_connection": {"name": "new", "value_env": "CRM", "login": LOGIN},
        "delete_auth_connection": {"auth_connection_id": ids["login"]},
        "create_tool": {"config": HOOK},
        "update_tool": {"tool_id": ids["tool"], **changed},
        "delete_tool": {"tool_id": ids["free_tool"]},
        "update_destinations": {"tool_id": ids["tool"], "destinations": {"base": ["https://b.example"]}},
        "run_agent_tests": {**agent, "test_ids": [ids["test"]], "override": hooked},
        "resubmit_test_invocation": {"invocation_id": ids["invocation"], "run_ids": [ids["run"]], "override": hooked},
        "delete_agent_test": {"test_id": ids["test"]},
        "create_mcp_server": {"name": "New", "url": "http://127.0.0.1:1/mcp"},
        "update_mcp_server": {**mcp, "headers": {"X": "y"}},
        "delete_mcp_server": {"mcp_server_id": ids["free_mcp"]},
        "update_mcp_approval_policy": {**mcp, "approval_policy": "auto_approve_all"},
        "delete_mcp_tool_approval": {**mcp, "tool_name": "look_up"},
        "delete_mcp_tool_config": {**mcp, "tool_name": "look_up"},
        "place_call": {**agent, **number, "to_number": "+15550001111"},
        "submit_batch_call": {**agent, **number, "name": "Recall", "recipients": people},
        "cancel_batch_call": {"batch_id": ids["batch"]},
        "retry_batch_call": {"batch_id": ids["batch"]},
        "update_workspace_settings": {"config": {"can_use_mcp_servers": False}},
    }  # fmt: skip
