"""Who may talk to an agent besides the holder of the key: signed URLs, session tokens, links, and allowed pages.

A token is opaque and random; what it opens stands in the database beside its SHA-256, so that nobody who reads the
database can use one. Whoever starts a conversation redeems it; it decides about the start only, and a conversation that
runs when its token expires goes on.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from ...contract.agents import AgentLink, ConversationToken, GetAgentLink
from ...contract.conversations import GetSessionToken, GetSignedUrl, SessionToken, SignedUrl
from ...contract.errors import Forbidden, NotFound, Unauthorized
from ...contract.merge import Json
from ..handlers import Handlers, Tx
from ..schema.access import access_token
from ..schema.tables import agent

access = Handlers()

START_SECONDS = 15 * 60
"""How long a signed URL may start conversations."""
SESSION_SECONDS = 10 * 60
"""How long a session token may start its one conversation."""
LINK_SECONDS = 30 * 24 * 3600
"""How long a shared link works; asking for the link again makes a new one."""
REMEMBERED_SECONDS = 24 * 3600
"""How long an expired token is still told from one that never was."""

Purpose = Literal["signed_url", "session", "shareable_link"]
_DEFAULT_PORT = {"http": 80, "https": 443}


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


@access.implements(GetSignedUrl, proof="test_a_signed_url_starts_conversations_for_15_minutes")
def get_signed_url(tx: Tx, op: GetSignedUrl) -> SignedUrl:
    _check_page_that_asks(tx, tx.one(agent, op.agent_id)["document"])
    conversation_id = tx.new_id("conv") if op.include_conversation_id else None
    token, _ = issue(tx, op.agent_id, "signed_url", START_SECONDS, conversation_id=conversation_id)
    query = {"agent_id": op.agent_id, "conversation_signature": token}
    query |= {"conversation_id": conversation_id} if conversation_id else {}
    scheme, _, host = tx.asker.base.partition("://")
    socket = "wss" if scheme == "https" else "ws"
    return SignedUrl(signed_url=f"{socket}://{host}/v1/convai/conversation?{urlencode(query)}")


@access.implements(
    GetSessionToken, proof="test_a_session_token_starts_its_one_conversation", missing="conversations by WebRTC"
)
def get_session_token(tx: Tx, op: GetSessionToken) -> SessionToken:
    _check_page_that_asks(tx, tx.one(agent, op.agent_id)["document"])
    conversation_id = tx.new_id("conv")
    token, _ = issue(
        tx, op.agent_id, "session", SESSION_SECONDS, conversation_id=conversation_id, participant=op.participant_name
    )
    return SessionToken(token=token, conversation_id=conversation_id)


@access.implements(GetAgentLink, proof="test_the_link_of_an_agent_that_demands_authentication_carries_a_token")
def get_agent_link(tx: Tx, op: GetAgentLink) -> AgentLink:
    """Without a token where anybody may talk to the agent. Each time a new one, because none is kept in the clear."""
    if not _auth(tx.one(agent, op.agent_id)["document"]).get("enable_auth"):
        return AgentLink(agent_id=op.agent_id, token=None)
    token, expires_ms = issue(tx, op.agent_id, "shareable_link", LINK_SECONDS)
    return AgentLink(
        agent_id=op.agent_id,
        token=ConversationToken(
            agent_id=op.agent_id,
            conversation_token=token,
            expiration_time_unix_secs=expires_ms // 1000,
            conversation_id=None,
            purpose="shareable_link",
        ),
    )


def issue(
    tx: Tx,
    agent_id: str,
    purpose: Purpose,
    seconds: int,
    *,
    conversation_id: str | None = None,
    participant: str | None = None,
) -> tuple[str, int]:
    """A new token and when it expires (ms). With a `conversation_id` it is good once."""
    forgotten = tx.now_ms - REMEMBERED_SECONDS * 1000
    tx.db.execute(delete(access_token).where(tx.own(access_token), access_token.c.expires_ms < forgotten))
    token, expires_ms = secrets.token_urlsafe(32), tx.now_ms + seconds * 1000
    row: dict[str, Any] = {
        "digest": _digest(token),
        "agent_id": agent_id,
        "purpose": purpose,
        "conversation_id": conversation_id,
        "participant": participant,
        "single_use": conversation_id is not None,
        "expires_ms": expires_ms,
    }
    tx.db.execute(insert(access_token).values(workspace=tx.workspace, **row))
    return token, expires_ms


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
    if tx.asker.has_key:
        return Authorized("authorization_header")
    auth = _auth(document)
    _check_page(auth, tx.asker.page or "")
    if token:
        granted = (
            redeem(tx, token, document["agent_id"]) if spend else _granted(_valid(tx, token, document["agent_id"]))
        )
        return Authorized(_METHODS[granted.purpose], granted.conversation_id, granted.participant)
    if auth.get("enable_auth"):
        raise Unauthorized("This agent demands authentication: start with a signed URL, or with the API key.")
    return Authorized("public")


def check_asker(tx: Tx, document: Json, signature: str | None) -> None:
    """Whether the asker may see of an agent what its callers see. Nothing is spent.

    A holder of the key may. Anybody else must come from an allowed page, where the agent names pages, and show a
    token, where it demands authentication: both where it does both. Raises Forbidden or Unauthorized.
    """
    if tx.asker.has_key:
        return
    auth = _auth(document)
    _check_page(auth, tx.asker.page or "")
    if auth.get("enable_auth"):
        if not signature:
            raise Unauthorized("This agent demands authentication: give the conversation_signature of a signed URL.")
        _valid(tx, signature, document["agent_id"])


def _check_page_that_asks(tx: Tx, document: Json) -> None:
    """Who asks for access with the key is a server as a rule, which names no page; a page that asks must be allowed."""
    if tx.asker.page is not None:
        _check_page(_auth(document), tx.asker.page)


def _check_page(auth: Json, page: str) -> None:
    allowed = {str(entry["hostname"]).lower() for entry in auth.get("allowlist") or ()}
    if allowed and allowed.isdisjoint(_hosts(page)):
        raise Forbidden("This agent is open to certain pages only, and this one is not among them.")


def home_of(db: Connection, agent_id: str) -> str:
    """The workspace of an agent that is asked for without a key. Raises NotFound."""
    found = db.execute(select(agent.c.workspace).where(agent.c.id == agent_id)).scalars().all()
    if len(found) != 1:
        raise NotFound(f"No agent {agent_id!r}.")
    return found[0]


def _valid(tx: Tx, token: str, agent_id: str) -> RowMapping:
    found = select(access_token).where(tx.own(access_token, digest=_digest(token)))
    row = tx.db.execute(found).mappings().one_or_none()
    # The same words for another agent's token: whoever tries one learns nothing about it.
    if row is None or row["agent_id"] != agent_id:
        raise Forbidden("This token does not open this agent. Ask for a new signed URL, token or link.")
    if tx.now_ms >= row["expires_ms"]:
        raise Forbidden("This token has expired. Ask for a new signed URL, token or link.")
    if row["single_use"] and row["used_ms"] is not None:
        raise Forbidden("This token was good for one conversation, which has been started. Ask for a new one.")
    return row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _auth(document: Json) -> Json:
    return document["platform_settings"]["auth"]


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
