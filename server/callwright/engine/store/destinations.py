"""Approved destinations: where a person has agreed that the variables of an agent or a tool may lead.

They are stored beside the row and not in its document, so that no copy, undo or export carries them along. One holds
for the places at which its variable stood: in another host, or in a transfer instead of a host, it is void.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import delete, insert, select

from ...contract.errors import InvalidRequest, body_problem
from ...contract.merge import Json
from ..dialogue.destinations import APPROVED, Destinations, places_of_variables
from ..schema.destinations import approved_destination
from .transaction import Tx

Holder = Literal["agent", "tool"]


def destinations_of(tx: Tx, kind: Holder, id: str, document: object) -> Destinations:
    """What is approved for the variables where they stand in the document now."""
    places = places_of_variables(document)
    if not places:
        return {}
    table = approved_destination
    found = select(table.c.variable, table.c.places, table.c.approved).where(
        tx.own(table, holder_kind=kind, holder_id=id)
    )
    return {
        row.variable: row.approved
        for row in tx.db.execute(found)
        if places.get(row.variable, set()) <= {*row.places} and row.variable in places
    }


def with_approved(tool: Json, approved: Destinations) -> Json:
    """The configuration of a tool as the runtime reads it."""
    return tool | {APPROVED: approved} if approved else tool


def approve_destinations(tx: Tx, kind: Holder, id: str, document: Json, given: Mapping[str, Sequence[str]]) -> None:
    """Replace what is approved. Raises InvalidRequest for a variable that stands in no address and no transfer."""
    places = places_of_variables(document)
    there = ", ".join(sorted(places)) or "none"
    problems = [
        body_problem(["destinations", name], f"No host and no transfer of this {kind} holds it. Held there: {there}.")
        for name in given
        if name not in places
    ]
    if problems:
        raise InvalidRequest(problems)
    forget_destinations(tx, kind, id)
    rows = [
        {
            "workspace": tx.workspace,
            "holder_kind": kind,
            "holder_id": id,
            "variable": name,
            "places": sorted(places[name]),
            "approved": list(approved),
        }
        for name, approved in given.items()
        if approved
    ]
    if rows:
        tx.db.execute(insert(approved_destination), rows)


def forget_destinations(tx: Tx, kind: Holder, id: str) -> None:
    tx.db.execute(delete(approved_destination).where(tx.own(approved_destination, holder_kind=kind, holder_id=id)))
