"""The handlers of single outbound calls: they check everything, and then answer that no provider can carry the call."""

from ...contract.calls import CallBySip, CallByTwilio
from ...contract.errors import InvalidRequest
from ...contract.merge import Json
from ..checks.calls import admission, calling_agent, calling_number
from ..handlers import Handlers
from ..store.phone_numbers import credentials_of
from ..store.transaction import Tx
from ..telephony.provider_requests import provider_request, refusal

calls = Handlers()

MISSING = "dialling: the call is checked and answered with the provider's request, and nobody rings"


@calls.implements(
    CallByTwilio, proof="test_a_call_is_checked_and_answered_with_the_request_it_would_make", missing=MISSING
)
def call_by_twilio(tx: Tx, op: CallByTwilio) -> Json:
    return _checked(tx, op, "twilio") | {"callSid": None}


@calls.implements(
    CallBySip, proof="test_a_call_is_checked_and_answered_with_the_request_it_would_make", missing=MISSING
)
def call_by_sip(tx: Tx, op: CallBySip) -> Json:
    return _checked(tx, op, "sip_trunk") | {"sip_call_id": None}


def _checked(tx: Tx, op: CallByTwilio | CallBySip, provider: str) -> Json:
    """The answer to a checked call. Its `provider_request` is an addition to the platform's fields.

    It holds the request that would be sent, with the credentials masked.
    """
    agent = calling_agent(tx, op.agent_id)
    number = calling_number(tx, op.agent_phone_number_id, provider)
    brought: Json = (op.body() or {}).get("conversation_initiation_client_data") or {}
    if problems := admission(tx, agent["document"]).problems(brought, ("body", "conversation_initiation_client_data")):
        raise InvalidRequest(problems)
    request = provider_request(number, credentials_of(tx, number), op.agent_id, op.to_number)
    return {"success": False, "message": refusal(request), "conversation_id": None, "provider_request": request}
