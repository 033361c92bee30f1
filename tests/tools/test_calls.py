"""Calling people through the MCP client: who is asked what, what is refused, what is answered."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.phone_numbers import CreatePhoneNumber
from callwright.requests.recipients import recipients_of, rows_of_csv
from tests.engine.helpers import JSON, change
from tests.engine.helpers import agent as make_agent
from tests.engine.test_calls import OPEN, TRUNK
from tests.engine.test_phone_numbers import TWILIO
from tests.transports import (
    ERAS,
    START_MS,
    Clock,
    facts,
    numbered,
    reach,
    refusal_facts,
    server,
    settings,
    text,
    undigested,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

LATER = START_MS // 1000 + 3600


@pytest.fixture
async def app(app: App, clock: Clock) -> AsyncGenerator[App]:
    """With every toolset."""
    everything = server(settings(app.settings.home, toolsets=("all",)), clock=clock, ids=numbered())
    yield everything
    await everything.close()  # a test may ask its platform again after the server has ended


@pytest.fixture
async def ready(app: App) -> JSON:
    """An agent and a Twilio number."""
    api = await app.api()
    agent_id = await make_agent(api, name="Ada")
    return {"agent_id": agent_id, "phone_number_id": await bring_in(api, TWILIO)}


async def bring_in(api: ApiClient, body: JSON) -> str:
    return (await api.send(CreatePhoneNumber.model_validate(body))).phone_number_id


async def call(client: Client, tool: str, /, **arguments: Any) -> JSON:
    return facts(await client.call_tool(tool, arguments))


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_is_asked_about_and_says_that_nobody_rang(app: App, ready: JSON, era: str) -> None:
    async with reach(app, era, says="yes") as (client, asked):
        answer = await call(client, "place_call", **ready, to_number="+15557654321")
        assert (await call(client, "list_conversations"))["conversations"] == []
    assert [undigested(question) for question in asked] == snapshot(
        [
            "Let agent 'Ada' (agent_1) call 1 person, +15557654321, from +15551234567 (Front desk), now. Costs minutes with the telephone provider and the platform, at most 10 min; the language model about 0.0002 USD a minute, so at most 1 cent. A yes is for the agent as it is now (digest)."
        ]
    )
    assert answer == snapshot(
        {
            "success": False,
            "message": "No telephone provider is connected, so nobody was called. Everything was checked; the request to the provider would be POST https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC1/Calls.json.",
            "provider_request": '{"method": "POST", "url": "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC1/Calls.json", "auth": {"type": "basic", "username": "AC1", "password": "(hidden)"}, "form": {"To": "+15557654321", "From": "+15551234567", "Twiml": "<Response><Connect><Stream url=\\"wss://{public_address}/twilio/media\\"><Parameter name=\\"agent_id\\" value=\\"agent_1\\"/></Stream></Connect></Response>"}, "needs": "public_address: where the provider reaches this server for the audio"}',
        }
    )


async def test_a_trunk_number_calls_by_sip(app: App, ready: JSON) -> None:
    trunk = await bring_in(await app.api(), TRUNK)
    async with reach(app, says="yes") as (client, _):
        answer = await call(client, "place_call", **ready | {"phone_number_id": trunk}, to_number="+15557654321")
    assert '"method": "INVITE"' in answer["provider_request"]


async def test_without_a_person_nobody_is_called(app: App, ready: JSON) -> None:
    async with reach(app) as (client, _):
        one = await client.call_tool("place_call", {**ready, "to_number": "+15557654321"})
        many = await client.call_tool(
            "submit_batch_call", {**ready, "name": "x", "recipients": [{"phone_number": "+15550000001"}]}
        )
        assert (await call(client, "list_batch_calls"))["batches"] == []
    assert [refusal_facts(each)["needs_approval"] for each in (one, many)] == ["person", "person"]


async def test_a_person_is_told_what_is_replaced_for_a_call(app: App, ready: JSON) -> None:
    await change(await app.api(), ready["agent_id"], platform_settings=OPEN)
    words = {"agent": {"first_message": "You owe us money."}, "tts": {"voice_id": "v"}}
    row = {"phone_number": "+15550000001", "first_message": "You owe us money."}
    async with reach(app, says="no") as (client, asked):
        await client.call_tool("place_call", {**ready, "to_number": "+15557654321", "overrides": words})
        await client.call_tool("submit_batch_call", {**ready, "name": "x", "recipients": [row]})
    assert [question.partition("Costs")[0] for question in asked] == snapshot(
        [
            "Let agent 'Ada' (agent_1) call 1 person, +15557654321, from +15551234567 (Front desk), now. Replaced for that: agent.first_message = 'You owe us money.'; tts.voice_id = 'v'. ",
            "Let agent 'Ada' (agent_1) call 1 person from +15551234567 (Front desk), now, as batch 'x': +15550000001. Replaced for that: agent.first_message = 'You owe us money.'. ",
        ]
    )


async def test_a_server_without_outbound_offers_no_calls(app: App) -> None:
    quiet = server(settings(app.settings.home, toolsets=("calls",), no_outbound=True))
    async with reach(quiet) as (client, _):
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert names & {"place_call", "submit_batch_call", "retry_batch_call"} == set()
    assert "cancel_batch_call" in names


@pytest.mark.parametrize("era", ERAS)
async def test_a_batch_is_asked_about_followed_cancelled_and_tried_again(app: App, ready: JSON, era: str) -> None:
    people = [{"phone_number": f"+1555000000{n}", "name": f"Guest {n}"} for n in range(7)]
    async with reach(app, era, says="yes") as (client, asked):
        made = await call(
            client, "submit_batch_call", **ready, name="Reminders", recipients=people, scheduled_unix_secs=LATER
        )
        batch = {"batch_id": made["batch_id"]}
        plan = (await call(client, "cancel_batch_call", **batch, dry_run=True))["dry_run"]
        cancelled = await call(client, "cancel_batch_call", **batch)
        now = await call(client, "submit_batch_call", **ready, name="Now", recipients=people[:1])
        again = await call(client, "retry_batch_call", batch_id=now["batch_id"])
        listed = await call(client, "list_batch_calls")
    assert [undigested(question) for question in asked] == snapshot(
        [
            "Let agent 'Ada' (agent_1) call 7 people from +15551234567 (Front desk), at 2027-01-15 09:00 UTC, as batch 'Reminders': +15550000000, +15550000001, +15550000002, +15550000003, +15550000004, +15550000005, +15550000006. Costs minutes with the telephone provider and the platform, at most 70 min (7 x 10); the language model about 0.0002 USD a minute, so at most 0.01 USD. A yes is for the agent as it is now (digest).",
            "Stop batch 'Reminders' (btcal_3): 7 people would not be called.",
            "Let agent 'Ada' (agent_1) call 1 person from +15551234567 (Front desk), now, as batch 'Now': +15550000000. Costs minutes with the telephone provider and the platform, at most 10 min; the language model about 0.0002 USD a minute, so at most 1 cent. A yes is for the agent as it is now (digest).",
            "Let agent 'Ada' (agent_1) call 1 person of batch 'Now' (btcal_11) again from +15551234567 (Front desk), now: +15550000000. Costs minutes with the telephone provider and the platform, at most 10 min; the language model about 0.0002 USD a minute, so at most 1 cent. A yes is for the agent as it is now (digest).",
        ]
    )
    assert plan["would"] == "Stop batch 'Reminders' (btcal_3): 7 people would not be called."
    assert [each["status"] for each in (made, cancelled, now, again)] == ["pending", "cancelled", "failed", "failed"]
    assert again == snapshot(
        {
            "batch_id": "btcal_11",
            "name": "Now",
            "agent": "Ada (agent_1)",
            "status": "failed",
            "calls": 1,
            "dispatched": 0,
            "scheduled_unix_secs": 1800000000,
            "phone_number_id": "phnum_2",
            "failure_reason": "No telephone provider is connected, so nobody was called.",
            "retries": 1,
        }
    )
    assert {batch["name"]: batch["status"] for batch in listed["batches"]} == {
        "Reminders": "cancelled",
        "Now": "failed",
    }


async def test_a_long_batch_is_shown_in_parts(app: App, ready: JSON) -> None:
    people = [{"phone_number": f"+1555000{n:04}"} for n in range(120)]
    async with reach(app, says="yes") as (client, _):
        made = await call(client, "submit_batch_call", **ready, name="Many", recipients=people)
        seen: list[str] = []
        page: JSON = {}
        start = 0
        while start is not None:
            page = await call(client, "get_batch_call", batch_id=made["batch_id"], start=start)
            seen += [row["phone_number"] for row in page["recipients"]]
            start = page.get("more_from")
        none = await call(client, "get_batch_call", batch_id=made["batch_id"], status="completed")
    assert seen == [person["phone_number"] for person in people]
    assert page["states"] == ["failed: 120"]
    assert none["recipients"] == []


SHEET = (
    '\ufeffphone_number,name,language,note\r\n+15550000001,Bo,de,"two\r\nlines"\r\n\r\n+15550000002,"Cy, the 2nd",,\r\n'
    "+15550000001,Di,,\r\n"
)


async def test_a_spreadsheet_becomes_recipients_and_duplicates_are_named(app: App, ready: JSON) -> None:
    await change(await app.api(), ready["agent_id"], platform_settings=OPEN)
    async with reach(app, says="yes") as (client, _):
        made = await call(client, "submit_batch_call", **ready, name="Sheet", csv=SHEET, scheduled_unix_secs=LATER)
    assert made["warnings"] == ["+15550000001 would be called 2 times (recipients 1, 3)."]
    stored = await (await app.api()).send(_get(made["batch_id"]))
    assert [
        each.conversation_initiation_client_data.model_dump(mode="json", exclude_unset=True)
        for each in stored.recipients
        if each.conversation_initiation_client_data
    ] == snapshot(
        [
            {
                "conversation_config_override": {"agent": {"language": "de"}},
                "dynamic_variables": {
                    "name": "Bo",
                    "note": """\
