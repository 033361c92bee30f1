"""Tools to call people: one, or many in a batch."""

import json
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from ..api.client import ApiClient
from ..approval.costs import costs
from ..approval.dial_limits import UNREACHED
from ..approval.question import leaves
from ..contract.agents import GetAgent
from ..contract.calls import (
    BatchCall,
    BatchCallDetails,
    CallBySip,
    CallByTwilio,
    CancelBatchCall,
    GetBatchCall,
    ListBatchCalls,
    RetryBatchCall,
    SubmitBatchCall,
)
from ..contract.common import AgentId, BatchCallId, Cursor, PageSize, PhoneNumberId
from ..contract.merge import Json
from ..contract.phone_numbers import GetPhoneNumber
from ..contract.walk import Path, spelt, value_at
from ..replies.text import short
from ..replies.views import Page, View
from ..requests.documents import put
from ..requests.recipients import recipients_of, rows_of_csv
from ..toolkit.toolset import PlatformApi, Toolset

TOOLS = Toolset("calls", "Call people: one, or many in a batch.")

Agent = Annotated[AgentId, Field(description="From list_agents.")]
FromNumber = Annotated[PhoneNumberId, Field(description="Number shown, from list_phone_numbers.")]
Batch = Annotated[BatchCallId, Field(description="From list_batch_calls.")]

MOST_SHOWN = 800
"""People in one question."""
LONGEST_REPLACED = 2_000
"""Characters of what calls replace, in the question about them."""
ROWS = 50


class Placed(View):
    success: bool
    message: str
    conversation_id: str | None = None
    call_id: str | None = None
    """The provider's own id of the call."""
    provider_request: str | None = None
    """What the embedded platform would have sent, as JSON text."""


class BatchLine(View):
    batch_id: str
    name: str
    agent: str
    status: str
    calls: int
    dispatched: int
    scheduled_unix_secs: int


class Batches(Page):
    batches: list[BatchLine]


class RecipientLine(View):
    recipient_id: str
    phone_number: str | None = None
    status: str
    conversation_id: str | None = None


class BatchView(BatchLine):
    phone_number_id: str | None = None
    failure_reason: str | None = None
    retries: int | None = None
    states: list[str] | None = None
    """How many recipients are in which state."""
    recipients: list[RecipientLine] | None = None
    more_from: int | None = None
    """`start` of the next rows."""
    warnings: list[str] | None = None


@TOOLS.tool(
    CallByTwilio,
    CallBySip,
    GetPhoneNumber,
    title="Place call",
    words=(
        "ring phone mobile customer dial call-me hear ruf rufe anrufen appelle appelez llamame llama "
        "chiamami chiama telefoniere somebody person"
    ),
)
async def place_call(
    api: PlatformApi,
    agent_id: Agent,
    phone_number_id: FromNumber,
    to_number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$", description="Whom to call, as +15551234567.")],
    variables: Annotated[Json | None, Field(description="Dynamic variables by name.")] = None,
    overrides: Annotated[
        Json | None, Field(description="Part of conversation_config for this call, where the agent permits it.")
    ] = None,
    config: Annotated[
        Json | None, Field(description="Rest of what the call brings, as user_id: describe_config, kind call.")
    ] = None,
) -> Placed:
    """Let an agent ring one person, by Twilio or SIP as the number is. Costs minutes; cannot be taken back."""
    number: Any = await api.send(GetPhoneNumber(phone_number_id=phone_number_id))
    given: Json = deepcopy(config or {})
    put(given, ("dynamic_variables",), variables or None, "variables")
    put(given, ("conversation_config_override",), overrides or None, "overrides")
    asked: Json = {"agent_id": agent_id, "agent_phone_number_id": phone_number_id, "to_number": to_number}
    asked |= {"conversation_initiation_client_data": given} if given else {}
    by = CallBySip if number.provider == "sip_trunk" else CallByTwilio
    answer: Any = await api.send(by.model_validate(asked))
    request = getattr(answer, "provider_request", None)
    return Placed(
        success=answer.success,
        message=short(answer.message, 500),
        conversation_id=answer.conversation_id,
        call_id=getattr(answer, "sip_call_id", None) or getattr(answer, "callSid", None),
        provider_request=json.dumps(request, ensure_ascii=False) if request else None,
    )


