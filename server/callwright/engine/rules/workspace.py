"""The handlers of workspace settings, which hold for every agent of a workspace."""

from ...contract.errors import InvalidRequest, Problem
from ...contract.merge import Json
from ...contract.references import references_in
from ...contract.workspace import (
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
)
from ..checks.configuration import missing_references, unsafe_urls
from ..checks.problems import validated
from ..checks.webhook_events import in_step
from ..handlers import Handlers
from ..store.transaction import Tx
from ..store.uses import replace_uses
from ..store.workspace_documents import changed, document_of, keep

workspace = Handlers()

_MISSING = "the effect of webhooks and rag_retention_period_days: no webhook is called, and no index ages"


@workspace.implements(GetWorkspaceSettings, proof="test_workspace_settings_merge_and_null_restores_the_default")
def get_settings(tx: Tx, _: GetWorkspaceSettings) -> Json:
    return document_of(tx, "settings")


@workspace.implements(
    UpdateWorkspaceSettings, proof="test_workspace_settings_merge_and_null_restores_the_default", missing=_MISSING
)
def update_settings(tx: Tx, op: UpdateWorkspaceSettings) -> Json:
    """Update the settings, all or none. Secrets of the webhook count as used from now on and cannot be deleted."""
    body = op.body() or {}
    document = changed(tx, "settings", body)
    validated(UpdateWorkspaceSettings, document)
    document["webhooks"] = in_step(document["webhooks"], body.get("webhooks"))
    problems: list[Problem] = [*missing_references(tx, document), *unsafe_urls(document, tx.allow)]
    if problems:
        raise InvalidRequest(problems)
    keep(tx, "settings", document)
    replace_uses(tx, "workspace", "settings", references_in(document))
    return document


@workspace.implements(GetDashboardSettings, proof="test_the_dashboard_keeps_its_charts_in_order")
def get_dashboard(tx: Tx, _: GetDashboardSettings) -> Json:
    return document_of(tx, "dashboard")


@workspace.implements(UpdateDashboardSettings, proof="test_the_dashboard_keeps_its_charts_in_order")
def update_dashboard(tx: Tx, op: UpdateDashboardSettings) -> Json:
    document = changed(tx, "dashboard", op.body() or {})
    validated(UpdateDashboardSettings, document)
    keep(tx, "dashboard", document)
    return document
