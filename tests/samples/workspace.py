"""Sample calls of the operations on the workspace."""

from callwright.contract.workspace import (
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
)

from . import guarding, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(GetWorkspaceSettings, tool="get_workspace_settings", sdk=[Sdk(f"{whole.P}.settings.get")]),
    Sample(
        UpdateWorkspaceSettings,
        tool="update_workspace_settings",
        request={
            "conversation_initiation_client_data_webhook": {
                "url": "https://crm.example.com/who",
                "request_headers": {"x-team": "desk"},
            },
            "rag_retention_period_days": 5,
        },
        sdk=[
            Sdk(
                f"{whole.P}.settings.update",
                {
                    "conversation_initiation_client_data_webhook": {
                        "url": "https://crm.example.com/who",
                        "request_headers": {"a": "ü", "b": {"secret_id": "s"}},
                    },
                    "webhooks": {"post_call_webhook_id": "w1", "events": ["transcript", "audio"], "send_audio": False},
                    "can_use_mcp_servers": True,
                    "rag_retention_period_days": 5,
                    "default_livekit_stack": "standard",
                },
            )
        ],
        calls=[
            {
                "config": {
                    "conversation_initiation_client_data_webhook": probing.PROBE
                    | {"url": "https://a.example", "request_headers": {}},
                    "webhooks": probing.PROBE,
                    "can_use_mcp_servers": True,
                    "rag_retention_period_days": 5,
                    "default_livekit_stack": "static",
                }
            }
        ],
        guarded={
            "conversation_initiation_client_data_webhook": {"config": guarding.WEBHOOK},
            "webhooks": {"config": {"webhooks": {"post_call_webhook_id": "hook_1"}}},
            "can_use_mcp_servers": {"config": {"can_use_mcp_servers": True}},
        },
        phrases=["change the post-call webhook of the workspace"],
    ),
    Sample(GetDashboardSettings, tool="get_dashboard_settings", sdk=[Sdk(f"{whole.P}.dashboard.settings.get")]),
    Sample(
        UpdateDashboardSettings,
        tool="update_dashboard_settings",
        request={"charts": [{"name": "How it went", "type": "call_success"}]},
        sdk=[
            Sdk(
                f"{whole.P}.dashboard.settings.update",
                {
                    "charts": [
                        {"name": "Erfolg", "type": "call_success"},
                        {"name": "Ruhe", "type": "criteria", "criteria_id": "calm"},
                        {"name": "Tag", "type": "data_collection", "data_collection_id": "day"},
                    ]
                },
            )
        ],
        calls=[{"charts": [probing.PROBE | {"type": "call_success", "name": "n"}]}],
    ),
]
