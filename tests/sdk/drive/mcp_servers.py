# pyright: basic
"""MCP servers: one that really runs, and what is decided about its tools."""

from .sdk import Sdk

ELSEWHERE = {"request_options": {"additional_query_parameters": {"environment": "staging"}}}


def sweep(sdk: Sdk) -> None:
    config = {
        "name": "Calendar",
        "url": f"{sdk.peer}/mcp",
        "transport": "STREAMABLE_HTTP",
        "approval_policy": "require_approval_per_tool",
        "request_headers": {"X-Team": "desk"},
    }
    server = sdk.call("mcp_servers.create", config=config).id
    sdk.call("mcp_servers.get", server)
    listed = sdk.call("mcp_servers.tools.list", server)
    sdk.saw("tools of the server", [listed.success, sorted(tool.name for tool in listed.tools)])
    sdk.call("mcp_servers.approval_policy.update", server, approval_policy="auto_approve_all")
    changed = {"force_pre_tool_speech": True, "execution_mode": "post_tool_speech"}
    sdk.call("mcp_servers.update", server, **changed, approval_policy="require_approval_per_tool")
    decisions(sdk, server, listed.tools[0])
    [row] = sdk.call("mcp_servers.list").mcp_servers
    sdk.saw("a changed server", [row.config.approval_policy, row.config.force_pre_tool_speech])
    refusals(sdk, server, config)

    prompt = {"agent": {"prompt": {"mcp_server_ids": [server]}}}
    ada = sdk.call("agents.create", name="Ada", conversation_config=prompt).agent_id
    sdk.saw("agents that use it", [each.name for each in sdk.call("mcp_servers.get", server).dependent_agents])
    sdk.refused("mcp_servers.delete", server)
    private = {"privacy": {"zero_retention_mode": True}}
    gemini = {"agent": {"prompt": {"mcp_server_ids": [server], "llm": "gemini-2.5-flash"}}}
    sdk.refused("agents.create", conversation_config=gemini, platform_settings=private)
    sdk.call("agents.delete", ada)
    sdk.call("mcp_servers.delete", server)
    sdk.saw("MCP servers once deleted", sdk.call("mcp_servers.list").mcp_servers)


def decisions(sdk: Sdk, server: str, tool) -> None:
    described = {"tool_name": tool.name, "tool_description": tool.description, "input_schema": tool.input_schema}
    made = sdk.call("mcp_servers.tool_approvals.create", server, **described, approval_policy="auto_approved")
    sdk.saw("decided", [[each.tool_name, each.approval_policy] for each in made.config.tool_approval_hashes])
    gone = sdk.call("mcp_servers.tool_approvals.delete", server, tool.name)
    sdk.saw("decided once taken back", gone.config.tool_approval_hashes)
    sdk.refused("mcp_servers.tool_approvals.delete", server, tool.name)

    assigned = [{"source": "response", "dynamic_variable": "day", "value_path": "day"}]
    sdk.call("mcp_servers.tool_configs.create", server, tool_name="book", assignments=assigned, execution_mode="async")
    sdk.call("mcp_servers.tool_configs.update", server, "book", tool_call_sound="typing")
    kept = sdk.call("mcp_servers.tool_configs.get", server, "book")
    sdk.saw("a tool's configuration", [kept.execution_mode, kept.tool_call_sound, kept.assignments[0].value_path])
    sdk.refused("mcp_servers.tool_configs.create", server, tool_name="book")
    sdk.refused("mcp_servers.tool_configs.update", server, "book", **ELSEWHERE)
    sdk.refused("mcp_servers.tool_configs.update", server, "book", execution_mode=7)
    sdk.call("mcp_servers.tool_configs.delete", server, "book")
    sdk.refused("mcp_servers.tool_configs.get", server, "book")


def refusals(sdk: Sdk, server: str, config: dict) -> None:
    for wrong in (
        {**config, "url": "https://169.254.169.254/mcp"},
        {**config, "url": "https://mcp.internal/mcp"},
        {**config, "secret_token": {"secret_id": "secret_no"}},
        {"name": "No address"},
    ):
        sdk.refused("mcp_servers.create", config=wrong)
    sdk.refused("mcp_servers.update", server, request_headers={"X-Team": 7})
    sdk.refused("mcp_servers.approval_policy.update", server, approval_policy=None)
    silent = sdk.call("mcp_servers.create", config={**config, "name": "Silent", "url": f"{sdk.peer}/nowhere"}).id
    asked = sdk.call("mcp_servers.tools.list", silent)
    sdk.saw("tools of a server that is none", [asked.success, asked.tools, asked.error_message])
    sdk.call("mcp_servers.delete", silent)
