"""The rules of what holds for every agent of a workspace."""

from pydantic import BaseModel
from sqlalchemy import delete, insert, select

from ..contract.errors import InvalidRequest, Problem
from ..contract.workspace import (
    GetDashboardSettings,
    GetWorkspaceSettings,
    UpdateDashboardSettings,
    UpdateWorkspaceSettings,
)
from .checks import missing_references, unsafe_urls
from .defaults import DASHBOARD, WORKSPACE
from .handlers import Handlers, Tx
from .merge import Json, merged, with_defaults
from .problems import validated
from .tables_workspace import workspace_document
from .uses import references_in, replace_uses

workspace = Handlers()

_DEFAULTS = {"settings": WORKSPACE, "dashboard": DASHBOARD}
_MISSING = "the effect: nothing calls the webhooks yet"


@workspace.implements(GetWorkspaceSettings, proof="test_workspace_settings_merge_and_null_restores_the_default")
def get_settings(tx: Tx, _: GetWorkspaceSettings) -> Json:
    return _document(tx, "settings")


@workspace.implements(
    UpdateWorkspaceSettings, proof="test_workspace_settings_merge_and_null_restores_the_default", missing=_MISSING
)
def update_settings(tx: Tx, op: UpdateWorkspaceSettings) -> Json:
    """Everything at once or nothing. The webhook's secrets are in use from now on, and cannot be deleted."""
    document = _merged(tx, "settings", UpdateWorkspaceSettings, op.body() or {})
    problems: list[Problem] = [*missing_references(tx, document), *unsafe_urls(document, tx.allow)]
    if problems:
        raise InvalidRequest(problems)
    _keep(tx, "settings", document)
    replace_uses(tx, "workspace", "settings", references_in(document))
    return document


@workspace.implements(GetDashboardSettings, proof="test_the_dashboard_keeps_its_charts_in_order")
def get_dashboard(tx: Tx, _: GetDashboardSettings) -> Json:
    return _document(tx, "dashboard")


@workspace.implements(UpdateDashboardSettings, proof="test_the_dashboard_keeps_its_charts_in_order")
def update_dashboard(tx: Tx, op: UpdateDashboardSettings) -> Json:
    document = _merged(tx, "dashboard", UpdateDashboardSettings, op.body() or {})
    _keep(tx, "dashboard", document)
    return document


def _document(tx: Tx, kind: str) -> Json:
    found = select(workspace_document.c.document).where(
        workspace_document.c.workspace == tx.workspace, workspace_document.c.kind == kind
    )
    return with_defaults(tx.db.execute(found).scalar_one_or_none() or {}, _DEFAULTS[kind])


def _merged(tx: Tx, kind: str, model: type[BaseModel], patch: Json) -> Json:
    """The whole document after the change, valid as one."""
    document: Json = with_defaults(merged(_document(tx, kind), patch), _DEFAULTS[kind])
    validated(model, document)
    return document


def _keep(tx: Tx, kind: str, document: Json) -> None:
    mine = (workspace_document.c.workspace == tx.workspace) & (workspace_document.c.kind == kind)
    tx.db.execute(delete(workspace_document).where(mine))
    tx.db.execute(insert(workspace_document).values(workspace=tx.workspace, kind=kind, document=document))
