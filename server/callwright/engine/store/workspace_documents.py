"""Stored documents of a whole workspace: one of each kind, complete with its defaults."""

from typing import Literal

from sqlalchemy import delete, insert, select

from ...contract.merge import Json, merged, with_defaults
from ..schema.defaults import DASHBOARD, WORKSPACE
from ..schema.workspace import workspace_document
from .transaction import Tx

Kind = Literal["settings", "dashboard"]

_DEFAULTS: dict[Kind, Json] = {"settings": WORKSPACE, "dashboard": DASHBOARD}


def document_of(tx: Tx, kind: Kind) -> Json:
    found = select(workspace_document.c.document).where(tx.own(workspace_document, kind=kind))
    return with_defaults(tx.db.execute(found).scalar_one_or_none() or {}, _DEFAULTS[kind])


def changed(tx: Tx, kind: Kind, patch: Json) -> Json:
    """The whole document as `patch` would change it. Nothing is stored."""
    return with_defaults(merged(document_of(tx, kind), patch), _DEFAULTS[kind])


def keep(tx: Tx, kind: Kind, document: Json) -> None:
    mine = tx.own(workspace_document, kind=kind)
    tx.db.execute(delete(workspace_document).where(mine))
    tx.db.execute(insert(workspace_document).values(workspace=tx.workspace, kind=kind, document=document))
