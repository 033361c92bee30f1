"""Calls that go out: one at a time, or a batch."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .common import AgentId, BatchCallId, Checked, Cursor, Known, Maybe, PhoneNumberId, PhoneNumberText, Wire
from .conversation.initiation import InitiationData
from .guards import BROUGHT, outward
from .operation import Operation

BatchStatus = Annotated[str, Known("pending", "in_progress", "completed", "failed", "cancelled")]
RecipientStatus = Annotated[
    str, Known("pending", "initiated", "in_progress", "completed", "failed", "cancelled", "voicemail")
]


class CallOutcome(Wire):
    """Whether the provider took the call, and why not."""

    success: bool
    message: str
    conversation_id: str | None


class SipCallOutcome(CallOutcome):
    """What came of a call by a SIP trunk."""

    sip_call_id: str | None


class TwilioCallOutcome(CallOutcome):
    """What came of a call by Twilio."""

    callSid: str | None  # spelt as on the wire


class CallBySip(
    Operation[SipCallOutcome],
    method="POST",
    path="/v1/convai/sip-trunk/outbound-call",
    effect="dial",
    guarded=outward(*BROUGHT),
):
    """Let an agent call somebody from a number on a SIP trunk."""

    agent_id: AgentId
    agent_phone_number_id: PhoneNumberId
    to_number: PhoneNumberText
    conversation_initiation_client_data: InitiationData | None = None


class CallByTwilio(
    Operation[TwilioCallOutcome],
    method="POST",
    path="/v1/convai/twilio/outbound-call",
    effect="dial",
    guarded=outward(*BROUGHT),
):
    """Let an agent call somebody from a number at Twilio."""

    agent_id: AgentId
    agent_phone_number_id: PhoneNumberId
    to_number: PhoneNumberText
    conversation_initiation_client_data: InitiationData | None = None


class Recipient(Wire):
    """Whom to call, and what the agent is told about them."""

    id: str | None = None
    phone_number: PhoneNumberText | None = None
    whatsapp_user_id: str | None = None
    conversation_initiation_client_data: InitiationData | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.phone_number is None and self.whatsapp_user_id is None:
            raise ValueError("a recipient needs a phone_number or a whatsapp_user_id")
        return self


def somebody(recipients: list[Recipient]) -> None:
    """A batch calls somebody."""
    if not recipients:
        raise ValueError("must name at least one recipient")


class RecipientState(Wire):
    """How far the call to one recipient is. Times in Unix seconds."""

    id: str
    phone_number: str | None = None
    whatsapp_user_id: str | None = None
    status: RecipientStatus
    created_at_unix: int
    updated_at_unix: int
    conversation_id: str | None
    conversation_initiation_client_data: InitiationData | None = None


class TelephonyCallConfig(Wire):
    """How long it rings."""

    ringing_timeout_secs: int


class BatchCall(Wire):
    """A batch of calls and how far it is. Times in Unix seconds."""

    id: str
    phone_number_id: str | None = None
    phone_provider: Annotated[str, Known("twilio", "sip_trunk")] | None = None
    whatsapp_business_account_id: str | None = None
    name: str
    agent_id: str
    created_at_unix: int
    scheduled_time_unix: int
    total_calls_dispatched: int
    total_calls_scheduled: int
    last_updated_at_unix: int
    status: BatchStatus
    agent_name: str
    # the newest clients do not read a batch without these
    total_calls_finished: Maybe[int] = None
    retry_count: Maybe[int] = None
    telephony_call_config: Maybe[TelephonyCallConfig] = None
    branch_id: str | None = None
    branch_name: str | None = None
    environment: str | None = None
    timezone: str | None = None
    target_concurrency_limit: int | None = None
    whatsapp_params: dict[str, object] | None = None


class BatchCallDetails(BatchCall):
    """A batch of calls with all its recipients."""

    recipients: list[RecipientState]


class BatchCallPage(Wire):
    """One page of batches."""

    batch_calls: list[BatchCall]
    next_doc: str | None = None
    """`last_doc` of the next page."""
    has_more: Maybe[bool] = None


class SubmitBatchCall(
    Operation[BatchCall],
    method="POST",
    path="/v1/convai/batch-calling/submit",
    effect="dial",
    guarded=outward(*BROUGHT),
):
    """Let an agent call many people, now or at a set time."""

    call_name: str
    agent_id: AgentId
    recipients: Annotated[list[Recipient], Checked(somebody, source="ours: nobody is no batch")]
    scheduled_time_unix: int | None = None
    """Unix seconds; now where it is absent."""
    agent_phone_number_id: PhoneNumberId | None = None
    agent_whatsapp_business_account_id: str | None = None


class ListBatchCalls(Operation[BatchCallPage], method="GET", path="/v1/convai/batch-calling/workspace"):
    """List the batches of the workspace, newest first."""

    limit: Annotated[int, Field(ge=1, le=100)] = 30
    last_doc: Cursor | None = None
    """`next_doc` of the page before."""


class GetBatchCall(Operation[BatchCallDetails], method="GET", path="/v1/convai/batch-calling/{batch_id}"):
    """Read a batch with all its recipients."""

    batch_id: BatchCallId


class CancelBatchCall(
    Operation[BatchCall], method="POST", path="/v1/convai/batch-calling/{batch_id}/cancel", effect="delete"
):
    """Stop a batch: whoever was not called yet will not be. Like a delete it cannot be taken back."""

    batch_id: BatchCallId


class RetryBatchCall(
    Operation[BatchCall], method="POST", path="/v1/convai/batch-calling/{batch_id}/retry", effect="dial"
):
    """Call again those that were not reached."""

    batch_id: BatchCallId
