"""Settings that hold for every agent of the workspace."""

from typing import Annotated, Literal

from pydantic import Field

from .agent.settings import InitiationWebhook, Webhooks
from .common import Maybe, OneOf, Unknown, Variant, Wire
from .guards import outward
from .operation import Operation
from .phone_numbers import LivekitStack


class WorkspaceSettings(Wire):
    """What holds for agents that say nothing else."""

    conversation_initiation_client_data_webhook: InitiationWebhook | None = None
    webhooks: Webhooks = Field(default_factory=Webhooks)
    can_use_mcp_servers: Maybe[bool] = None
    rag_retention_period_days: Maybe[int] = None
    """Days that an index of a document is kept without being used."""
    default_livekit_stack: Maybe[LivekitStack] = None


class CallSuccessChart(Variant):
    """Calls that succeeded."""

    name: str
    type: Literal["call_success"] = "call_success"


class CriterionChart(Variant):
    """How one goal was met."""

    name: str
    type: Literal["criteria"] = "criteria"
    criteria_id: str


class CollectedValueChart(Variant):
    """Values that were found in conversations."""

    name: str
    type: Literal["data_collection"] = "data_collection"
    data_collection_id: str


Chart = Annotated[CallSuccessChart | CriterionChart | CollectedValueChart | Unknown, OneOf("type")]


class DashboardSettings(Wire):
    """The charts of the dashboard, in their order."""

    charts: list[Chart] = []


class GetWorkspaceSettings(Operation[WorkspaceSettings], method="GET", path="/v1/convai/settings"):
    """Read the settings of the workspace."""


class UpdateWorkspaceSettings(
    Operation[WorkspaceSettings],
    method="PATCH",
    path="/v1/convai/settings",
    guarded=outward("conversation_initiation_client_data_webhook", "webhooks", "can_use_mcp_servers"),
):
    """Change settings of the workspace; what is left out stays."""

    conversation_initiation_client_data_webhook: InitiationWebhook | None = None
    webhooks: Webhooks = Field(default_factory=Webhooks)
    can_use_mcp_servers: Maybe[bool] = None
    rag_retention_period_days: Maybe[int] = None
    default_livekit_stack: Maybe[LivekitStack] = None


class GetDashboardSettings(Operation[DashboardSettings], method="GET", path="/v1/convai/settings/dashboard"):
    """Read which charts the dashboard shows."""


class UpdateDashboardSettings(Operation[DashboardSettings], method="PATCH", path="/v1/convai/settings/dashboard"):
    """Choose the charts of the dashboard; the list is replaced."""

    charts: list[Chart] = []
