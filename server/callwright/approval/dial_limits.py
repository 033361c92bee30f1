"""Count the people that one request would ring, and check the count against the operator's caps."""

from typing import Any

from ..api.client import ApiClient
from ..contract.calls import CallBySip, CallByTwilio, GetBatchCall, RetryBatchCall, SubmitBatchCall
from ..contract.errors import Refused
from ..contract.merge import Json
from ..contract.operation import Operation
from ..contract.walk import value_at
from .exempt import Exempt
from .policy import Caps

UNREACHED = ("failed", "voicemail")
"""States of the recipients that a retry calls again."""


def asking(op: Operation[Any], exempt: Exempt, stands: Json | None) -> list[str]:
    """The guarded places that need approval, as a person reads them: those that are neither exempt nor stored already.

    `stands`: the stored resource that the request replaces, as the call has read it. A value that is stored already
    and is sent again only because the resource is written whole needs no approval.
    """
    changed = (each for each in op.guarded_places() if stands is None or value_at(stands, each.path) != each.value)
    return [place.shown for place in changed if not exempt.address(place.value)]


def rings_only_known(op: Operation[Any], exempt: Exempt) -> bool:
    """Whether all numbers that a request would ring are exempt from approval."""
    if not exempt.phone_prefixes:
        return False
    match op:
        case CallByTwilio() | CallBySip():
            return exempt.number(op.to_number)
        case SubmitBatchCall():
            return all(each.whatsapp_user_id is None and exempt.number(each.phone_number) for each in op.recipients)
        case _:
            return False


async def people_rung(op: Operation[Any], client: ApiClient) -> int:
    """How many people a request of effect `dial` would ring."""
    match op:
        case SubmitBatchCall():
            return len(op.recipients)
        case RetryBatchCall():
            batch = await client.send(GetBatchCall(batch_id=op.batch_id))
            return sum(each.status in UNREACHED for each in batch.recipients)
        case _:
            return 1


def refuse_beyond(caps: Caps, people: int, within_a_day: int, op: Operation[Any]) -> None:
    """Raises Refused if `people` exceeds the cap of one batch, or of 24 hours with the `within_a_day` before."""
    most = caps.recipients_a_batch
    if most is not None and isinstance(op, SubmitBatchCall | RetryBatchCall) and people > most:
        raise Refused(f"The policy lets a batch ring at most {most:,} people, and this one would ring {people:,}.")
    most = caps.calls_a_day
    if most is not None and within_a_day + people > most:
        raise Refused(
            f"The policy allows {most:,} calls to people within 24 hours; {within_a_day:,} were placed, and this would"
            f" place {people:,} more."
        )
