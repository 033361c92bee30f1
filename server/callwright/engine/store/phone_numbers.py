"""Rows of phone numbers, and their assignment to agents."""

import json
from typing import Any

from sqlalchemy import RowMapping, select, update

from ...contract.merge import Json
from ..schema.tables import phone_number
from .transaction import Tx

Credentials = dict[str, Any]
"""The sealed part of a phone number: tokens and passwords, by their field names in the API."""


def numbers_of(tx: Tx, agent_id: str, agent_name: str) -> list[Json]:
    """The numbers assigned to an agent, in the shape of the agent's `phone_numbers` field."""
    found = (
        select(phone_number)
        .where(tx.own(phone_number, agent_id=agent_id))
        .order_by(phone_number.c.created_ms, phone_number.c.id)
    )
    return [answer_of(row, agent_name) for row in tx.db.execute(found).mappings()]


def unassign(tx: Tx, agent_id: str) -> list[str]:
    """Unassign all numbers of an agent. Returns them as `+15551234567 (phnum_…)`."""
    mine = tx.own(phone_number, agent_id=agent_id)
    rows = tx.db.execute(select(phone_number.c.phone_number, phone_number.c.id).where(mine)).all()
    tx.db.execute(update(phone_number).where(mine).values(agent_id=None))
    return [f"{row.phone_number} ({row.id})" for row in rows]


def credentials_of(tx: Tx, row: RowMapping) -> Credentials:
    sealed = row["sealed"]
    return json.loads(tx.vault.open(sealed, belongs_to=f"{tx.workspace}/{row['id']}")) if sealed is not None else {}


def answer_of(row: RowMapping, agent_name: str | None) -> Json:
    stored: Json = row["document"]
    shown: Json = {
        "phone_number_id": row["id"],
        "phone_number": row["phone_number"],
        "label": row["label"],
        "provider": row["provider"],
        "supports_inbound": stored.get("supports_inbound", True),
        "supports_outbound": stored.get("supports_outbound", True),
        "assigned_agent": {"agent_id": row["agent_id"], "agent_name": agent_name} if agent_name is not None else None,
    }
    if row["provider"] != "sip_trunk":
        return shown
    outbound = _outbound(stored.get("outbound_trunk_config"))
    return shown | {
        "provider_config": outbound,
        "outbound_trunk": outbound,
        "inbound_trunk": _inbound(stored.get("inbound_trunk_config")),
        "livekit_stack": stored.get("livekit_stack", "standard"),
    }


def _outbound(trunk: Json | None) -> Json | None:
    """The outbound trunk for an answer. It shows header names without values, which may be credentials."""
    if trunk is None:
        return None
    return {
        "address": trunk["address"],
        "transport": trunk.get("transport", "auto"),
        "media_encryption": trunk.get("media_encryption", "allowed"),
        "headers": dict.fromkeys(trunk.get("header_names", []), "(hidden)"),
        "has_auth_credentials": trunk.get("username") is not None,
        "username": trunk.get("username"),
        "has_outbound_trunk": True,
    }


def _inbound(trunk: Json | None) -> Json | None:
    if trunk is None:
        return None
    return {
        "allowed_addresses": trunk.get("allowed_addresses") or ["0.0.0.0/0"],
        "allowed_numbers": trunk.get("allowed_numbers"),
        "media_encryption": trunk.get("media_encryption", "allowed"),
        "has_auth_credentials": trunk.get("username") is not None,
        "username": trunk.get("username"),
        "remote_domains": trunk.get("remote_domains"),
    }