two\r
lines\
""",
                },
            },
            {"dynamic_variables": {"name": "Cy, the 2nd"}},
            {"dynamic_variables": {"name": "Di"}},
        ]
    )


def _get(batch_id: str) -> Any:
    from callwright.contract.calls import GetBatchCall

    return GetBatchCall(batch_id=batch_id)


async def test_columns_that_the_agent_does_not_permit_fail_the_batch(app: App, ready: JSON) -> None:
    rows = [{"phone_number": "+15550000001", "voice_id": "v"}, {"phone_number": "+15550000002"}]
    async with reach(app, says="yes") as (client, _):
        refused = await client.call_tool("submit_batch_call", {**ready, "name": "x", "recipients": rows})
        assert (await call(client, "list_batch_calls"))["batches"] == []
    assert text(refused) == snapshot(
        "recipients.0.conversation_initiation_client_data.conversation_config_override.tts.voice_id: Row 1: This agent does not let whoever starts a call set voice_id; open it in platform_settings.overrides."
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_of_spreadsheets_are_read(separator: str) -> None:
    sheet = "phone_number,name\n+15550000001,Bo\n".replace(",", separator)
    assert rows_of_csv(sheet) == [{"phone_number": "+15550000001", "name": "Bo"}]


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        ("", "csv: the first row must name the columns, phone_number among them; it is []."),
        ("number\n+1555\n", "csv: the first row must name the columns, phone_number among them; it is ['number']."),
        ("phone_number,a,a\n", "csv: the header names 'a' more than once."),
        ("phone_number\n+15550000001,x\n", "csv: row 2 has 2 cells, the header 1."),
        ('phone_number\n"+1555', "csv: unexpected end of data."),
    ],
)
def test_what_is_no_table_is_refused(sheet: str, said: str) -> None:
    with pytest.raises(ToolError) as refused:
        rows_of_csv(sheet)
    assert str(refused.value) == said


def test_every_wrong_number_is_named_with_its_row() -> None:
    with pytest.raises(ToolError) as refused:
        recipients_of([{"phone_number": "555"}, {"phone_number": "+15550000001"}, {"name": "Bo"}])
    assert str(refused.value) == (
        "Nothing was sent. Recipient 1: '555' has no country code, as +15551234567. Recipient 3: no phone_number."
    )


def test_known_columns_are_overrides_and_the_rest_are_variables() -> None:
    row = {
        "phone_number": "+15550000001",
        "id": "r1",
        "system_prompt": "Be brief.",
        "first_message": "Hi.",
        "voice_id": "v",
        "room": 4,
    }
    recipients, warnings = recipients_of([row])
    assert (recipients, warnings) == snapshot(
        (
            [
                {
                    "id": "r1",
                    "phone_number": "+15550000001",
                    "conversation_initiation_client_data": {
                        "conversation_config_override": {
                            "agent": {"first_message": "Hi.", "prompt": {"prompt": "Be brief."}},
                            "tts": {"voice_id": "v"},
                        },
                        "dynamic_variables": {"room": 4},
                    },
                }
            ],
            [],
        )
    )


async def test_recipients_come_one_way(app: App, ready: JSON) -> None:
    async with reach(app, says="yes") as (client, _):
        neither = await client.call_tool("submit_batch_call", {**ready, "name": "x"})
        both = await client.call_tool("submit_batch_call", {**ready, "name": "x", "recipients": [], "csv": "x"})
        nobody = await client.call_tool("submit_batch_call", {**ready, "name": "x", "recipients": []})
    assert [text(each) for each in (neither, both, nobody)] == [
        "Give either recipients or csv.",
        "Give either recipients or csv.",
        "Give at least one recipient, in recipients or in csv.",
    ]
