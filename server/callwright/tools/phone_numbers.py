"""Tools to import phone numbers and to choose the agent that answers them."""

from copy import deepcopy
from typing import Annotated, Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field, SecretStr

from ..api.client import ApiClient
from ..contract.agents import GetAgent
from ..contract.common import AgentId, Cursor, PhoneNumberId
from ..contract.merge import Json
from ..contract.phone_numbers import (
    CreatePhoneNumber,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListPhoneNumbers,
    PhoneNumber,
    UpdatePhoneNumber,
)
from ..replies.text import short
from ..replies.views import Deleted, Page, View, paged
from ..requests.documents import put
from ..toolkit.toolset import PlatformApi, Toolset
from ..undo.undo import Past, inverse, undoes

TOOLS = Toolset("phone", "Import phone numbers and choose which agent answers them.")

Id = Annotated[PhoneNumberId, Field(description="From list_phone_numbers.")]
Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$", description="With country code, as +15551234567.")]
Label = Annotated[str, Field(min_length=1, max_length=200, description="Name for it.")]


class PhoneLine(View):
    phone_number_id: str
    phone_number: str
    label: str
    provider: str
    answered_by: str | None = None


class PhoneLines(Page):
    phone_numbers: list[PhoneLine]


class PhoneView(PhoneLine):
    supports_inbound: bool
    supports_outbound: bool
    outbound_trunk: str | None = None
    inbound_trunk: str | None = None


@TOOLS.tool(ListPhoneNumbers, title="List phone numbers", words="numbers who answers hotline welche nummern")
async def list_phone_numbers(
    api: PlatformApi, cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None
) -> PhoneLines:
    """List imported phone numbers and the agent that answers each."""
    lines = [PhoneLine(**_line(number)) for number in await api.send(ListPhoneNumbers())]
    shown, more = paged(lines, lambda line: line.phone_number_id, cursor)
    return PhoneLines(phone_numbers=shown, has_more=more is not None, next_cursor=more)


@TOOLS.tool(GetPhoneNumber, title="Get phone number", parts=True, default=False)
async def get_phone_number(api: PlatformApi, phone_number_id: Id) -> PhoneView:
    """Show one phone number: provider, agent, trunks. Credentials are never shown."""
    return _view(await api.send(GetPhoneNumber(phone_number_id=phone_number_id)))


@TOOLS.tool(
    CreatePhoneNumber,
    GetPhoneNumber,
    title="Import phone number",
    words="twilio connect bring sip trunk number verbinde port",
    default=False,
)
async def import_phone_number(
    api: PlatformApi,
    phone_number: Number,
    label: Label,
    twilio_sid: Annotated[str | None, Field(max_length=100, description="Twilio account SID.")] = None,
    twilio_token: Annotated[
        SecretStr | None, Field(description="Seen by this chat. Left out: the person enters it.")
    ] = None,
    twilio_token_env: Annotated[str | None, Field(max_length=200, description="Or a variable that holds it.")] = None,
    sip_outbound: Annotated[Json | None, Field(description="SIP: address, transport, credentials, headers.")] = None,
    sip_inbound: Annotated[Json | None, Field(description="SIP: allowed_addresses and _numbers, credentials.")] = None,
    config: Annotated[
        Json | None, Field(description="Rest of the body, as region_config: describe_config, kind phone_number.")
    ] = None,
) -> PhoneView:
    """Import a number you have at Twilio (sid and token) or on a SIP trunk. Buys nothing; then assign an agent."""
    body: Json = deepcopy(config or {})
    put(body, ("phone_number",), phone_number, "phone_number")
    put(body, ("label",), label, "label")
    if twilio_sid and not (sip_outbound or sip_inbound):
        token = api.secret(twilio_token, twilio_token_env, "token")
        body |= {"provider": "twilio", "sid": twilio_sid, "token": token}
    elif (sip_outbound or sip_inbound) and not (twilio_sid or twilio_token or twilio_token_env):
        trunks = {"inbound_trunk_config": sip_inbound, "outbound_trunk_config": sip_outbound}
        body |= {"provider": "sip_trunk", **{k: v for k, v in trunks.items() if v is not None}}
    else:
        raise ToolError("Give twilio_sid, or sip_outbound and/or sip_inbound; not both kinds.")
    made = await api.send(CreatePhoneNumber.model_validate(body))
    return _view(await api.send(GetPhoneNumber(phone_number_id=made.phone_number_id)))


