"""The handlers of access without the API key: signed URLs, session tokens and shared links.

A token is opaque and random. The database holds its permissions and its SHA-256, so that a reader of the database
cannot use a token. A token is redeemed at the start of a conversation and decides about the start only: a running
conversation continues when its token expires.
"""

import secrets
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import delete, insert

from ...contract.agents import AgentLink, ConversationToken, GetAgentLink
from ...contract.conversations import GetSessionToken, GetSignedUrl, SessionToken, SignedUrl
from ...contract.merge import Json
from ..checks.access import Purpose, auth_of, check_page, digest_of
from ..handlers import Handlers
from ..schema.access import access_token
from ..schema.tables import agent
from ..store.transaction import Tx

access = Handlers()

START_SECONDS = 15 * 60
"""Seconds for which a signed URL may start conversations."""
SESSION_SECONDS = 10 * 60
"""Seconds for which a session token may start its only conversation."""
LINK_SECONDS = 30 * 24 * 3600
"""Seconds for which a shared link is valid. Each request for the link makes a new one."""
REMEMBERED_SECONDS = 24 * 3600
"""Seconds for which an expired token is remembered, so that its error differs from that of an unknown token."""


@access.implements(GetSignedUrl, proof="test_a_signed_url_starts_conversations_for_15_minutes")
def get_signed_url(tx: Tx, op: GetSignedUrl) -> SignedUrl:
    _check_page_that_asks(tx, tx.one(agent, op.agent_id)["document"])
    conversation_id = tx.new_id("conv") if op.include_conversation_id else None
    token, _ = issue(tx, op.agent_id, "signed_url", START_SECONDS, conversation_id=conversation_id)
    query = {"agent_id": op.agent_id, "conversation_signature": token}
    query |= {"conversation_id": conversation_id} if conversation_id else {}
    scheme, _, host = tx.origin.base.partition("://")
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
    """The link of an agent, without a token if the agent demands no authentication.

    Each request makes a new token, because tokens are not stored in the clear.
    """
    if not auth_of(tx.one(agent, op.agent_id)["document"]).get("enable_auth"):
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
    """A new token, and its expiry in Unix milliseconds. A token with a `conversation_id` is for single use."""
    forgotten = tx.now_ms - REMEMBERED_SECONDS * 1000
    tx.db.execute(delete(access_token).where(tx.own(access_token), access_token.c.expires_ms < forgotten))
    token, expires_ms = secrets.token_urlsafe(32), tx.now_ms + seconds * 1000
    row: dict[str, Any] = {
        "digest": digest_of(token),
        "agent_id": agent_id,
        "purpose": purpose,
        "conversation_id": conversation_id,
        "participant": participant,
        "single_use": conversation_id is not None,
        "expires_ms": expires_ms,
    }
    tx.db.execute(insert(access_token).values(workspace=tx.workspace, **row))
    return token, expires_ms


def _check_page_that_asks(tx: Tx, document: Json) -> None:
    """Check the web page of a request for access, if it comes from one. Raises Forbidden.

    Requests with the API key usually come from servers, which send no `Origin`.
    """
    if tx.origin.page is not None:
        check_page(auth_of(document), tx.origin.page)