@TOOLS.tool(
    SubmitBatchCall,
    title="Submit batch call",
    words=(
        "campaign campaigns spreadsheet list people patients customers remind reminder everybody many "
        "kampagne patienten liste alle mass csv"
    ),
    default=False,
)
async def submit_batch_call(
    api: PlatformApi,
    name: Annotated[str, Field(min_length=1, max_length=200, description="Name of the batch.")],
    agent_id: Agent,
    phone_number_id: FromNumber,
    recipients: Annotated[
        list[Json] | None,
        Field(description="Objects with phone_number; other keys become variables, or language, voice_id, ..."),
    ] = None,
    csv: Annotated[
        str | None, Field(max_length=5_000_000, description="Instead: CSV text with a phone_number column.")
    ] = None,
    scheduled_unix_secs: Annotated[
        int | None, Field(ge=0, description="When to begin, Unix seconds; absent: now.")
    ] = None,
) -> BatchView:
    """Let an agent ring many people, now or later; one wrong row refuses all. Costs minutes; you answer for consent."""
    if (recipients is None) is (csv is None):
        raise ToolError("Give either recipients or csv.")
    people, warnings = recipients_of(rows_of_csv(csv) if csv is not None else recipients or [])
    asked: Json = {
        "call_name": name,
        "agent_id": agent_id,
        "agent_phone_number_id": phone_number_id,
        "recipients": people,
    }
    if scheduled_unix_secs is not None:
        asked["scheduled_time_unix"] = scheduled_unix_secs
    batch = await api.send(SubmitBatchCall.model_validate(asked))
    return BatchView(**_facts(batch), warnings=[*warnings[:20]] or None)


@TOOLS.tool(ListBatchCalls, title="List batch calls", default=False, words="campaigns kampagnen")
async def list_batch_calls(
    api: PlatformApi,
    page_size: Annotated[PageSize, Field(description="1 to 100.")] = 30,
    cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None,
) -> Batches:
    """List batches of calls, newest first, and how far each is."""
    page = await api.send(ListBatchCalls(limit=page_size, last_doc=cursor))
    return Batches(
        batches=[BatchLine(**_line(batch)) for batch in page.batch_calls],
        has_more=bool(page.next_doc),
        next_cursor=page.next_doc or None,
    )


@TOOLS.tool(
    GetBatchCall,
    title="Get batch call",
    default=False,
    parts=True,
    words="campaign progress status kampagne",
)
async def get_batch_call(
    api: PlatformApi,
    batch_id: Batch,
    status: Annotated[str | None, Field(max_length=40, description="Only recipients in this state, as failed.")] = None,
    start: Annotated[int, Field(ge=0, description="First row; more_from of the last reply.")] = 0,
) -> BatchView:
    """Show how far a batch of calls is and whom it reached, 50 recipients at a time."""
    batch = await api.send(GetBatchCall(batch_id=batch_id))
    rows = [each for each in batch.recipients if status is None or each.status == status]
    return BatchView(
        **_facts(batch),
        states=_states(batch),
        recipients=[
            RecipientLine(
                recipient_id=short(each.id),
                phone_number=each.phone_number or each.whatsapp_user_id,
                status=each.status,
                conversation_id=each.conversation_id,
            )
            for each in rows[start : start + ROWS]
        ],
        more_from=start + ROWS if len(rows) > start + ROWS else None,
    )


@TOOLS.tool(CancelBatchCall, title="Cancel batch call", default=False, words="campaign stop halt kampagne")
async def cancel_batch_call(api: PlatformApi, batch_id: Batch) -> BatchView:
    """Stop a batch: whoever was not rung yet will not be. What is finished stays; it cannot be resumed."""
    return BatchView(**_facts(await api.send(CancelBatchCall(batch_id=batch_id))))


@TOOLS.tool(
    RetryBatchCall, title="Retry batch call", default=False, words="again unanswered pick missed voicemail erneut"
)
async def retry_batch_call(api: PlatformApi, batch_id: Batch) -> BatchView:
    """Ring again those recipients of a batch who were not reached. Costs minutes."""
    return BatchView(**_facts(await api.send(RetryBatchCall(batch_id=batch_id))))


@TOOLS.preview(CallByTwilio)
async def _whom_twilio_would_ring(api: ApiClient, op: CallByTwilio) -> str:
    return await _one_call(api, op)


@TOOLS.preview(CallBySip)
async def _whom_sip_would_ring(api: ApiClient, op: CallBySip) -> str:
    return await _one_call(api, op)


@TOOLS.preview(SubmitBatchCall)
async def _who_would_be_rung(api: ApiClient, op: SubmitBatchCall) -> str:
    agent, number = await _agent(api, op.agent_id), await _number(api, op.agent_phone_number_id)
    numbers = [str(each.phone_number or each.whatsapp_user_id) for each in op.recipients]
    when = "now" if op.scheduled_time_unix is None else f"at {_at(op.scheduled_time_unix)}"
    return (
        f"Let agent {agent} call {_people(len(numbers))} from {number}, {when}, as batch {short(op.call_name)!r}:"
        f" {_all(numbers)}.{_replaced(op)} {await costs(api, op.agent_id, len(numbers))}"
    )


