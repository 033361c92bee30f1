"""Arguments of tools that carry what is guarded, by the guarded path."""

from typing import Any

SECRET = "sk-live-5f1d9c"
REQUEST: dict[str, Any] = {
    "url": "https://hooks.example/crm",
    "request_headers": {"Authorization": SECRET, "X-Key": SECRET},
}
HOOK = {"type": "webhook", "name": "crm", "description": "Looks the caller up.", "api_schema": REQUEST}
LOGGED_IN = HOOK | {"api_schema": REQUEST | {"auth_connection": {"auth_connection_id": "auth_1"}}}
"""Asked about like any other, and then refused by the embedded platform, which has no such auth connection."""
TRANSFER = {
    "type": "system",
    "name": "transfer_to_number",
    "params": {
        "system_tool_type": "transfer_to_number",
        "transfers": [
            {
                "transfer_destination": {"type": "phone", "phone_number": "+15550001111"},
                "condition": "asks for a person",
            }
        ],
    },
}


def prompt(**fields: Any) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": fields}}}


def node(kind: str, **fields: Any) -> dict[str, Any]:
    return graph(n1={"type": kind, **fields})


def graph(**nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow that begins with the first of these nodes."""
    edge = {"source": "start", "target": next(iter(nodes)), "forward_condition": {"type": "unconditional"}}
    return {"workflow": {"nodes": {"start": {"type": "start"}, **nodes}, "edges": {"e": edge}}}


def subagent(**fields: Any) -> dict[str, Any]:
    return node("override_agent", label="Desk", conversation_config={"agent": {"prompt": fields}})


WEBHOOK = {
    "conversation_initiation_client_data_webhook": {"url": "https://h.example/i", "request_headers": {"K": SECRET}}
}
AGENTS: dict[str, dict[str, Any]] = {
    "conversation_config.**.url": prompt(tools=[HOOK]),
    "conversation_config.**.request_headers": prompt(
        llm="custom-llm", custom_llm={"url": "https://llm.example/v1", "request_headers": {"X-Key": SECRET}}
    ),
    "conversation_config.**.auth_connection": prompt(tools=[LOGGED_IN]),
    "conversation_config.**.custom_llm": prompt(llm="custom-llm", custom_llm={"url": "https://llm.example/v1"}),
    "conversation_config.**.transfers": prompt(built_in_tools={"transfer_to_number": TRANSFER}),
    "conversation_config.**.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "conversation_config.**.native_mcp_server_ids": prompt(native_mcp_server_ids=["mcp_1"]),
    "workflow.**.url": subagent(tools=[HOOK]),
    "workflow.**.request_headers": subagent(tools=[HOOK]),
    "workflow.**.auth_connection": subagent(tools=[LOGGED_IN]),
    "workflow.**.custom_llm": subagent(llm="custom-llm", custom_llm={"url": "https://llm.example/v1"}),
    "workflow.**.transfers": subagent(built_in_tools={"transfer_to_number": TRANSFER}),
    "workflow.**.mcp_server_ids": subagent(mcp_server_ids=["mcpsrv_3"]),
    "workflow.**.native_mcp_server_ids": subagent(native_mcp_server_ids=["mcp_1"]),
    "workflow.nodes.*.transfer_destination": node(
        "phone_number", transfer_destination={"type": "phone", "phone_number": "+15550001111"}
    ),
    "workflow.nodes.*.agent_id": node("standalone_agent", agent_id="agent_1"),
    "platform_settings.workspace_overrides": {"platform_settings": {"workspace_overrides": WEBHOOK}},
    "conversation_config.**.tool_ids": prompt(tool_ids=["tool_4"]),
    "workflow.**.tool_ids": subagent(tool_ids=["tool_4"]),
    "workflow.**.additional_tool_ids": node("override_agent", label="Desk", additional_tool_ids=["tool_4"]),
    "workflow.nodes.*.tools": node("tool", tools=[{"tool_id": "tool_4"}]),
    "platform_settings.auth": {"platform_settings": {"auth": {"enable_auth": False, "shareable_token": SECRET}}},
    "platform_settings.overrides": {"platform_settings": {"overrides": {"custom_llm_extra_body": True}}},
    "platform_settings.privacy": {"platform_settings": {"privacy": {"record_voice": True}}},
}
TRUNK = {
    "address": "sip.example",
    "headers": {"X-Key": SECRET},
    "credentials": {"username": "desk", "password": SECRET},
}
CALLERS = {"allowed_addresses": ["192.0.2.0/24"], "credentials": {"username": "desk", "password": SECRET}}
NUMBER = {"phone_number": "+15552223333", "label": "Desk"}
OVERRIDES: dict[str, dict[str, Any]] = {
    "agent_config_override.**.url": prompt(tools=[HOOK]),
    "agent_config_override.**.request_headers": prompt(tools=[HOOK]),
    "agent_config_override.**.auth_connection": prompt(tools=[LOGGED_IN]),
    "agent_config_override.**.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "agent_config_override.**.native_mcp_server_ids": prompt(native_mcp_server_ids=["mcp_1"]),
}
REHEARSALS: dict[str, dict[str, Any]] = {
    f"simulation_specification.**.{last}": {
        "agent_id": "agent_1",
        "caller": "Hello",
        "variables": {last: "https://h.example"},
    }
    for last in ("url", "request_headers", "auth_connection", "mcp_server_ids", "native_mcp_server_ids")
}
TOOLS: dict[str, dict[str, Any]] = {
    "tool_config.**.url": HOOK,
    "tool_config.**.request_headers": HOOK,
    "tool_config.**.auth_connection": LOGGED_IN,
    "tool_config.**.transfers": TRANSFER,
}
