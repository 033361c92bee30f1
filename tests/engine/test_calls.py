"""Calls that go out: what is checked, and what is said while nothing can carry them."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.conversations import ListConversations
from callwright.contract.phone_numbers import CreatePhoneNumber

from .helpers import JSON, agent, change, problems
from .test_phone_numbers import CANARY, TWILIO

pytestmark = pytest.mark.anyio

BY_TWILIO = "/v1/convai/twilio/outbound-call"
BY_SIP = "/v1/convai/sip-trunk/outbound-call"
TRUNK: JSON = {
    "provider": "sip_trunk",
    "phone_number": "+442071838751",
    "label": "London out",
    "outbound_trunk_config": {
        "address": "sip.example.com",
        "transport": "tls",
        "media_encryption": "required",
        "headers": {"X-Team": f"{CANARY}-header"},
        "credentials": {"username": "desk", "password": f"{CANARY}-password"},
    },
}
OPEN: JSON = {
    "overrides": {
        "conversation_config_override": {"agent": {"language": True, "first_message": True}, "tts": {"voice_id": True}},
        "custom_llm_extra_body": True,
    }
}


async def number(api: ApiClient, body: JSON) -> str:
    return (await api.send(CreatePhoneNumber.model_validate(body))).phone_number_id


def call(agent_id: str, number_id: str, **brought: Any) -> JSON:
    asked: JSON = {"agent_id": agent_id, "agent_phone_number_id": number_id, "to_number": "+15557654321"}
    return asked | ({"conversation_initiation_client_data": brought} if brought else {})


async def test_a_call_is_checked_and_answered_with_the_request_it_would_make(api: ApiClient, wire: AsyncClient) -> None:
    agent_id = await agent(api, name="Ada")
    by_twilio = await wire.post(BY_TWILIO, json=call(agent_id, await number(api, TWILIO)))
    by_sip = await wire.post(BY_SIP, json=call(agent_id, await number(api, TRUNK)))
    assert (by_twilio.status_code, by_sip.status_code) == (200, 200)
    assert CANARY not in by_twilio.text + by_sip.text
    assert [by_twilio.json(), by_sip.json()] == snapshot(
        [
            {
                "success": False,
                "message": "No telephone provider is connected, so nobody was called. Everything was checked; the request to the provider would be POST https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC1/Calls.json.",
                "conversation_id": None,
                "provider_request": {
                    "method": "POST",
                    "url": "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/AC1/Calls.json",
                    "auth": {"type": "basic", "username": "AC1", "password": "(hidden)"},
                    "form": {
                        "To": "+15557654321",
                        "From": "+15551234567",
                        "Twiml": '<Response><Connect><Stream url="wss://{public_address}/twilio/media"><Parameter name="agent_id" value="agent_1"/></Stream></Connect></Response>',
                    },
                    "needs": "public_address: where the provider reaches this server for the audio",
                },
                "callSid": None,
            },
            {
                "success": False,
                "message": "No telephone provider is connected, so nobody was called. Everything was checked; the request to the provider would be INVITE sip:+15557654321@sip.example.com;transport=tls.",
                "conversation_id": None,
                "provider_request": {
                    "method": "INVITE",
                    "target": "sip:+15557654321@sip.example.com;transport=tls",
                    "transport": "tls",
                    "media_encryption": "required",
                    "from": "+442071838751",
                    "headers": {"X-Team": "(hidden)"},
                    "auth": {"type": "digest", "username": "desk", "password": "(hidden)"},
                },
                "sip_call_id": None,
            },
        ]
    )
    assert (await api.send(ListConversations(include_simulated=True))).conversations == []


async def test_a_plain_twilio_number_is_called_through_the_usual_host(api: ApiClient, wire: AsyncClient) -> None:
    plain = {"provider": "twilio", "phone_number": "+15551230000", "label": "x", "sid": "AC2", "token": "t"}
    answer = await wire.post(BY_TWILIO, json=call(await agent(api), await number(api, plain)))
    assert answer.json()["provider_request"]["url"] == "https://api.twilio.com/2010-04-01/Accounts/AC2/Calls.json"


async def test_an_open_trunk_has_no_login_and_no_fixed_transport(api: ApiClient, wire: AsyncClient) -> None:
    bare = TRUNK | {"outbound_trunk_config": {"address": "192.0.2.7"}}
    answer = await wire.post(BY_SIP, json=call(await agent(api), await number(api, bare)))
    request = answer.json()["provider_request"]
    assert (request["target"], request["auth"]) == ("sip:+15557654321@192.0.2.7", None)


async def test_what_cannot_call_says_why(api: ApiClient, wire: AsyncClient) -> None:
    twilio, trunk = await number(api, TWILIO), await number(api, TRUNK)
    inward: JSON = {"provider": "sip_trunk", "phone_number": "+442071838752", "label": "in", "inbound_trunk_config": {}}
    silent = TWILIO | {"phone_number": "+15551230001", "supports_outbound": False}
    ada, gone = await agent(api, name="Ada"), await agent(api, name="Gone")
    await change(api, gone, platform_settings={"archived": True})
    said: list[str] = []
    for path, asked in (
        (BY_SIP, call(ada, twilio)),
        (BY_TWILIO, call(ada, trunk)),
        (BY_SIP, call(ada, await number(api, inward))),
        (BY_TWILIO, call(ada, await number(api, silent))),
        (BY_TWILIO, call(gone, twilio)),
        (BY_TWILIO, call("agent_nowhere", twilio)),
        (BY_TWILIO, call(ada, "phnum_nowhere")),
    ):
        answer = await wire.post(path, json=asked)
        said.append(f"{answer.status_code} {answer.json()['detail']['message']}")
    assert said == snapshot(
        [
            "400 +15551234567 is a twilio number: call with POST /v1/convai/twilio/outbound-call instead.",
            "400 +442071838751 is a sip_trunk number: call with POST /v1/convai/sip-trunk/outbound-call instead.",
            "400 +442071838752 has no outbound trunk: set outbound_trunk_config on it first.",
            "400 +15551230001 places no calls (supports_outbound is false).",
            "400 Agent 'Gone' is archived and calls nobody. Set archived to false first.",
            "404 No agent 'agent_nowhere'. GET /v1/convai/agents lists them.",
            "404 No phone number 'phnum_nowhere'. GET /v1/convai/phone-numbers lists them.",
        ]
    )


async def test_a_number_to_call_has_a_country_code(api: ApiClient, wire: AsyncClient) -> None:
    asked = call(await agent(api), await number(api, TWILIO)) | {"to_number": "5557654321"}
    assert problems(await wire.post(BY_TWILIO, json=asked)) == snapshot(
        ["body.to_number: Value error, must be a phone number with its country code, as in +15551234567"]
    )


async def test_overrides_are_refused_by_name_unless_the_agent_permits_them(api: ApiClient, wire: AsyncClient) -> None:
    agent_id, number_id = await agent(api), await number(api, TWILIO)
    override = {"agent": {"language": "de", "prompt": {"prompt": "Lie.", "llm": "x"}}, "tts": {"voice_id": "v"}}
    brought = {"conversation_config_override": override, "custom_llm_extra_body": {"top_p": 1}}
    refused = await wire.post(BY_TWILIO, json=call(agent_id, number_id, **brought))
    assert problems(refused) == snapshot(
        [
            "body.conversation_initiation_client_data.conversation_config_override.tts.voice_id: This agent does not let whoever starts a call set voice_id; open it in platform_settings.overrides.",
            "body.conversation_initiation_client_data.conversation_config_override.agent.language: This agent does not let whoever starts a call set language; open it in platform_settings.overrides.",
            "body.conversation_initiation_client_data.conversation_config_override.agent.prompt.prompt: This agent does not let whoever starts a call set prompt; open it in platform_settings.overrides.",
            "body.conversation_initiation_client_data.conversation_config_override.agent.prompt.llm: This agent does not let whoever starts a call set llm; open it in platform_settings.overrides.",
            "body.conversation_initiation_client_data.custom_llm_extra_body: This agent does not let whoever starts a call set custom_llm_extra_body; open it in platform_settings.overrides.",
        ]
    )
    await change(api, agent_id, platform_settings=OPEN)
    still = await wire.post(BY_TWILIO, json=call(agent_id, number_id, **brought))
    assert [line.partition(":")[0].rpartition(".")[2] for line in problems(still)] == ["prompt", "llm"]
    permitted = {"agent": {"language": "de"}, "tts": {"voice_id": "v"}}
    answer = await wire.post(BY_TWILIO, json=call(agent_id, number_id, conversation_config_override=permitted))
    assert answer.status_code == 200


async def test_every_variable_of_the_words_that_begin_the_call_needs_a_value(api: ApiClient, wire: AsyncClient) -> None:
    words = {
        "first_message": "Hello {{name}}, {{system__caller_id}} here.",
        "prompt": {"prompt": "Sell {{product}} to {{city}}."},
        "dynamic_variables": {"dynamic_variable_placeholders": {"city": "Ulm"}},
    }
    german = {"de": {"overrides": {"agent": {"first_message": "Hallo {{anrede}}."}}}}
    agent_id = await agent(api, {"agent": words, "language_presets": german}, platform_settings=OPEN)
    number_id = await number(api, TWILIO)
    missing: list[list[str]] = []
    for brought in (
        {},
        {"dynamic_variables": {"name": "Bo"}},
        {"dynamic_variables": {"product": "Tea"}, "conversation_config_override": {"agent": {"language": "de"}}},
        {"dynamic_variables": {"product": "Tea"}, "conversation_config_override": {"agent": {"first_message": "Hi."}}},
    ):
        answer = await wire.post(BY_TWILIO, json=call(agent_id, number_id, **brought))
        detail = answer.json().get("detail", [])
        missing.append([problem["loc"][-1] for problem in detail])
    assert missing == [["name", "product"], ["product"], ["anrede"], []]
