"""Who may talk to an agent without the key: by signed URL, token or link, from an allowed page."""

import hashlib
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from sqlalchemy import Connection, RowMapping, select, update

from ...contract.errors import Forbidden, NotFound, Unauthorized
from ...contract.merge import Json
from ..schema.access import access_token
from ..schema.tables import agent
from ..store.transaction import Tx

Purpose = Literal["signed_url", "session", "shareable_link"]


@dataclass(frozen=True)
class Granted:
    """What a token opens: conversations with one agent."""

    purpose: Purpose
    conversation_id: str | None
    """The one conversation that it is for, where it is for one only."""
    participant: str | None
    """How the caller is called."""


@dataclass(frozen=True)
class Authorized:
    """By what somebody may start a conversation, in the words of a conversation's metadata."""

    method: str
    conversation_id: str | None = None
    """Which one, where the token was made for one."""
    participant: str | None = None


_METHODS: dict[Purpose, str] = {
    "signed_url": "signed_url",
    "session": "livekit_token",
    "shareable_link": "shareable_link",
}


def redeem(tx: Tx, token: str, agent_id: str) -> Granted:
    """Start a conversation on the strength of a token; one that is good once is spent. Forbidden says why not.

    In a transaction that writes: those of the whole database queue, so that no two can spend the same token.
    """
    row = _valid(tx, token, agent_id)
    if row["single_use"]:
        tx.db.execute(update(access_token).where(tx.own(access_token, digest=row["digest"])).values(used_ms=tx.now_ms))
    return _granted(row)


def _granted(row: RowMapping) -> Granted:
    return Granted(cast(Purpose, row["purpose"]), row["conversation_id"], row["participant"])


def authorize(tx: Tx, document: Json, token: str | None, *, spend: bool) -> Authorized:
    """Who may start a conversation with an agent. With `spend`, a token that is good once is good no more.

    A holder of the key may. Anybody else must come from an allowed page, where the agent names pages, and show a
    token, where it demands authentication; one that is shown must be good in any case. Raises Forbidden, Unauthorized.
    """
    if tx.origin.has_key:
        return Authorized("authorization_header")
    auth = auth_of(document)
    check_page(auth, tx.origin.page or "")
    if token:
        granted = (
            redeem(tx, token, document["agent_id"]) if spend else _granted(_valid(tx, token, document["agent_id"]))
        )
        return Authorized(_METHODS[granted.purpose], granted.conversation_id, granted.participant)
    if auth.get("enable_auth"):
        raise Unauthorized("This agent demands authentication: start with a signed URL, or with the API key.")
    return Authorized("public")


def check_asker(tx: Tx, document: Json, signature: str | None) -> None:
    """Whether the origin may see of an agent what its callers see. Nothing is spent.

    A holder of the key may. Anybody else must come from an allowed page, where the agent names pages, and show a
    token, where it demands authentication: both where it does both. Raises Forbidden or Unauthorized.
    """
    if tx.origin.has_key:
        return
    auth = auth_of(document)
    check_page(auth, tx.origin.page or "")
    if auth.get("enable_auth"):
        if not signature:
            raise Unauthorized("This agent demands authentication: give the conversation_signature of a signed URL.")
        _valid(tx, signature, document["agent_id"])


def home_of(db: Connection, agent_id: str) -> str:
    """The workspace of an agent that is asked for without a key. Raises NotFound."""
    found = db.execute(select(agent.c.workspace).where(agent.c.id == agent_id)).scalars().all()
    if len(found) != 1:
        raise NotFound(f"No agent {agent_id!r}.")
    return found[0]


def _valid(tx: Tx, token: str, agent_id: str) -> RowMapping:
    found = select(access_token).where(tx.own(access_token, digest=digest_of(token)))
    row = tx.db.execute(found).mappings().one_or_none()
    # The same words for another agent's token: whoever tries one learns nothing about it.
    if row is None or row["agent_id"] != agent_id:
        raise Forbidden("This token does not open this agent. Ask for a new signed URL, token or link.")
    if tx.now_ms >= row["expires_ms"]:
        raise Forbidden("This token has expired. Ask for a new signed URL, token or link.")
    if row["single_use"] and row["used_ms"] is not None:
        raise Forbidden("This token was good for one conversation, which has been started. Ask for a new one.")
    return row


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def auth_of(document: Json) -> Json:
    return document["platform_settings"]["auth"]


_DEFAULT_PORT = {"http": 80, "https": 443}


def check_page(auth: Json, page: str) -> None:
    allowed = {str(entry["hostname"]).lower() for entry in auth.get("allowlist") or ()}
    if allowed and allowed.isdisjoint(_hosts(page)):
        raise Forbidden("This agent is open to certain pages only, and this one is not among them.")


def _hosts(page: str) -> set[str]:
    """How an agent may name the host of an `Origin`: with its port, and without where that is the scheme's own."""
    try:
        parts = urlsplit(page.lower())
        port = parts.port
    except ValueError:
        return set()
    host = parts.netloc.removesuffix(f":{port}")
    own = _DEFAULT_PORT.get(parts.scheme)
    if not host:
        return set()
    return {host, f"{host}:{own}"} if port in (None, own) else {f"{host}:{port}"}
