"""The calls that carry what is guarded: every guarded path of every operation, through every tool that can hold it."""

from dataclasses import dataclass
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
AGENT_BODIES: dict[str, dict[str, Any]] = {
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
MCP = {"mcp_server_id": "mcpsrv_3"}
MCP_CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("CreateMcpServer create_mcp_server", "config.url"): {},
    ("CreateMcpServer create_mcp_server", "config.secret_token"): {"token_secret_id": "secret_1"},
    ("CreateMcpServer create_mcp_server", "config.request_headers"): {"headers": {"X-Key": SECRET}},
    ("CreateMcpServer create_mcp_server", "config.approval_policy"): {"approval_policy": "auto_approve_all"},
    ("UpdateMcpServer update_mcp_server", "approval_policy"): {"config": {"approval_policy": "auto_approve_all"}},
    ("UpdateMcpServer update_mcp_server", "request_headers"): {"headers": {"X-Key": SECRET}},
    ("UpdateMcpServer update_mcp_server", "request_meta"): {"config": {"request_meta": {"key": SECRET}}},
    ("UpdateMcpServer update_mcp_server", "secret_token"): {"token_secret_id": "secret_1"},
    ("UpdateMcpServer update_mcp_server", "auth_connection"): {
        "config": {"auth_connection": {"auth_connection_id": "auth_1"}}
    },
    ("UpdateMcpApprovalPolicy update_mcp_approval_policy", "approval_policy"): {"approval_policy": "auto_approve_all"},
    ("CreateMcpToolApproval create_mcp_tool_approval", "tool_name"): {
        "tool_name": "book", "policy": "auto_approved"
    },
}  # fmt: skip
OVERRIDES: dict[str, dict[str, Any]] = {
    "agent_config_override.**.url": prompt(tools=[HOOK]),
    "agent_config_override.**.request_headers": prompt(tools=[HOOK]),
    "agent_config_override.**.auth_connection": prompt(tools=[LOGGED_IN]),
    "agent_config_override.**.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "agent_config_override.**.native_mcp_server_ids": prompt(native_mcp_server_ids=["mcp_1"]),
}
WORKSPACE: dict[str, dict[str, Any]] = {
    "conversation_initiation_client_data_webhook": WEBHOOK,
    "webhooks": {"webhooks": {"post_call_webhook_id": "hook_1"}},
    "can_use_mcp_servers": {"can_use_mcp_servers": True},
}
REHEARSAL = {"agent_id": "agent_1", "caller": "Hello"}


@dataclass(frozen=True)
class Carried:
    """One tool call that carries one guarded pattern of the operation that it sends."""

    operation: str
    pattern: str
    tool: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.tool}-{self.pattern}"


def carried() -> list[Carried]:
    calls: list[Carried] = []
    for pattern, body in AGENT_BODIES.items():
        made = {"name": "Bob", "prompt": "Help.", "config": body}
        calls += [
            Carried("CreateAgent", pattern, "create_agent", made),
            Carried("UpdateAgent", pattern, "update_agent", {"agent_id": "agent_1", "config": body}),
        ]
    for side, trunk in (("outbound", TRUNK), ("inbound", CALLERS)):
        pattern, given = f"{side}_trunk_config", {f"sip_{side}": trunk}
        calls += [
            Carried("CreatePhoneNumber", pattern, "import_phone_number", {**NUMBER, **given}),
            Carried("UpdatePhoneNumber", pattern, "update_phone_number", {"phone_number_id": "phnum_2", **given}),
        ]
    assign = {"phone_number_id": "phnum_2", "agent_id": "agent_1"}
    calls.append(Carried("UpdatePhoneNumber", "agent_id", "update_phone_number", assign))
    for last in ("url", "request_headers", "auth_connection", "mcp_server_ids", "native_mcp_server_ids"):
        named = {**REHEARSAL, "variables": {last: "https://h.example"}}
        calls += [
            Carried(operation, f"simulation_specification.**.{last}", "simulate_conversation", named)
            for operation in ("StreamSimulation", "SimulateConversation")  # here, and on the hosted platform
        ]
    for (sent, pattern), given in MCP_CALLS.items():
        operation, tool = sent.split()
        who = {"name": "Calendar", "url": "https://mcp.example/mcp"} if tool == "create_mcp_server" else MCP
        calls.append(Carried(operation, pattern, tool, {**who, **given}))
    for last in ("url", "request_headers", "auth_connection", "transfers"):
        config = {"transfers": TRANSFER, "auth_connection": LOGGED_IN}.get(last, HOOK)
        pattern = f"tool_config.**.{last}"
        calls += [
            Carried("CreateTool", pattern, "create_tool", {"config": config}),
            Carried("UpdateTool", pattern, "update_tool", {"tool_id": "tool_4", "config": config}),
        ]
    calls += [
        Carried("UpdateWorkspaceSettings", pattern, "update_workspace_settings", {"config": config})
        for pattern, config in WORKSPACE.items()
    ]
    login = {"auth_type": "oauth2_client_credentials", "client_id": "c", "token_url": "https://h.example/token"}
    connect = {"name": "CRM", "login": login, "value_env": "CRM"}
    calls.append(Carried("CreateAuthConnection", "token_url", "create_auth_connection", connect))
    calls.append(Carried("CreateUrlDocument", "url", "create_url_document", {"url": "https://h.example/?said=1"}))
    for pattern, override in OVERRIDES.items():
        run = {"agent_id": "agent_1", "test_ids": ["test_5"], "override": override, "wait_seconds": 0}
        again = {"invocation_id": "tinv_6", "run_ids": ["trun_7"], "override": override}
        calls += [
            Carried("RunAgentTests", pattern, "run_agent_tests", run),
            Carried("ResubmitInvocation", pattern, "resubmit_test_invocation", again),
        ]
    return calls
