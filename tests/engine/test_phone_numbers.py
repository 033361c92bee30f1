"""The rules of phone numbers."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import select

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.errors import NotFound
from callwright.contract.phone_numbers import (
    CreatePhoneNumber,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListPhoneNumbers,
    UpdatePhoneNumber,
)
from callwright.engine.schema.tables import phone_number

from .helpers import JSON, agent, dump, problems, read, refused

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/phone-numbers"
CANARY = "canary-4711"
TWILIO: JSON = {
    "provider": "twilio",
    "phone_number": "+15551234567",
    "label": "Front desk",
    "sid": "AC1",
    "token": f"{CANARY}-token",
    "region_config": {"region_id": "ie1", "token": f"{CANARY}-region", "edge_location": "dublin"},
    "newer_secret": f"{CANARY}-newer",
}
SIP: JSON = {
    "provider": "sip_trunk",
    "phone_number": "+442071838750",
    "label": "London",
    "supports_outbound": False,
    "inbound_trunk_config": {
        "allowed_addresses": ["192.0.2.0/24"],
        "media_encryption": "required",
        "credentials": {"username": "in", "password": f"{CANARY}-in"},
    },
    "outbound_trunk_config": {
        "address": "sip.example.com",
        "transport": "tls",
        "headers": {"X-Account": f"{CANARY}-header", "X-Other": "b"},
        "credentials": {"username": "out", "password": f"{CANARY}-out"},
        "newer_secret": f"{CANARY}-newer",
    },
}


async def bring_in(api: ApiClient, body: JSON) -> str:
    return (await api.send(CreatePhoneNumber.model_validate(body))).phone_number_id


async def number(api: ApiClient, id: str) -> JSON:
    return dump(await api.send(GetPhoneNumber(phone_number_id=id)))


async def stored_bytes(app: App) -> bytes:
    """Everything in the folder of the data: database, log of writes, keys."""
    return b"".join(file.read_bytes() for file in app.settings.home.rglob("*") if file.is_file())


async def test_an_imported_number_reads_back_with_masked_credentials(
    app: App, api: ApiClient, wire: AsyncClient
) -> None:
    twilio, sip = await bring_in(api, TWILIO), await bring_in(api, SIP)
    assert await number(api, twilio) == snapshot(
        {
            "phone_number": "+15551234567",
            "label": "Front desk",
            "supports_inbound": True,
            "supports_outbound": True,
            "phone_number_id": "phnum_1",
            "assigned_agent": None,
            "provider": "twilio",
        }
    )
    assert await number(api, sip) == snapshot(
        {
            "phone_number": "+442071838750",
            "label": "London",
            "supports_inbound": True,
            "supports_outbound": False,
            "phone_number_id": "phnum_2",
            "assigned_agent": None,
            "provider": "sip_trunk",
            "provider_config": {
                "address": "sip.example.com",
                "transport": "tls",
                "media_encryption": "allowed",
                "headers": {"X-Account": "(hidden)", "X-Other": "(hidden)"},
                "has_auth_credentials": True,
                "username": "out",
                "has_outbound_trunk": True,
            },
            "outbound_trunk": {
                "address": "sip.example.com",
                "transport": "tls",
                "media_encryption": "allowed",
                "headers": {"X-Account": "(hidden)", "X-Other": "(hidden)"},
                "has_auth_credentials": True,
                "username": "out",
                "has_outbound_trunk": True,
            },
            "inbound_trunk": {
                "allowed_addresses": ["192.0.2.0/24"],
                "allowed_numbers": None,
                "media_encryption": "required",
                "has_auth_credentials": True,
                "username": "in",
                "remote_domains": None,
            },
            "livekit_stack": "standard",
        }
    )
    listed = await wire.get(BASE)
    assert listed.json() == [await number(api, sip), await number(api, twilio)]
    assert CANARY not in listed.text
    assert CANARY.encode() not in await stored_bytes(app)


async def test_a_number_is_assigned_to_an_agent_and_taken_back(api: ApiClient) -> None:
    made, ada = await bring_in(api, TWILIO), await agent(api, name="Ada")
    answer = dump(await api.send(UpdatePhoneNumber(phone_number_id=made, agent_id=ada)))
    assert answer["assigned_agent"] == {"agent_id": ada, "agent_name": "Ada"}
    assert (await read(api, ada))["phone_numbers"] == [answer]
    await api.send(UpdatePhoneNumber(phone_number_id=made))
    assert (await number(api, made))["assigned_agent"] is not None
    await api.send(UpdatePhoneNumber(phone_number_id=made, agent_id=None))
    assert (await number(api, made))["assigned_agent"] is None
    assert (await read(api, ada))["phone_numbers"] == []


async def test_a_deleted_number_is_gone_from_its_agent(api: ApiClient) -> None:
    made, ada = await bring_in(api, SIP), await agent(api, name="Ada")
    await api.send(UpdatePhoneNumber(phone_number_id=made, agent_id=ada))
    await api.send(DeletePhoneNumber(phone_number_id=made))
    assert (await read(api, ada))["phone_numbers"] == []
    assert dump_all(await api.send(ListPhoneNumbers())) == []
    assert isinstance(await refused(api, GetPhoneNumber(phone_number_id=made)), NotFound)
    assert await bring_in(api, SIP) != made


def dump_all(rows: object) -> list[JSON]:
    assert isinstance(rows, list)
    return [dump(row) for row in rows]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


async def test_a_number_is_answered_only_by_an_agent_that_exists_and_where_calls_come_in(api: ApiClient) -> None:
    made = await bring_in(api, TWILIO)
    outgoing = await bring_in(api, TWILIO | {"phone_number": "+15557654321", "supports_inbound": False})
    ada = await agent(api)
    said = [
        str(await refused(api, UpdatePhoneNumber(phone_number_id=made, agent_id="agent_no"))),
        str(await refused(api, UpdatePhoneNumber(phone_number_id=outgoing, agent_id=ada))),
        str(await refused(api, CreatePhoneNumber.model_validate(TWILIO))),
    ]
    assert said == snapshot(
        [
            "No agent 'agent_no' to answer this number. GET /v1/convai/agents lists them.",
            "+15557654321 takes no incoming calls, so no agent can answer it.",
            "+15551234567 is imported already, as phnum_1. Update that one, or delete it first.",
        ]
    )
    assert [row["assigned_agent"] for row in dump_all(await api.send(ListPhoneNumbers()))] == [None, None]


@pytest.mark.parametrize(
    "trunk", [{"inbound_trunk_config": {}}, {"outbound_trunk_config": {"address": "a.example"}}, {"livekit_stack": "static"}]
)  # fmt: skip
async def test_a_twilio_number_has_no_trunk(api: ApiClient, trunk: JSON) -> None:
    made = await bring_in(api, TWILIO)
    error = await refused(api, UpdatePhoneNumber.model_validate({"phone_number_id": made, **trunk}))
    assert error.status == 400
    assert str(error) == f"{next(iter(trunk))} is for SIP trunk numbers; +15551234567 is a Twilio number."


async def test_a_new_trunk_takes_nothing_from_the_old_one(app: App, api: ApiClient) -> None:
    """A password must not travel to an address that it was not stored for."""
    made = await bring_in(api, SIP)
    trunk = {"address": "other.example", "headers": {"X-New": "n"}}
    answer = dump(
        await api.send(UpdatePhoneNumber.model_validate({"phone_number_id": made, "outbound_trunk_config": trunk}))
    )
    assert answer["outbound_trunk"] == snapshot(
        {
            "address": "other.example",
            "transport": "auto",
            "media_encryption": "allowed",
            "headers": {"X-New": "(hidden)"},
            "has_auth_credentials": False,
            "username": None,
            "has_outbound_trunk": True,
        }
    )
    assert answer["inbound_trunk"]["has_auth_credentials"] is True
    assert await opened(app, made) == snapshot(
        '{"inbound_trunk_config": {"credentials": {"username": "in", "password": "canary-4711-in"}}, "outbound_trunk_config": {"headers": {"X-New": "n"}}}'
    )
    gone = UpdatePhoneNumber(phone_number_id=made, outbound_trunk_config=None, inbound_trunk_config=None)
    assert {k: v for k, v in dump(await api.send(gone)).items() if "trunk" in k} == snapshot(
        {"outbound_trunk": None, "inbound_trunk": None}
    )
    assert await opened(app, made) is None


async def opened(app: App, id: str) -> str | None:
    """What is sealed with a number, opened with the key of the data folder."""
    from callwright.engine.store.vault import Vault
    from callwright.engine.store.vault_key import vault_key

    sealed = await (await app.database()).read(
        lambda db: db.execute(select(phone_number.c.sealed).where(phone_number.c.id == id)).scalar_one()
    )
    return None if sealed is None else Vault(vault_key(app.settings)).open(sealed, belongs_to=f"default/{id}")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"phone_number": "555 1234"}, "body.phone_number"),
        ({"phone_number": "+05551234567"}, "body.phone_number"),
        ({"phone_number": "+1555123456789012"}, "body.phone_number"),
        ({"label": None}, "body.label"),
        ({"provider": "vonage"}, "body.provider"),
        ({"outbound_trunk_config": {"address": "sip:me@sip.example.com"}}, "body.outbound_trunk_config.address"),
        ({"outbound_trunk_config": {"address": "me@sip.example.com"}}, "body.outbound_trunk_config.address"),
        ({"outbound_trunk_config": {"address": "sip.example.com/x"}}, "body.outbound_trunk_config.address"),
        (
            {"outbound_trunk_config": {"address": "a.example", "transport": "udp"}},
            "body.outbound_trunk_config.transport",
        ),
    ],
)
async def test_a_number_that_cannot_be_called_is_refused_at_its_place(
    wire: AsyncClient, change: JSON, place: str
) -> None:
    assert [p.split(":")[0] for p in problems(await wire.post(BASE, json=SIP | change))] == [place]
    assert (await wire.get(BASE)).json() == []


async def test_a_twilio_number_needs_its_login(wire: AsyncClient) -> None:
    body = {k: v for k, v in TWILIO.items() if k not in ("sid", "token")}
    assert problems(await wire.post(BASE, json=body)) == snapshot(["body: A Twilio number needs sid and token"])
