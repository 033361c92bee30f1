"""Checks before a conversation begins: authorization, permitted initiation data, and concurrency limits."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from ...contract.errors import BadRequest, RateLimited
from ...contract.merge import Json
from ..checks.access import Authorized, authorize
from ..checks.calls import CallOverrideCheck
from ..dialogue.agent import at
from ..roles.initiation import as_started
from ..schema.live import begun_in_a_day, live_conversation
from ..schema.tables import agent
from ..store.transaction import Tx
from .frames import Brought

AT_ONCE = 1000
"""Concurrent conversations of one workspace, independent of its agents' limits."""
BURST_TIMES, MOST_IN_A_BURST = 3, 300
"""A bursting agent may hold this many times its limit, up to a maximum; a limit above the maximum applies as it is."""
DAY_MS = 24 * 3600 * 1000


class Denied(Exception):
    """The initiation data is not permitted or incomplete. `error_type`: the protocol's name of the error."""

    def __init__(self, message: str, error_type: str, **details: Any) -> None:
        super().__init__(message)
        self.error_type, self.details = error_type, details


@dataclass(frozen=True)
class SessionPlan:
    """A conversation that passed the checks and may begin."""

    conversation_id: str
    agent_id: str
    document: Json
    """The agent's stored document."""
    config: Json
    """The agent's `conversation_config` with this conversation's overrides."""
    by: Authorized
    token: str | None
    brought: Brought

    @property
    def override(self) -> Json:
        return self.brought.data["conversation_config_override"]

    @property
    def zero_retention(self) -> bool:
        return bool(at(self.document, "platform_settings", "privacy", "zero_retention_mode"))


def check_access(tx: Tx, agent_id: str, token: str | None) -> None:
    """Check authorization before any frame is read. No token is spent.

    Raises NotFound, BadRequest, Forbidden, Unauthorized.
    """
    row = tx.one(agent, agent_id)
    authorize(tx, row["document"] | {"agent_id": agent_id}, token, spend=False)
    if row["archived"]:
        raise BadRequest(f"Agent {row['name']!r} is archived and talks to nobody. Set archived to false first.")


def plan(tx: Tx, agent_id: str, token: str | None, brought: Brought) -> SessionPlan:
    """Raises Denied for initiation data that the agent does not permit, and the errors of `check_access`."""
    document: Json = tx.one(agent, agent_id)["document"] | {"agent_id": agent_id}
    by = authorize(tx, document, token, spend=False)
    _check_brought(tx, document, brought)
    config = as_started(document["conversation_config"], brought.data["conversation_config_override"])
    return SessionPlan(by.conversation_id or tx.new_id("conv"), agent_id, document, config, by, token, brought)


def begin(tx: Tx, plan: SessionPlan, holder: str) -> bool:
    """Take a slot and spend the token. Returns whether the slot is a burst beyond the agent's limit.

    Must run in a write transaction: these are serialized for the whole database, so that no two conversations take the
    last slot. Raises RateLimited if no slot is free, and Forbidden for a token that was spent in the meantime.
    """
    authorize(tx, plan.document, plan.token, spend=True)
    limits: Json = at(plan.document, "platform_settings", "call_limits") or {}
    live = _talking(tx, None)
    if live >= AT_ONCE:
        raise RateLimited(f"{live} conversations are going on; this workspace holds {AT_ONCE} at a time.")
    burst = _is_burst(tx, plan.agent_id, limits)
    _count_today(tx, plan.agent_id, limits.get("daily_limit"))
    row = {"id": plan.conversation_id, "agent_id": plan.agent_id, "holder": holder, "started_ms": tx.now_ms}
    tx.db.execute(insert(live_conversation).values(workspace=tx.workspace, **row, talking=True))
    return burst


def _check_brought(tx: Tx, document: Json, brought: Brought) -> None:
    data = brought.data
    override: Json = data["conversation_config_override"]
    own: list[str] = at(document, "conversation_config", "conversation", "client_events") or []
    asked: list[str] | None = at(override, "conversation", "client_events")
    # Any client may ask for fewer events; a client with the key can read all of them anyway.
    if asked is not None and (tx.origin.has_key or all(event in own for event in asked)):
        session = {key: value for key, value in override["conversation"].items() if key != "client_events"}
        data = data | {"conversation_config_override": override | {"conversation": session}}
    found = CallOverrideCheck(document).problems(data, ())
    fields = [".".join(map(str, p["loc"])) for p in found if p["type"] == "override_not_allowed"]
    fields = [field.removeprefix("conversation_config_override.") for field in fields]
    if brought.mocking.mocking_strategy != "none" and not tx.origin.has_key:
        fields.append("tool_mock_config")  # a mocked tool may be the one that authenticates the client
    if not tx.origin.has_key:  # the platform says who calls, not the caller
        given: Json = data["dynamic_variables"] or {}
        fields += [f"dynamic_variables.{name}" for name in given if name.startswith("system__")]
    if fields:
        said = f"Not open to clients: {', '.join(fields)}. The agent's platform_settings.overrides say what is."
        raise Denied(said, "override_error", fields=fields)


def _is_burst(tx: Tx, agent_id: str, limits: Json) -> bool:
    limit = limits.get("agent_concurrency_limit")
    if limit is None or limit < 0:
        return False
    live = _talking(tx, agent_id)
    most = max(limit, min(BURST_TIMES * limit, MOST_IN_A_BURST)) if limits.get("bursting_enabled") else limit
    if live >= most:
        raise RateLimited(f"This agent holds {most} conversations at a time, and {live} are going on. Try again later.")
    return live >= limit


def _talking(tx: Tx, agent_id: str | None) -> int:
    """The number of live conversations of one agent, or of all."""
    found = select(func.count()).where(tx.own(live_conversation), live_conversation.c.talking)
    if agent_id is not None:
        found = found.where(live_conversation.c.agent_id == agent_id)
    return tx.db.execute(found).scalar_one()


def _count_today(tx: Tx, agent_id: str, limit: int | None) -> None:
    day = tx.now_ms // DAY_MS
    key = {"workspace": tx.workspace, "agent_id": agent_id}
    table = begun_in_a_day
    found = select(table).where(tx.own(table, agent_id=agent_id))
    row = tx.db.execute(found).mappings().one_or_none()
    begun: int = row["begun"] if row is not None and row["day"] == day else 0
    if limit is not None and 0 <= limit <= begun:
        raise RateLimited(f"This agent begins {limit} conversations a day (UTC), and it has. Try again tomorrow.")
    if row is None:
        tx.db.execute(insert(table).values(**key, day=day, begun=1))
        return
    mine = update(table).where(tx.own(table, agent_id=agent_id))
    tx.db.execute(mine.values(day=day, begun=begun + 1))


def events_of(plan: SessionPlan) -> list[str]:
    """The events sent to the client; in a text conversation also the agent's text piece by piece."""
    events: list[str] = at(plan.config, "conversation", "client_events") or []
    in_text = at(plan.config, "conversation", "text_only") or plan.brought.text_only
    return [*events, "agent_chat_response_part"] if in_text else events
