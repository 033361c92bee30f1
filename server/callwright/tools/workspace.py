"""Tools for the settings of the workspace, which apply to all of its agents, and for its dashboard."""

from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..api.client import ApiClient
from ..approval.question import changed_fields
from ..contract.merge import Json
from ..contract.workspace import (
    DashboardSettings,
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
    WorkspaceSettings,
)
from ..replies.text import short
from ..replies.views import View
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.undo import Past, has_plain_headers, undoes

TOOLS = Toolset("workspace", "Settings that hold for every agent of the workspace.")


class Settings(View):
    initiation_webhook_url: str | None = None
    initiation_webhook_headers: list[str] | None = None
    """Names only."""
    post_call_webhook_id: str | None = None
    webhook_events: list[str]
    send_audio: bool
    can_use_mcp_servers: bool | None = None
    rag_retention_period_days: int | None = None
    default_livekit_stack: str | None = None


class ChartLine(View):
    name: str
    type: str
    shows: str | None = None
    """Id of the criterion or of the collected value."""


class Dashboard(View):
    charts: list[ChartLine]


@TOOLS.tool(
    GetWorkspaceSettings, title="Get workspace settings", default=False, parts=True, words="webhooks set workspace"
)
async def get_workspace_settings(api: PlatformApi) -> Settings:
    """Show the webhooks and limits that hold for agents that set none of their own."""
    return _settings(await api.send(GetWorkspaceSettings()))


@TOOLS.tool(
    UpdateWorkspaceSettings,
    title="Update workspace settings",
    default=False,
    words="webhook webhooks after call post-call send notify all agents",
)
async def update_workspace_settings(
    api: PlatformApi,
    config: Annotated[
        Json, Field(description="What to change. Merged; null clears. See describe_config, kind workspace.")
    ],
) -> Settings:
    """Change webhooks or limits for all agents of the workspace at once. For one agent use update_agent."""
    if not config:
        raise ToolError("Nothing to change: give at least one name in config.")
    return _settings(await api.send(UpdateWorkspaceSettings.model_validate(config)))


@TOOLS.tool(GetDashboardSettings, title="Get dashboard settings", default=False)
async def get_dashboard_settings(api: PlatformApi) -> Dashboard:
    """Show which charts the workspace's dashboard has, in their order."""
    return _dashboard(await api.send(GetDashboardSettings()))


@TOOLS.tool(UpdateDashboardSettings, title="Update dashboard settings", default=False)
async def update_dashboard_settings(
    api: PlatformApi,
    charts: Annotated[
        list[Json],
        Field(description="All charts: name, type call_success, criteria (criteria_id), data_collection (.._id)."),
    ],
) -> Dashboard:
    """Choose the dashboard's charts; the list is replaced whole."""
    return _dashboard(await api.send(UpdateDashboardSettings.model_validate({"charts": charts})))


@TOOLS.preview(UpdateWorkspaceSettings)
async def _what_would_hold_for_all(_: ApiClient, op: UpdateWorkspaceSettings) -> str:
    return f"Change the settings of the workspace, for every agent that has none of its own: {changed_fields(op)}."


def _settings(found: WorkspaceSettings) -> Settings:
    webhook = found.conversation_initiation_client_data_webhook
    return Settings(
        initiation_webhook_url=short(webhook.url, 500) if webhook else None,
        initiation_webhook_headers=sorted(webhook.request_headers) if webhook else None,
        post_call_webhook_id=found.webhooks.post_call_webhook_id,
        webhook_events=list(found.webhooks.events),
        send_audio=bool(found.webhooks.send_audio),
        can_use_mcp_servers=found.can_use_mcp_servers,
        rag_retention_period_days=found.rag_retention_period_days,
        default_livekit_stack=found.default_livekit_stack,
    )


def _dashboard(found: DashboardSettings) -> Dashboard:
    charts: list[Any] = list(found.charts)
    return Dashboard(
        charts=[
            ChartLine(
                name=short(str(getattr(chart, "name", ""))),
                type=str(getattr(chart, "type", "")),
                shows=getattr(chart, "criteria_id", None) or getattr(chart, "data_collection_id", None),
            )
            for chart in charts[:100]
        ]
    )


async def _keep_settings(_: ApiClient, op: UpdateWorkspaceSettings, found: Json) -> Json | None:
    hooks = [each.get("conversation_initiation_client_data_webhook") for each in (found, op.body() or {})]
    return None if any(has_plain_headers(hook or {}) for hook in hooks) else found


@undoes(UpdateWorkspaceSettings, reads=GetWorkspaceSettings, sends=UpdateWorkspaceSettings, keep=_keep_settings)
def _set_as_before(past: Past) -> UpdateWorkspaceSettings:
    return UpdateWorkspaceSettings.model_validate(past.inverse())


@undoes(UpdateDashboardSettings, reads=GetDashboardSettings, sends=UpdateDashboardSettings)
def _shown_as_before(past: Past) -> UpdateDashboardSettings:
    return UpdateDashboardSettings.model_validate(past.inverse())