@TOOLS.preview(RetryBatchCall)
async def _who_would_be_rung_again(api: ApiClient, op: RetryBatchCall) -> str:
    batch = await api.send(GetBatchCall(batch_id=op.batch_id))
    failed = [str(each.phone_number or each.whatsapp_user_id) for each in batch.recipients if each.status in UNREACHED]
    agent, number = await _agent(api, batch.agent_id), await _number(api, batch.phone_number_id)
    return (
        f"Let agent {agent} call {_people(len(failed))} of batch {short(batch.name)!r} ({op.batch_id}) again from"
        f" {number}, now: {_all(failed)}. {await costs(api, batch.agent_id, len(failed))}"
    )


@TOOLS.preview(CancelBatchCall)
async def _what_would_stop(api: ApiClient, op: CancelBatchCall) -> str:
    batch = await api.send(GetBatchCall(batch_id=op.batch_id))
    waiting = sum(each.status in ("pending", "initiated", "in_progress") for each in batch.recipients)
    return f"Stop batch {short(batch.name)!r} ({op.batch_id}): {_people(waiting)} would not be called."


async def _one_call(api: ApiClient, op: CallByTwilio | CallBySip) -> str:
    agent, number = await _agent(api, op.agent_id), await _number(api, op.agent_phone_number_id)
    cost = await costs(api, op.agent_id, 1)
    return f"Let agent {agent} call 1 person, {op.to_number}, from {number}, now.{_replaced(op)} {cost}"


def _replaced(op: CallByTwilio | CallBySip | SubmitBatchCall) -> str:
    """Text with the agent's texts and settings which the calls would override, and their values.

    What is guarded among them is told besides. Raises ToolError if a person could not see all of them.
    """
    body: Json = op.body() or {}
    callees: list[Path] = [("recipients", row) for row in range(len(body.get("recipients") or ()))] or [()]
    guarded = [place.path for place in op.guarded_places()]
    replaced: dict[str, dict[str, None]] = {}
    for callee in callees:
        at = (*callee, "conversation_initiation_client_data", "conversation_config_override")
        if isinstance(override := value_at(body, at), dict):
            for path, value in leaves(cast(Json, override), at):
                if not any(path[: len(each)] == each for each in guarded):
                    replaced.setdefault(spelt(path[len(at) :]), {})[repr(value)] = None
    said = "; ".join(f"{short(path)} = {' or '.join(values)}" for path, values in sorted(replaced.items()))
    if len(said) > LONGEST_REPLACED:
        raise ToolError(
            f"Not done: a person could not read all that is replaced for these calls ({len(said):,} characters). Change"
            " the agent itself instead, or give variables."
        )
    return f" Replaced for that: {said}." if said else ""


def _all(numbers: Sequence[str]) -> str:
    """Everybody who would be rung: a person agrees to nobody whom they could not see. Raises ToolError beyond that."""
    if len(numbers) > MOST_SHOWN:
        raise ToolError(
            f"Not done: a person could not look through {len(numbers):,} people in one question. Split the batch into"
            f" ones of at most {MOST_SHOWN:,} people."
        )
    return ", ".join(short(each, 40) for each in numbers) or "nobody"


async def _agent(api: ApiClient, agent_id: str) -> str:
    return f"{short((await api.send(GetAgent(agent_id=agent_id))).name)!r} ({agent_id})"


async def _number(api: ApiClient, phone_number_id: str | None) -> str:
    if phone_number_id is None:
        return "no phone number"
    found: Any = await api.send(GetPhoneNumber(phone_number_id=phone_number_id))
    return f"{found.phone_number} ({short(found.label)})"


def _people(many: int) -> str:
    return "1 person" if many == 1 else f"{many:,} people"


def _at(unix_secs: int) -> str:
    try:
        return datetime.fromtimestamp(unix_secs, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"{unix_secs} s"


def _line(batch: BatchCall) -> Json:
    return {
        "batch_id": batch.id,
        "name": short(batch.name),
        "agent": f"{short(batch.agent_name)} ({batch.agent_id})",
        "status": batch.status,
        "calls": batch.total_calls_scheduled,
        "dispatched": batch.total_calls_dispatched,
        "scheduled_unix_secs": batch.scheduled_time_unix,
    }


def _facts(batch: BatchCall) -> Json:
    reason = cast(object, getattr(batch, "failure_reason", None))
    return _line(batch) | {
        "phone_number_id": batch.phone_number_id,
        "retries": batch.retry_count,
        "failure_reason": short(reason, 300) if isinstance(reason, str) else None,
    }


def _states(batch: BatchCallDetails) -> list[str]:
    counted = Counter(each.status for each in batch.recipients)
    return [f"{status}: {many:,}" for status, many in sorted(counted.items())]
