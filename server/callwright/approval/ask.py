"""Ask a person to approve one operation: by elicitation where the client supports it, else outside the conversation.

The text of the question is built from the platform's data. It is pinned when the question is first asked, and built
again before the operation is sent: if the two texts differ, the operation is refused. An approval can be used once.
"""

from typing import Any, Protocol, cast

import anyio
from mcp.server.mcpserver import AcceptedElicitation, CancelledElicitation, Context, Elicit, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import build_resolver_plans, resolve_arguments
from mcp.shared.exceptions import UrlElicitationRequiredError
from mcp.types import (
    CallToolResult,
    ElicitRequest,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)
from pydantic import BaseModel, Field, SecretStr

from ..ledger.ledger import Intent, Needs, Pending
from ..undo.undo import target_of
from .call import Call, NeedsApproval
from .outside import PERSON_SECONDS, waits
from .policy import TOKEN
from .refusal import refusal
from .request_state import sealed_state
from .seals import Seals

MODERN = "2026-07-28"
TOKEN_SECONDS = 300
WAIT_SECONDS = 45
"""How long a call waits for a person at the page; hosts give up on calls after a minute."""
POLL_SECONDS = 0.25
_PAGE = "page"
STATE_SECONDS = 600  # how long the SDK honours a sealed state


class Facts(Protocol):
    """Builds the text of the question from the platform's current state."""

    async def __call__(self, *, again: bool) -> str:
        """`again`: read the facts again instead of using those that this call has read before."""
        ...


class Answer(BaseModel):
    approve: bool = Field(description="Go ahead")


async def _ask(_question: str) -> Answer | Elicit[Answer]:
    return Elicit(_question, Answer)


_RESOLVED = {"_answer": (Resolve(_ask), True)}
_PLANS = build_resolver_plans(_RESOLVED, {"_question"})


async def approve(
    need: NeedsApproval, facts: Facts, call: Call, token: object, ctx: Context[Any]
) -> CallToolResult | InputRequiredResult | None:
    """Returns None if approved (the approval is then recorded in `call`), else the result to send to the client."""
    question = await facts(again=False)
    asks = not need.enters and _can_ask(ctx)
    opens = not asks and call.page is not None and _can_open(ctx)
    person = asks or opens or call.policy.person_needed(call.tool, need.op.effect)
    needs: Needs = "value" if need.enters else "person" if person else "token"
    if not (asks or opens) and call.policy.unattended == "refuse":
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
        needs=needs,
        seconds=TOKEN_SECONDS if needs == "token" else PERSON_SECONDS,
    )
    await _refuse_other_facts(question, pending, call, need)
    if pending.state == "declined":
        instead = await _declined(pending, call, need)
    elif pending.state == "approved" and await _spend(pending, call):
        instead = None  # approved on a page, or by `callwright approve`
    elif asks:
        instead = await _ask_here(pending, facts, call, need, ctx)
    elif opens:
        instead = await _ask_by_url(pending, facts, call, need, ctx)
    elif needs != "token":
        instead = await _ask_outside(pending, facts, call, need)
    else:
        instead = await _ask_by_token(pending, call, token, digest)
    if instead is None:
        call.approved, call.approved_by = digest, "preview" if needs == "token" else "person"
    return instead


async def _spend(pending: Pending, call: Call) -> bool:
    """Use up an approval given outside the conversation; a value that the person entered is stored in the call."""
    ledger = await call.ledger()
    if pending.needs != "value":
        return await ledger.spend(pending.code, state="approved")
    entered = await ledger.spend_entered(pending.code)
    call.entered = None if entered is None else SecretStr(entered)
    return entered is not None


async def _declined(pending: Pending, call: Call, need: NeedsApproval) -> CallToolResult:
    await (await call.ledger()).close(pending.code)
    await _record(call, need, "declined")
    text = "The user said no. Nothing was done. Do not call this again unless the user asks for it."
    return refusal(text, {"declined": True})


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
    pending: Pending, facts: Facts, call: Call, need: NeedsApproval, ctx: Context[Any]
) -> CallToolResult | InputRequiredResult | None:
    answered = await resolve_arguments(_RESOLVED, _PLANS, {"_question": pending.question}, ctx)
    if isinstance(answered, InputRequiredResult):
        return answered
    ledger = await call.ledger()
    # A client that repeats its last round trip must not execute the operation again, nor turn a no into a yes.
    # The facts of such a request were read after the answer was given, because the request brings the answer.
    state = sealed_state()
    if state is not None and not await ledger.spend_once(state, seconds=STATE_SECONDS):
        raise ToolError("This approval was used already. Call again to ask anew.")
    answer = answered["_answer"]
    if isinstance(answer, CancelledElicitation):
        return await _unanswered(pending, facts, call, need)
    said_yes = isinstance(answer, AcceptedElicitation) and cast(AcceptedElicitation[Answer], answer).data.approve
    if not said_yes:
        return await _declined(pending, call, need)
    if state is None:  # the call has waited for a person, who may think for minutes
        await _refuse_other_facts(await facts(again=True), pending, call, need)
    if not await ledger.spend(pending.code, state="open"):
        raise ToolError("This approval was used already. Call again to ask anew.")
    return None


