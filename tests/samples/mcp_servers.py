"""Sample calls of the operations on MCP servers."""

from callwright.contract.mcp_servers import (
    CreateMcpServer,
    CreateMcpToolApproval,
    CreateMcpToolConfig,
    DeleteMcpServer,
    DeleteMcpToolApproval,
    DeleteMcpToolConfig,
    GetMcpServer,
    GetMcpToolConfig,
    ListMcpServers,
    ListMcpTools,
    UpdateMcpApprovalPolicy,
    UpdateMcpServer,
    UpdateMcpToolConfig,
)

from . import guarding, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateMcpServer,
        tool="create_mcp_server",
        request={
            "config": {
                "name": "Calendar",
                "url": "https://mcp.invalid/mcp",
                "secret_token": {"secret_id": "{secret_id}"},
                "request_headers": {"X-Team": "desk"},
            }
        },
        makes=("mcp_server_id", "id"),
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.create",
                {
                    "config": {
                        "name": "Kalender ü",
                        "url": {"secret_id": "s"},
                        "transport": "STREAMABLE_HTTP",
                        "approval_policy": "require_approval_per_tool",
                        "tool_approval_hashes": [
                            {"tool_name": "t", "tool_hash": "h", "approval_policy": "auto_approved"}
                        ],
                        "secret_token": {"secret_id": "s"},
                        "request_headers": {"a": "b", "c": {"secret_id": "s"}},
                        "description": "d",
                        "force_pre_tool_speech": True,
                        "disable_interruptions": False,
                    }
                },
            )
        ],
        calls=[
            {"name": "n", "config": {"url": {"secret_id": "secret_1"}}},
            {"name": "n", "url": "https://mcp.example.com", "config": probing.PROBE},
        ],
        guarded={
            "config.url": {"name": "Calendar", "url": "https://mcp.example/mcp"},
            "config.secret_token": {
                "name": "Calendar",
                "url": "https://mcp.example/mcp",
                "token_secret_id": "secret_1",
            },
            "config.request_headers": {
                "name": "Calendar",
                "url": "https://mcp.example/mcp",
                "headers": {"X-Key": guarding.SECRET},
            },
            "config.approval_policy": {
                "name": "Calendar",
                "url": "https://mcp.example/mcp",
                "approval_policy": "auto_approve_all",
            },
        },
        phrases=["connect an MCP server"],
    ),
    Sample(ListMcpServers, tool="list_mcp_servers", lists="mcp_servers", sdk=[Sdk(f"{whole.P}.mcp_servers.list")]),
    Sample(GetMcpServer, tool="get_mcp_server", sdk=[Sdk(f"{whole.P}.mcp_servers.get", {"mcp_server_id": whole.M})]),
    Sample(
        UpdateMcpServer,
        tool="update_mcp_server",
        request={"response_timeout_secs": 30, "request_meta": {"team": "desk"}},
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.update",
                {
                    "mcp_server_id": whole.M,
                    "approval_policy": "auto_approve_all",
                    "request_headers": whole.HEADERS,
                    **{k: v for k, v in whole.MCP_TOOL.items() if k != "assignments"},
                },
            )
        ],
        whole_config={"mcp_server_id": probing.M},
        beside_ids={"headers": {"a": "b"}},
        guarded={
            "approval_policy": {"mcp_server_id": "mcpsrv_3", "config": {"approval_policy": "auto_approve_all"}},
            "request_headers": {"mcp_server_id": "mcpsrv_3", "headers": {"X-Key": guarding.SECRET}},
            "request_meta": {"mcp_server_id": "mcpsrv_3", "config": {"request_meta": {"key": guarding.SECRET}}},
            "secret_token": {"mcp_server_id": "mcpsrv_3", "token_secret_id": "secret_1"},
            "auth_connection": {
                "mcp_server_id": "mcpsrv_3",
                "config": {"auth_connection": {"auth_connection_id": "auth_1"}},
            },
        },
    ),
    Sample(
        DeleteMcpServer,
        tool="delete_mcp_server",
        sdk=[Sdk(f"{whole.P}.mcp_servers.delete", {"mcp_server_id": whole.M})],
    ),
    Sample(
        UpdateMcpApprovalPolicy,
        tool="update_mcp_approval_policy",
        request={"approval_policy": "require_approval_per_tool"},
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.approval_policy.update",
                {"mcp_server_id": whole.M, "approval_policy": "require_approval_all"},
            )
        ],
        calls=[{"mcp_server_id": probing.M, "approval_policy": "auto_approve_all"}],
        beside_ids={"approval_policy": "auto_approve_all"},
        guarded={"approval_policy": {"mcp_server_id": "mcpsrv_3", "approval_policy": "auto_approve_all"}},
    ),
    Sample(
        CreateMcpToolApproval,
        tool="create_mcp_tool_approval",
        request={"tool_name": "book", "tool_description": "Books.", "input_schema": {"type": "object"}},
        makes=(),
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.tool_approvals.create",
                {
                    "mcp_server_id": whole.M,
                    "tool_name": "a/b",
                    "tool_description": "Bücht",
                    "input_schema": {"type": "object", "properties": {"x": {"type": ["string", "null"]}}},
                    "approval_policy": "requires_approval",
                },
            )
        ],
        calls=[probing.CONFIGURING | {"policy": "auto_approved"}],
        beside_ids={"policy": "auto_approved"},
        guarded={"tool_name": {"mcp_server_id": "mcpsrv_3", "tool_name": "book", "policy": "auto_approved"}},
        phrases=["approve one tool of an MCP server"],
    ),
    Sample(
        DeleteMcpToolApproval,
        tool="delete_mcp_tool_approval",
        sdk=[
            Sdk(f"{whole.P}.mcp_servers.tool_approvals.delete", {"mcp_server_id": whole.M, "tool_name": "files.read-1"})
        ],
    ),
    Sample(
        ListMcpTools,
        tool="list_mcp_tools",
        sdk=[Sdk(f"{whole.P}.mcp_servers.tools.list", {"mcp_server_id": whole.M})],
        read_as={"success": True, "tools": [{"name": "find", "description": "d", "inputSchema": {"type": "object"}}]},
        phrases=["which tools does the MCP server have"],
    ),
    Sample(
        CreateMcpToolConfig,
        tool="create_mcp_tool_config",
        request={
            "tool_name": "book",
            "execution_mode": "async",
            "input_overrides": {"at": {"source": "constant", "constant_value": "09:00"}},
        },
        makes=(),
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.tool_configs.create",
                {"mcp_server_id": whole.M, "tool_name": "files.read", **whole.MCP_TOOL},
            )
        ],
        whole_config=probing.CONFIGURING,
        beside_ids={"config": {"execution_mode": "async"}},
        guarded={
            at: {"mcp_server_id": "mcpsrv_3", "tool_name": "book", "config": config}
            for at, config in guarding.CONFIGURED.items()
        },
    ),
    Sample(
        GetMcpToolConfig,
        tool="get_mcp_tool_config",
        sdk=[Sdk(f"{whole.P}.mcp_servers.tool_configs.get", {"mcp_server_id": whole.M, "tool_name": "files.read"})],
    ),
    Sample(
        UpdateMcpToolConfig,
        tool="update_mcp_tool_config",
        request={"pre_tool_speech": "off"},
        sdk=[
            Sdk(
                f"{whole.P}.mcp_servers.tool_configs.update",
                {"mcp_server_id": whole.M, "tool_name": "files.read", **whole.MCP_TOOL},
            )
        ],
        whole_config=probing.CONFIGURING,
        beside_ids={"config": {"execution_mode": "async"}},
        guarded={
            at: {"mcp_server_id": "mcpsrv_3", "tool_name": "book", "config": config}
            for at, config in guarding.CONFIGURED.items()
        },
    ),
    Sample(
        DeleteMcpToolConfig,
        tool="delete_mcp_tool_config",
        sdk=[Sdk(f"{whole.P}.mcp_servers.tool_configs.delete", {"mcp_server_id": whole.M, "tool_name": "files.read"})],
    ),
]
