"""Access to an agent without the API key: by signed URL, session token or shared link, from an allowed page."""

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
    """The access that a token grants: conversations with one agent."""

    purpose: Purpose
    conversation_id: str | None
    """The only conversation that the token is for; None for a token without such a limit."""
    participant: str | None
    """Name of the caller."""


@dataclass(frozen=True)
class Authorized:
    """The permission to start a conversation, and its method in the terms of a conversation's metadata."""

    method: str
    conversation_id: str | None = None
    """The only conversation that the token was made for; None for any other permission."""
    participant: str | None = None


_METHODS: dict[Purpose, str] = {
    "signed_url": "signed_url",
    "session": "livekit_token",
    "shareable_link": "shareable_link",
}


def redeem(tx: Tx, token: str, agent_id: str) -> Granted:
    """Check a token at the start of a conversation, and spend it if it is for single use. Raises Forbidden.

    The transaction must be a writing one. Writing transactions of the whole database queue, so that no two can spend
    the same token.
    """
    row = _valid(tx, token, agent_id)
    if row["single_use"]:
        tx.db.execute(update(access_token).where(tx.own(access_token, digest=row["digest"])).values(used_ms=tx.now_ms))
    return _granted(row)


def _granted(row: RowMapping) -> Granted:
    return Granted(cast(Purpose, row["purpose"]), row["conversation_id"], row["participant"])


def authorize(tx: Tx, document: Json, token: str | None, *, spend: bool) -> Authorized:
    """Check that the request origin may start a conversation with an agent. `spend`: use up a single-use token.

    The API key is always enough. Any other origin must be an allowed page, if the agent names pages, and must show a
    token, if the agent demands authentication; a token that is shown must be valid in any case. Raises Forbidden or
    Unauthorized.
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


def check_origin(tx: Tx, document: Json, signature: str | None) -> None:
    """Check that the request origin may see the parts of an agent that its callers see. No token is spent.

    The API key is always enough. Any other origin must be an allowed page, if the agent names pages, and must show a
    token, if the agent demands authentication. An agent may demand both. Raises Forbidden or Unauthorized.
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
    """The workspace of an agent, for a request without the API key. Raises NotFound."""
    found = db.execute(select(agent.c.workspace).where(agent.c.id == agent_id)).scalars().all()
    if len(found) != 1:
        raise NotFound(f"No agent {agent_id!r}.")
    return found[0]


def _valid(tx: Tx, token: str, agent_id: str) -> RowMapping:
    found = select(access_token).where(tx.own(access_token, digest=digest_of(token)))
    row = tx.db.execute(found).mappings().one_or_none()
    # Another agent's token gets the same message, so that a caller who tries one learns nothing about it.
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
    """The names of an `Origin`'s host: with its port, and also without it if the port is the scheme's default."""
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
