"""The handlers of phone numbers. Credentials are sealed; answers show only that they exist."""

import json

from sqlalchemy import delete, insert, select, update

from ...contract.common import Empty
from ...contract.errors import BadRequest
from ...contract.merge import Json
from ...contract.phone_numbers import (
    CreatedPhoneNumber,
    CreatePhoneNumber,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListPhoneNumbers,
    UpdatePhoneNumber,
)
from ..handlers import Handlers
from ..schema.missing import listing
from ..schema.tables import agent, phone_number
from ..store.phone_numbers import Credentials, answer_of, credentials_of
from ..store.transaction import Tx
from ..store.workspace_documents import document_of

phone_numbers = Handlers()


_CLEAR = {"sid", "supports_inbound", "supports_outbound", "livekit_stack"}
_TRUNKS = {"inbound_trunk_config", "outbound_trunk_config"}
_CLEAR_TRUNK = {
    "address", "transport", "media_encryption", "allowed_addresses", "allowed_numbers", "remote_domains",
}  # fmt: skip


@phone_numbers.implements(
    CreatePhoneNumber,
    proof="test_an_imported_number_reads_back_with_masked_credentials",
    missing="asking Twilio whether the number is there and what it can do",
)
def import_number(tx: Tx, op: CreatePhoneNumber) -> CreatedPhoneNumber:
    body = op.body() or {}
    number = body["phone_number"]
    taken = select(phone_number.c.id).where(tx.own(phone_number, phone_number=number))
    if (other := tx.db.execute(taken).scalar_one_or_none()) is not None:
        raise BadRequest(f"{number} is imported already, as {other}. Update that one, or delete it first.")
    new = tx.new_id("phnum")
    stored, secret = _split(body)
    if body["provider"] == "sip_trunk":
        stored.setdefault("livekit_stack", document_of(tx, "settings")["default_livekit_stack"])
    tx.db.execute(
        insert(phone_number).values(
            workspace=tx.workspace, id=new, phone_number=number, label=body["label"], provider=body["provider"],
            agent_id=None, created_ms=tx.now_ms, document=stored, sealed=_seal(tx, new, secret),
        )
    )  # fmt: skip
    return CreatedPhoneNumber(phone_number_id=new)


@phone_numbers.implements(ListPhoneNumbers, proof="test_an_imported_number_reads_back_with_masked_credentials")
def list_numbers(tx: Tx, _: ListPhoneNumbers) -> list[Json]:
    found = (
        select(phone_number, agent.c.name.label("agent_name"))
        .outerjoin(agent, (agent.c.workspace == phone_number.c.workspace) & (agent.c.id == phone_number.c.agent_id))
        .where(tx.own(phone_number))
        .order_by(phone_number.c.created_ms.desc(), phone_number.c.id.desc())
    )
    return [answer_of(row, row["agent_name"]) for row in tx.db.execute(found).mappings()]


@phone_numbers.implements(GetPhoneNumber, proof="test_an_imported_number_reads_back_with_masked_credentials")
def get_number(tx: Tx, op: GetPhoneNumber) -> Json:
    row = tx.one(phone_number, op.phone_number_id)
    return answer_of(row, _agent_name(tx, row["agent_id"]))


@phone_numbers.implements(UpdatePhoneNumber, proof="test_a_number_is_assigned_to_an_agent_and_taken_back")
def update_number(tx: Tx, op: UpdatePhoneNumber) -> Json:
    """Update a phone number. `agent_id: null` unassigns it from its agent.

    A given trunk replaces the old one and its credentials, so that no password goes to an address that it was not
    stored for; null removes the trunk.
    """
    row = tx.one(phone_number, op.phone_number_id)
    body = op.body() or {}
    agent_id = body.pop("agent_id", row["agent_id"])
    label = body.pop("label", None) or row["label"]  # newer clients can change it
    if agent_id is not None and _agent_name(tx, agent_id) is None:
        raise BadRequest(f"No agent {agent_id!r} to answer this number.", listing(agent))
    if row["provider"] == "twilio" and (trunk := sorted(k for k in body if "trunk" in k or k == "livekit_stack")):
        raise BadRequest(f"{', '.join(trunk)} is for SIP trunk numbers; {row['phone_number']} is a Twilio number.")
    if agent_id is not None and row["document"].get("supports_inbound") is False:
        raise BadRequest(f"{row['phone_number']} takes no incoming calls, so no agent can answer it.")
    stored, secret = _split(body)
    document, credentials = row["document"] | stored, {**credentials_of(tx, row), **dict.fromkeys(stored), **secret}
    tx.db.execute(
        update(phone_number)
        .where(tx.own(phone_number, id=op.phone_number_id))
        .values(agent_id=agent_id, label=str(label), document=document, sealed=_seal(tx, row["id"], credentials))
    )
    return get_number(tx, GetPhoneNumber(phone_number_id=op.phone_number_id))


@phone_numbers.implements(DeletePhoneNumber, proof="test_a_deleted_number_is_gone_from_its_agent")
def delete_number(tx: Tx, op: DeletePhoneNumber) -> Empty:
    tx.one(phone_number, op.phone_number_id)
    tx.db.execute(delete(phone_number).where(tx.own(phone_number, id=op.phone_number_id)))
    return Empty()


def _split(body: Json) -> tuple[Json, Credentials]:
    """The fields to store in the clear, and those to seal: tokens, passwords and header values.

    Unknown fields are sealed too, because they may be credentials.
    """
    stored: Json = {key: value for key, value in body.items() if key in _CLEAR}
    rest = body.keys() - _CLEAR - _TRUNKS - {"phone_number", "label", "provider"}
    secret: Credentials = {key: body[key] for key in rest}
    for name in sorted(_TRUNKS & body.keys()):
        trunk: Json | None = body[name]
        stored[name] = None
        if trunk is not None:
            login: Json = trunk.get("credentials") or {}
            shown: Json = {"username": login.get("username"), "header_names": sorted(trunk.get("headers") or {})}
            stored[name] = {key: value for key, value in trunk.items() if key in _CLEAR_TRUNK} | shown
            secret[name] = {key: value for key, value in trunk.items() if key not in _CLEAR_TRUNK}
    return stored, secret


def _seal(tx: Tx, id: str, secret: Credentials) -> bytes | None:
    kept = {name: value for name, value in secret.items() if value}
    return tx.vault.seal(json.dumps(kept), belongs_to=f"{tx.workspace}/{id}") if kept else None


def _agent_name(tx: Tx, agent_id: str | None) -> str | None:
    found = select(agent.c.name).where(tx.own(agent, id=agent_id))
    return tx.db.execute(found).scalar_one_or_none()
