"""A question to a person about one operation: asked inside the conversation where the client can, else outside it.

The text of the question comes from the data. It is pinned when it is first asked, and made again before the act: if it
is no longer the same, the act is refused. An approval is good once.
"""

import base64
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import build_resolver_plans, resolve_arguments
from mcp.types import CallToolResult, InputRequiredResult, TextContent
from pydantic import BaseModel, Field

from ..keys import subkey
from ..ledger.ledger import Intent, Pending
from .approval_state import sealed_state
from .policy import TOKEN
from .scope import Call, NeedsApproval
from .undo import target_of

MODERN = "2026-07-28"
TOKEN_SECONDS = 300
PERSON_SECONDS = 900
STATE_SECONDS = 600  # how long the SDK honours a sealed state


class Answer(BaseModel):
    approve: bool = Field(description="Go ahead")


async def _ask(_question: str) -> Answer | Elicit[Answer]:
    return Elicit(_question, Answer)


_RESOLVED = {"_answer": (Resolve(_ask), True)}
_PLANS = build_resolver_plans(_RESOLVED, {"_question"})


async def approve(
    need: NeedsApproval, facts: Callable[[], Awaitable[str]], call: Call, token: object, ctx: Context[Any]
) -> CallToolResult | InputRequiredResult | None:
    """None: go on, `call` carries the approval. Else what the client gets instead of the act.

    `facts` makes the question's text from the platform's present state.
    """
    question = await facts()
    asks = _can_ask(ctx)
    person = asks or call.policy.person_needed(call.tool, need.op.effect)
    if not asks and call.policy.unattended == "refuse":
        await _record(call, need, "refused")
        raise ToolError(
            f"Not done: {question} This needs a person's approval ({need.reason}), this client cannot ask one, and the"
            " server refuses such calls (CALLWRIGHT_UNATTENDED=refuse)."
        )
    ledger = await call.ledger()
    digest = call.digest(need.op)
    pending = await ledger.pin(
        who=call.who,
        tool=call.tool,
        digest=digest,
        question=question,
        needs="person" if person else "token",
        seconds=PERSON_SECONDS if person else TOKEN_SECONDS,
    )
    await _refuse_other_facts(question, pending, call, need)
    if person and pending.state == "approved" and await ledger.spend(pending.code, state="approved"):
        waits = None  # somebody ran `callwright approve`
    elif asks:
        waits = await _ask_here(pending, facts, call, need, ctx)
    elif person:
        waits = _ask_outside(pending, call, need)
    else:
        waits = await _ask_by_token(pending, call, token, digest)
    if waits is None:
        call.approved, call.approved_by = digest, "person" if person else "preview"
    return waits


async def _refuse_other_facts(question: str, pending: Pending, call: Call, need: NeedsApproval) -> None:
    if pending.question == question:
        return
    await (await call.ledger()).close(pending.code)
    await _record(call, need, "refused")
    raise ToolError(
        f"Not done: what this affects has changed since it was asked. Then: {pending.question} Now: {question}"
        " Call again to ask anew."
    )


async def _ask_here(
    pending: Pending, facts: Callable[[], Awaitable[str]], call: Call, need: NeedsApproval, ctx: Context[Any]
) -> CallToolResult | InputRequiredResult | None:
    answered = await resolve_arguments(_RESOLVED, _PLANS, {"_question": pending.question}, ctx)
    if isinstance(answered, InputRequiredResult):
        return answered
    ledger = await call.ledger()
    # A client that sends its last round trip again must not act again, nor turn its no into a yes.
    if (state := sealed_state()) is not None and not await ledger.spend_once(state, seconds=STATE_SECONDS):
        raise ToolError("This approval was used already. Call again to ask anew.")
    answer = answered["_answer"]
    said_yes = isinstance(answer, AcceptedElicitation) and cast(AcceptedElicitation[Answer], answer).data.approve
    if not said_yes:
        await ledger.close(pending.code)
        await _record(call, need, "declined")
        return _said("The user said no. Nothing was done.", {"declined": True})
    await _refuse_other_facts(await facts(), pending, call, need)  # a person may think for minutes
    if not await ledger.spend(pending.code, state="open"):
        raise ToolError("This approval was used already. Call again to ask anew.")
    return None


def _ask_outside(pending: Pending, call: Call, need: NeedsApproval) -> CallToolResult:
    command = f"{call.command} approve {pending.code}"
    text = (
        f"Not done yet. {pending.question} This needs a person ({need.reason}), and this client cannot ask one. Ask the"
        f" user to run `{command}` in a terminal within {PERSON_SECONDS // 60} minutes, then call {call.tool} again"
        " with the same arguments."
    )
    facts = {"needs_approval": "person", "would": pending.question, "why": need.reason, "approve_with": command}
    return _said(text, facts)


async def _ask_by_token(pending: Pending, call: Call, token: object, digest: str) -> CallToolResult | None:
    if token is None:
        sealed = _seal(call, [pending.code, call.who, digest])
        text = (
            f"Not done yet. {pending.question} Ask the user. If they agree, call {call.tool} again, arguments"
            f" unchanged, with {TOKEN}={sealed!r}."
        )
        return _said(text, {"needs_approval": "preview", "would": pending.question, TOKEN: sealed})
    code, who, previewed = _open(call, token)
    if (who, previewed) != (call.who, digest):
        raise ToolError(f"This {TOKEN} was given for other arguments. Call without it to get a new preview.")
    if not await (await call.ledger()).spend(code, state="open"):
        raise ToolError(f"This {TOKEN} was used already, or has expired. Call without it to get a new preview.")
    return None


async def _record(call: Call, need: NeedsApproval, outcome: Any) -> None:
    """What was not done is in the log too."""
    intent = Intent(
        platform=call.platform,
        who=call.who,
        tool=call.tool,
        operation=type(need.op).__name__,
        target=target_of(need.op),
        digest=call.digest(need.op),
        approved_by="person" if outcome == "declined" else "policy",
        request=None,
        previous=None,
    )
    await (await call.ledger()).begin(intent, outcome)


def _said(text: str, facts: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], structured_content=facts, is_error=True)


def _seal(call: Call, claims: list[str]) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    sealed = AESGCM(subkey(call.key, "approval token")).encrypt(nonce, json.dumps(claims).encode(), None)
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def _open(call: Call, token: object) -> tuple[str, str, str]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        text = token if isinstance(token, str) else ""
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        code, who, digest = json.loads(AESGCM(subkey(call.key, "approval token")).decrypt(raw[:12], raw[12:], None))
    except (ValueError, InvalidTag):
        raise ToolError(f"This {TOKEN} is not valid. Call without it to get a new preview.") from None
    return code, who, digest


def _can_ask(ctx: Context[Any]) -> bool:
    caps = ctx.client_capabilities
    elicitation = caps.elicitation if caps else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return ctx.protocol_version == MODERN or ctx.session.can_send_request