async def _ask_by_url(
    pending: Pending, facts: Facts, call: Call, need: NeedsApproval, ctx: Context[Any]
) -> CallToolResult | InputRequiredResult | None:
    """Let the client show the address of the page. Opening it is no answer: the answer is given on the page."""
    if call.page is None:
        raise RuntimeError("there is no page to approve on")
    url = await call.page.address(pending.code)
    if ctx.protocol_version != MODERN:
        request = ElicitRequestURLParams(message=pending.question, url=url, elicitation_id=pending.code)
        raise UrlElicitationRequiredError(
            [request], f"{pending.question} A person approves on a page that the client shows."
        )
    answer = (ctx.input_responses or {}).get(_PAGE)
    if not isinstance(answer, ElicitResult) or ctx.request_state != pending.code:
        request = ElicitRequest(params=ElicitRequestURLParams(message=pending.question, url=url))
        return InputRequiredResult(input_requests={_PAGE: request}, request_state=pending.code)
    if answer.action == "cancel":
        return await _unanswered(pending, facts, call, need)
    if answer.action != "accept":
        return await _declined(pending, call, need)
    return await _answer_of_page(pending, facts, call, need, here="nobody has answered yet", shown=False)


async def _answer_of_page(
    pending: Pending, facts: Facts, call: Call, need: NeedsApproval, *, here: str, shown: bool
) -> CallToolResult | None:
    """Wait for the answer on a page that the person has before them, but not longer than hosts wait for a call."""
    answered = await _answered(pending, call)
    if answered is None or answered.state == "open":
        return _waits(pending, call, need, here=here, shown=shown)
    if answered.state == "declined":
        return await _declined(pending, call, need)
    await _refuse_other_facts(await facts(again=True), pending, call, need)
    if not await _spend(answered, call):
        raise ToolError("This approval was used already. Call again to ask anew.")
    return None


async def _answered(pending: Pending, call: Call) -> Pending | None:
    """The pending question: as soon as it is answered on the page, else its state when the waiting time is over."""
    ledger = await call.ledger()
    found = await ledger.pending(pending.code)
    with anyio.move_on_after(WAIT_SECONDS):
        while found is not None and found.state == "open":
            await anyio.sleep(POLL_SECONDS)
            found = await ledger.pending(pending.code)
    return found


async def _unanswered(pending: Pending, facts: Facts, call: Call, need: NeedsApproval) -> CallToolResult | None:
    """Nobody answered the client's question: a host without a window cancels it, and so does a closed one.

    That is no no. The question stays open for whoever can be reached otherwise.
    """
    if call.policy.unattended == "refuse":
        await (await call.ledger()).close(pending.code)
        await _record(call, need, "refused")
        raise ToolError(
            f"Not done: {pending.question} This needs a person's approval ({need.reason}), nobody answered here, and"
            " the server refuses such calls (CALLWRIGHT_UNATTENDED=refuse)."
        )
    return await _ask_outside(pending, facts, call, need, here="nobody answered here")


async def _ask_outside(
    pending: Pending, facts: Facts, call: Call, need: NeedsApproval, *, here: str = "this client cannot ask one"
) -> CallToolResult | None:
    """`here`: why the client's own question did not settle it."""
    if call.page is None or not await call.page.opened(pending):
        return _waits(pending, call, need, here=here, shown=False)
    return await _answer_of_page(pending, facts, call, need, here=here, shown=True)


def _waits(pending: Pending, call: Call, need: NeedsApproval, *, here: str, shown: bool) -> CallToolResult:
    why = need.reason if not need.enters else "who enters the value"
    return waits(pending, why=why, here=here, page=call.page, command=call.command, shown=shown)


async def _ask_by_token(pending: Pending, call: Call, token: object, digest: str) -> CallToolResult | None:
    if token is None:
        sealed = _seals(call).seal([pending.code, call.who, digest])
        text = (
            f"Not done yet. {pending.question} Ask the user. If they agree, call {call.tool} again, arguments"
            f" unchanged, with {TOKEN}={sealed!r}."
        )
        return refusal(text, {"needs_approval": "preview", "would": pending.question, TOKEN: sealed})
    try:
        code, who, previewed = _seals(call).open(token)
    except ValueError:
        raise ToolError(f"This {TOKEN} is not valid. Call without it to get a new preview.") from None
    if (who, previewed) != (call.who, digest):
        raise ToolError(f"This {TOKEN} was given for other arguments. Call without it to get a new preview.")
    if not await (await call.ledger()).spend(code, state="open"):
        raise ToolError(f"This {TOKEN} was used already, or has expired. Call without it to get a new preview.")
    return None


async def _record(call: Call, need: NeedsApproval, outcome: Any) -> None:
    """Write to the audit log that an operation was not executed."""
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


def _seals(call: Call) -> Seals:
    return Seals(call.key, "approval token")


def _can_ask(ctx: Context[Any]) -> bool:
    caps = ctx.client_capabilities
    elicitation = caps.elicitation if caps else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return ctx.protocol_version == MODERN or ctx.session.can_send_request


def _can_open(ctx: Context[Any]) -> bool:
    """Whether the client shows a person the address of a page."""
    caps = ctx.client_capabilities
    return bool(caps and caps.elicitation and caps.elicitation.url is not None)
