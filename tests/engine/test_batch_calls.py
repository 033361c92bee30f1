"""Calls to many people: taken whole or not at all, over when they fall due, cancelled and tried again."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import Connection, insert, update

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.engine.rules.batch_calls import CHANGED
from callwright.engine.schema.batch_calls import batch_call, batch_recipient
from callwright.engine.telephony.provider_requests import NOT_CONNECTED

from ..transports import START_MS, Clock
from .helpers import JSON, agent, change, problems
from .test_calls import OPEN, TRUNK, number
from .test_phone_numbers import TWILIO

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/batch-calling"
NOW = START_MS // 1000
LATER = NOW + 3600


@pytest.fixture
async def batch(api: ApiClient) -> JSON:
    """A batch that can be submitted."""
    return {
        "call_name": "Reminders",
        "agent_id": await agent(api, name="Ada"),
        "agent_phone_number_id": await number(api, TWILIO),
        "recipients": [{"id": "first", "phone_number": "+15550000001"}, {"phone_number": "+15550000002"}],
    }


async def submit(wire: AsyncClient, body: JSON, **more: Any) -> JSON:
    answer = await wire.post(f"{BASE}/submit", json=body | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(wire: AsyncClient, batch_id: str) -> JSON:
    return (await wire.get(f"{BASE}/{batch_id}")).json()


async def states(wire: AsyncClient, batch_id: str) -> tuple[str, list[str]]:
    found = await read(wire, batch_id)
    return found["status"], [recipient["status"] for recipient in found["recipients"]]


async def test_a_batch_is_for_the_agent_as_it_was_submitted(
    api: ApiClient, wire: AsyncClient, batch: JSON, clock: Clock
) -> None:
    kept, lost = [await submit(wire, batch, scheduled_time_unix=LATER + more) for more in (0, 60)]
    clock.forward(seconds=3600)
    assert (await read(wire, kept["id"]))["failure_reason"] == NOT_CONNECTED
    await change(api, batch["agent_id"], conversation_config={"agent": {"first_message": "You owe us money."}})
    clock.forward(seconds=60)
    found = await read(wire, lost["id"])
    assert (found["status"], found["failure_reason"]) == ("failed", CHANGED)
    again = (await wire.post(f"{BASE}/{lost['id']}/retry")).json()
    assert again["failure_reason"] == NOT_CONNECTED


async def test_a_batch_reads_back_with_all_its_recipients(api: ApiClient, wire: AsyncClient, batch: JSON) -> None:
    made = await submit(wire, batch, scheduled_time_unix=LATER, timezone="Europe/Berlin")
    assert await read(wire, made["id"]) == made | {
        "recipients": snapshot(
            [
                {
                    "id": "first",
                    "phone_number": "+15550000001",
                    "status": "pending",
                    "created_at_unix": 1800000000,
                    "updated_at_unix": 1800000000,
                    "conversation_id": None,
                    "conversation_initiation_client_data": None,
                },
                {
                    "id": "rcpt_4",
                    "phone_number": "+15550000002",
                    "status": "pending",
                    "created_at_unix": 1800000000,
                    "updated_at_unix": 1800000000,
                    "conversation_id": None,
                    "conversation_initiation_client_data": None,
                },
            ]
        )
    }
    assert made == snapshot(
        {
            "id": "btcal_3",
            "phone_number_id": "phnum_2",
            "phone_provider": "twilio",
            "name": "Reminders",
            "agent_id": "agent_1",
            "agent_name": "Ada",
            "created_at_unix": 1800000000,
            "scheduled_time_unix": 1800003600,
            "last_updated_at_unix": 1800000000,
            "status": "pending",
            "total_calls_scheduled": 2,
            "total_calls_dispatched": 0,
            "total_calls_finished": 0,
            "retry_count": 0,
            "telephony_call_config": {"ringing_timeout_secs": 60},
            "branch_id": None,
            "branch_name": None,
            "environment": None,
            "timezone": "Europe/Berlin",
            "target_concurrency_limit": None,
            "whatsapp_params": None,
        }
    )


async def test_a_batch_for_now_fails_with_the_reason_and_rings_nobody(wire: AsyncClient, batch: JSON) -> None:
    made = await submit(wire, batch)
    assert {name: made[name] for name in ("status", "failure_reason", "total_calls_dispatched")} == snapshot(
        {
            "status": "failed",
            "failure_reason": "No telephone provider is connected, so nobody was called.",
            "total_calls_dispatched": 0,
        }
    )
    assert await states(wire, made["id"]) == ("failed", ["failed", "failed"])
    found = await read(wire, made["id"])
    assert [recipient["conversation_id"] for recipient in found["recipients"]] == [None, None]


async def test_a_scheduled_batch_waits_until_it_falls_due(wire: AsyncClient, batch: JSON, clock: Clock) -> None:
    made = await submit(wire, batch, scheduled_time_unix=LATER)
    assert await states(wire, made["id"]) == ("pending", ["pending", "pending"])
    clock.forward(seconds=3600)
    assert await states(wire, made["id"]) == ("failed", ["failed", "failed"])
    [listed] = (await wire.get(f"{BASE}/workspace")).json()["batch_calls"]
    assert (listed["status"], listed["last_updated_at_unix"]) == ("failed", LATER)


async def test_a_batch_is_refused_whole_with_every_row_that_does_not_fit(
    api: ApiClient, wire: AsyncClient, batch: JSON
) -> None:
    await change(api, batch["agent_id"], conversation_config={"agent": {"first_message": "Hello {{name}}."}})
    wrong = [
        {"phone_number": "+15550000001", "conversation_initiation_client_data": {"dynamic_variables": {"name": "Bo"}}},
        {
            "phone_number": "+15550000002",
            "conversation_initiation_client_data": {
                "dynamic_variables": {"name": "Cy"},
                "conversation_config_override": {"agent": {"language": "de"}, "tts": {"voice_id": "v"}},
            },
        },
        {"phone_number": "+15550000003"},
        {"whatsapp_user_id": "w1"},
    ]
    assert problems(await wire.post(f"{BASE}/submit", json=batch | {"recipients": wrong})) == snapshot(
        [
            "body.recipients.1.conversation_initiation_client_data.conversation_config_override.tts.voice_id: Row 2: This agent does not let whoever starts a call set voice_id; open it in platform_settings.overrides.",
            "body.recipients.1.conversation_initiation_client_data.conversation_config_override.agent.language: Row 2: This agent does not let whoever starts a call set language; open it in platform_settings.overrides.",
            "body.recipients.2.conversation_initiation_client_data.dynamic_variables.name: Row 3: The agent's texts use it, and it has no value.",
            "body.recipients.3.conversation_initiation_client_data.dynamic_variables.name: Row 4: The agent's texts use it, and it has no value.",
            "body.recipients.3.phone_number: Row 4: This platform calls by telephone only: give a phone_number.",
        ]
    )
    numbers = [{"phone_number": "555"}, {"phone_number": "+15550000001"}, {"phone_number": "0"}]
    assert problems(await wire.post(f"{BASE}/submit", json=batch | {"recipients": numbers})) == snapshot(
        [
            "body.recipients.0.phone_number: Value error, must be a phone number with its country code, as in +15551234567",
            "body.recipients.2.phone_number: Value error, must be a phone number with its country code, as in +15551234567",
        ]
    )
    assert (await wire.get(f"{BASE}/workspace")).json()["batch_calls"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": []},
        {"recipients": [{"id": "a", "phone_number": "+15550000001"}] * 2},
        {"recipients": [{"phone_number": "+15550000001"}] * 10_001},
        {"scheduled_time_unix": START_MS},
        {"scheduled_time_unix": 2**70},
    ],
    ids=["nobody", "an id twice", "too many", "milliseconds", "beyond any time"],
)
async def test_a_batch_that_cannot_be_meant_is_refused(wire: AsyncClient, batch: JSON, wrong: JSON) -> None:
    assert len(problems(await wire.post(f"{BASE}/submit", json=batch | wrong))) == 1


async def test_a_batch_needs_an_agent_and_a_number_that_can_call(
    api: ApiClient, wire: AsyncClient, batch: JSON
) -> None:
    inward: JSON = {"provider": "sip_trunk", "phone_number": "+442071838752", "label": "in", "inbound_trunk_config": {}}
    said: list[str] = []
    for wrong in (
        {"agent_id": "agent_nowhere"},
        {"agent_phone_number_id": "phnum_nowhere"},
        {"agent_phone_number_id": await number(api, inward)},
        {"agent_phone_number_id": None, "agent_whatsapp_business_account_id": "wa"},
    ):
        answer = await wire.post(f"{BASE}/submit", json=batch | wrong)
        said.append(f"{answer.status_code} {answer.json()['detail']['message']}")
    assert said == snapshot(
        [
            "404 No agent 'agent_nowhere'. GET /v1/convai/agents lists them.",
            "404 No phone number 'phnum_nowhere'. GET /v1/convai/phone-numbers lists them.",
            "400 +442071838752 has no outbound trunk: set outbound_trunk_config on it first.",
            "400 Give agent_phone_number_id: this platform calls by telephone only, not by WhatsApp.",
        ]
    )


async def test_overrides_in_rows_are_taken_where_the_agent_permits_them(
    api: ApiClient, wire: AsyncClient, batch: JSON
) -> None:
    await change(api, batch["agent_id"], platform_settings=OPEN)
    brought = {"conversation_config_override": {"agent": {"language": "de"}}}
    row = {"phone_number": "+15550000001", "conversation_initiation_client_data": brought}
    made = await submit(wire, batch, recipients=[row], scheduled_time_unix=LATER)
    [kept] = (await read(wire, made["id"]))["recipients"]
    assert kept["conversation_initiation_client_data"] == brought


async def test_batches_are_listed_newest_first_in_pages(wire: AsyncClient, batch: JSON, clock: Clock) -> None:
    for name in ("one", "two", "three"):
        await submit(wire, batch, call_name=name)
        clock.forward(seconds=1)
    seen: list[list[str]] = []
    query: JSON = {"limit": 2}
    while True:
        page = (await wire.get(f"{BASE}/workspace", params=query)).json()
        seen.append([each["name"] for each in page["batch_calls"]])
        assert page["has_more"] is (page["next_doc"] is not None)
        if not page["has_more"]:
            break
        query["last_doc"] = page["next_doc"]
    assert seen == [["three", "two"], ["one"]]
    made_up = await wire.get(f"{BASE}/workspace", params={"last_doc": "nonsense"})
    assert made_up.status_code == 400


async def finish(app: App, batch_id: str, *statuses: str) -> None:
    """As if a provider had carried some of the calls."""

    def work(db: Connection) -> None:
        for place, status in enumerate(statuses):
            mine = (batch_recipient.c.batch_id == batch_id) & (batch_recipient.c.place == place)
            db.execute(update(batch_recipient).where(mine).values(status=status, conversation_id=f"conv_{place}"))
        db.execute(update(batch_call).where(batch_call.c.id == batch_id).values(status="in_progress"))

    await (await app.database()).write(work)


async def test_cancelling_keeps_what_is_finished_and_can_be_repeated(app: App, wire: AsyncClient, batch: JSON) -> None:
    people = [{"phone_number": f"+1555000000{n}"} for n in range(4)]
    made = await submit(wire, batch, recipients=people, scheduled_time_unix=LATER)
    await finish(app, made["id"], "completed", "failed", "in_progress", "pending")
    first = await wire.post(f"{BASE}/{made['id']}/cancel")
    assert await states(wire, made["id"]) == ("cancelled", ["completed", "failed", "cancelled", "cancelled"])
    found = await read(wire, made["id"])
    assert (found["total_calls_scheduled"], found["total_calls_dispatched"], found["total_calls_finished"]) == (4, 1, 1)
    assert (await wire.post(f"{BASE}/{made['id']}/cancel")).json() == first.json()


async def test_a_batch_that_is_over_is_not_cancelled(wire: AsyncClient, batch: JSON) -> None:
    made = await submit(wire, batch)
    assert (await wire.post(f"{BASE}/{made['id']}/cancel")).json()["status"] == "failed"
    assert await states(wire, made["id"]) == ("failed", ["failed", "failed"])


async def test_a_retry_takes_up_only_who_was_not_reached(
    app: App, wire: AsyncClient, batch: JSON, clock: Clock
) -> None:
    people = [{"phone_number": f"+1555000000{n}"} for n in range(4)]
    made = await submit(wire, batch, recipients=people, scheduled_time_unix=LATER)
    await finish(app, made["id"], "completed", "failed", "cancelled", "voicemail")
    clock.forward(seconds=5)
    answer = (await wire.post(f"{BASE}/{made['id']}/retry")).json()
    assert (answer["status"], answer["retry_count"]) == ("failed", 1)
    found = await read(wire, made["id"])
    assert [(each["status"], each["updated_at_unix"] - NOW) for each in found["recipients"]] == [
        ("completed", 0),
        ("failed", 5),
        ("cancelled", 0),
        ("failed", 5),
    ]


async def test_a_retry_needs_somebody_who_failed_and_an_agent_that_still_may(
    api: ApiClient, wire: AsyncClient, batch: JSON
) -> None:
    await change(api, batch["agent_id"], platform_settings=OPEN)
    row = {
        "phone_number": "+15550000001",
        "conversation_initiation_client_data": {"conversation_config_override": {"tts": {"voice_id": "v"}}},
    }
    waiting = await submit(wire, batch, scheduled_time_unix=LATER)
    failed = await submit(wire, batch, recipients=[row])
    closed = {"overrides": {"conversation_config_override": {"tts": {"voice_id": False}}}}
    await change(api, batch["agent_id"], platform_settings=closed)
    said = [(await wire.post(f"{BASE}/{id}/retry")).json() for id in (waiting["id"], failed["id"], "btcal_nowhere")]
    assert [each["detail"]["message"] for each in said] == snapshot(
        [
            "Nobody to call again: everybody in batch 'Reminders' was reached, or still will be.",
            "The agent has changed, and 1 things no longer fit: Row 1: This agent does not let whoever starts a call set voice_id; open it in platform_settings.overrides.",
            "No batch 'btcal_nowhere'. GET /v1/convai/batch-calling/workspace lists them.",
        ]
    )


async def test_a_trunk_number_makes_a_sip_batch(api: ApiClient, wire: AsyncClient, batch: JSON) -> None:
    made = await submit(wire, batch, agent_phone_number_id=await number(api, TRUNK))
    assert made["phone_provider"] == "sip_trunk"


async def test_a_batch_of_another_workspace_is_not_there(app: App, wire: AsyncClient, batch: JSON) -> None:
    made = await submit(wire, batch)

    def copy(db: Connection) -> None:
        row = db.execute(batch_call.select().where(batch_call.c.id == made["id"])).mappings().one()
        db.execute(insert(batch_call).values(**{**row, "workspace": "other", "id": "btcal_other"}))

    await (await app.database()).write(copy)
    assert (await wire.get(f"{BASE}/btcal_other")).status_code == 404
    assert len((await wire.get(f"{BASE}/workspace")).json()["batch_calls"]) == 1