@TOOLS.tool(
    UpdatePhoneNumber,
    title="Update phone number",
    words="answer hotline assign line pick incoming zuweisen",
    default=False,
)
async def update_phone_number(
    api: PlatformApi,
    phone_number_id: Id,
    agent_id: Annotated[AgentId | None, Field(description="Agent that answers from now on.")] = None,
    unassign: Annotated[bool, Field(description="No agent answers any more.")] = False,
    sip_outbound: Annotated[Json | None, Field(description="SIP: new outbound trunk.")] = None,
    sip_inbound: Annotated[Json | None, Field(description="SIP: new inbound trunk.")] = None,
    livekit_stack: Annotated[str | None, Field(max_length=40, description="standard or static.")] = None,
) -> PhoneView:
    """Let another agent answer a phone number, or change its SIP trunk. Callers meet the new agent at once."""
    if agent_id and unassign:
        raise ToolError("Give either agent_id or unassign.")
    body: Json = {"agent_id": agent_id} if agent_id or unassign else {}
    rest = {
        "inbound_trunk_config": sip_inbound,
        "outbound_trunk_config": sip_outbound,
        "livekit_stack": livekit_stack,
    }
    body |= {k: v for k, v in rest.items() if v is not None}
    if not body:
        raise ToolError("Nothing to change: give agent_id, unassign, sip_outbound, sip_inbound or livekit_stack.")
    return _view(await api.send(UpdatePhoneNumber.model_validate({"phone_number_id": phone_number_id} | body)))


@TOOLS.tool(DeletePhoneNumber, GetPhoneNumber, title="Delete phone number", words="remove release line", default=False)
async def delete_phone_number(api: PlatformApi, phone_number_id: Id) -> Deleted:
    """Take a number out for good, with its credentials. It stays yours at its provider."""
    found = cast(Any, await api.send(GetPhoneNumber(phone_number_id=phone_number_id)))
    await api.send(DeletePhoneNumber(phone_number_id=phone_number_id))
    return Deleted(deleted=phone_number_id, name=found.phone_number)


@TOOLS.preview(DeletePhoneNumber)
async def _what_would_go(api: ApiClient, op: DeletePhoneNumber) -> str:
    found = PhoneLine(**_line(await api.send(GetPhoneNumber(phone_number_id=op.phone_number_id))))
    answered = f" {found.answered_by} answers it now." if found.answered_by else ""
    return f"Take out phone number {found.phone_number} ({found.label}) for good, with its credentials.{answered}"


@TOOLS.preview(UpdatePhoneNumber)
async def _what_would_change(api: ApiClient, op: UpdatePhoneNumber) -> str:
    found = PhoneLine(**_line(await api.send(GetPhoneNumber(phone_number_id=op.phone_number_id))))
    said = f"Change phone number {found.phone_number} ({found.label})."
    if "agent_id" in op.model_fields_set:
        answers = "nobody"
        if op.agent_id:
            agent = await api.send(GetAgent(agent_id=op.agent_id))
            answers = f"{short(agent.name)} ({op.agent_id})"
        said += f" Callers will reach {answers} instead of {found.answered_by or 'nobody'}."
    return said


@TOOLS.preview(CreatePhoneNumber)
async def _what_would_be_imported(_: ApiClient, op: CreatePhoneNumber) -> str:
    return f"Import phone number {op.phone_number} as {short(op.label)!r}."


def _line(number: PhoneNumber) -> Json:
    found = cast(Any, number)
    agent = found.assigned_agent
    return {
        "phone_number_id": found.phone_number_id,
        "phone_number": found.phone_number,
        "label": short(found.label),
        "provider": found.provider,
        "answered_by": f"{short(agent.agent_name)} ({agent.agent_id})" if agent else None,
    }


def _view(number: PhoneNumber) -> PhoneView:
    found = cast(Any, number)
    return PhoneView(
        **_line(number),
        supports_inbound=bool(found.supports_inbound),
        supports_outbound=bool(found.supports_outbound),
        outbound_trunk=_outbound(getattr(found, "outbound_trunk", None)),
        inbound_trunk=_inbound(getattr(found, "inbound_trunk", None)),
    )


def _outbound(trunk: Any) -> str | None:
    if trunk is None:
        return None
    login = "with login" if trunk.has_auth_credentials else "without login"
    return f"{trunk.address} over {trunk.transport}, media encryption {trunk.media_encryption}, {login}"


def _inbound(trunk: Any) -> str | None:
    if trunk is None:
        return None
    login = "with login" if trunk.has_auth_credentials else "without login"
    return f"from {', '.join(trunk.allowed_addresses)}, media encryption {trunk.media_encryption}, {login}"


def _only_who_answers(op: UpdatePhoneNumber) -> bool:
    """Whether only the agent changes: a trunk cannot be restored, as the platform never returns its credentials."""
    return (op.body() or {}).keys() == {"agent_id"}


@undoes(UpdatePhoneNumber, reads=GetPhoneNumber, sends=UpdatePhoneNumber, when=_only_who_answers)
def _answered_as_before(past: Past) -> UpdatePhoneNumber:
    back = inverse(past.request, _answered_by(past.before), _answered_by(past.now))
    return UpdatePhoneNumber(phone_number_id=past.target, **back)


def _answered_by(number: Json) -> Json:
    agent = cast(Json, number.get("assigned_agent") or {})
    return {"agent_id": agent.get("agent_id")}
