"""The request that would place a call at a telephone provider. It is built but never sent, and holds no secret."""

from typing import Any
from xml.sax.saxutils import quoteattr

from ...contract.merge import Json

HIDDEN = "(hidden)"
NOT_CONNECTED = "No telephone provider is connected, so nobody was called."


def provider_request(number: Any, credentials: Json, agent_id: str, to: str) -> Json:
    """The request for one call. `number`: a row of `phone_number`. `credentials`: only the Twilio region is read."""
    if number["provider"] == "twilio":
        return _twilio(number["phone_number"], number["document"], credentials, agent_id, to)
    return _sip(number["phone_number"], number["document"]["outbound_trunk_config"], to)


def refusal(request: Json) -> str:
    """The message that answers a call while no telephone provider is connected."""
    where = f"{request['method']} {request.get('url') or request['target']}"
    return f"{NOT_CONNECTED} Everything was checked; the request to the provider would be {where}."


def _twilio(number: str, stored: Json, credentials: Json, agent_id: str, to: str) -> Json:
    sid = str(stored.get("sid"))
    stream = f"<Stream url={quoteattr('wss://{public_address}/twilio/media')}>"
    parameter = f'<Parameter name="agent_id" value={quoteattr(agent_id)}/>'
    return {
        "method": "POST",
        "url": f"https://{_twilio_host(credentials.get('region_config') or {})}/2010-04-01/Accounts/{sid}/Calls.json",
        "auth": {"type": "basic", "username": sid, "password": HIDDEN},
        "form": {
            "To": to,
            "From": number,
            "Twiml": f"<Response><Connect>{stream}{parameter}</Stream></Connect></Response>",
        },
        "needs": "public_address: where the provider reaches this server for the audio",
    }


def _twilio_host(region: Json) -> str:
    """Twilio's regions other than us1 are reached through an edge."""
    where = region.get("region_id")
    return f"api.{region.get('edge_location')}.{where}.twilio.com" if where not in (None, "us1") else "api.twilio.com"


def _sip(number: str, trunk: Json, to: str) -> Json:
    address, transport = trunk["address"], trunk.get("transport", "auto")
    parameter = "" if transport == "auto" else f";transport={transport}"
    login = trunk.get("username")
    return {
        "method": "INVITE",
        "target": f"sip:{to}@{address}{parameter}",
        "transport": transport,
        "media_encryption": trunk.get("media_encryption", "allowed"),
        "from": number,
        "headers": dict.fromkeys(trunk.get("header_names", []), HIDDEN),
        "auth": {"type": "digest", "username": login, "password": HIDDEN} if login is not None else None,
    }
