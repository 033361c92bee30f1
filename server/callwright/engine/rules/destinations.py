"""The handlers of approved destinations."""

from ...contract.destinations import (
    Destinations,
    GetAgentDestinations,
    GetToolDestinations,
    SetAgentDestinations,
    SetToolDestinations,
)
from ...contract.merge import Json
from ..handlers import Handlers
from ..schema.agent_tools import tool
from ..schema.tables import agent
from ..store.destinations import Holder, approve_destinations, destinations_of
from ..store.transaction import Tx

destinations = Handlers()

_PROOF = "test_a_variable_leads_where_a_person_approved"


@destinations.implements(GetAgentDestinations, proof=_PROOF)
def get_agent_destinations(tx: Tx, op: GetAgentDestinations) -> Destinations:
    return _answer(tx, "agent", op.agent_id, tx.one(agent, op.agent_id)["document"])


@destinations.implements(SetAgentDestinations, proof=_PROOF)
def set_agent_destinations(tx: Tx, op: SetAgentDestinations) -> Destinations:
    document: Json = tx.one(agent, op.agent_id)["document"]
    approve_destinations(tx, "agent", op.agent_id, document, op.destinations)
    return _answer(tx, "agent", op.agent_id, document)


@destinations.implements(GetToolDestinations, proof=_PROOF)
def get_tool_destinations(tx: Tx, op: GetToolDestinations) -> Destinations:
    return _answer(tx, "tool", op.tool_id, tx.one(tool, op.tool_id)["document"])


@destinations.implements(SetToolDestinations, proof=_PROOF)
def set_tool_destinations(tx: Tx, op: SetToolDestinations) -> Destinations:
    document: Json = tx.one(tool, op.tool_id)["document"]
    approve_destinations(tx, "tool", op.tool_id, document, op.destinations)
    return _answer(tx, "tool", op.tool_id, document)


def _answer(tx: Tx, kind: Holder, id: str, document: Json) -> Destinations:
    found = destinations_of(tx, kind, id, document)
    return Destinations(destinations={name: list(approved) for name, approved in sorted(found.items())})
