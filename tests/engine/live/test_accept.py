"""Who may start a conversation, and what they may bring along; who may not is told why."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.dialogue.llm_peer import JSON

from .talking import Stage, echo, judged, stage

pytestmark = pytest.mark.anyio

CLOSED: JSON = {"auth": {"enable_auth": True}}
DEMANDS = "This agent demands authentication: start with a signed URL, or with the API key."
STRANGE = "This token does not open this agent. Ask for a new signed URL, token or link."
USED = "This token was good for one conversation, which has been started. Ask for a new one."


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


async def refused(at: Stage, *args: Any, **kwargs: Any) -> str:
    """The words of the refusal; the client reads the same when it is closed."""
    async with at.connected(*args, **kwargs) as caller:
        error, (code, reason) = await caller.refusal()
        assert error["code"] == code == 1008, error
        assert error["message"].startswith(reason) or reason.startswith(
            f"{error['error_type']}: {error['message']}"[:60]
        )
        assert len(caller.seen) == 1
        return error["message"]


async def let_in(at: Stage, *args: Any, **kwargs: Any) -> JSON:
    """The record of a conversation that is held and left."""
    async with at.connected(*args, **kwargs) as caller:
        id = await caller.begun()
    return await at.conversation(id)


async def test_an_agent_that_demands_authentication_is_closed_to_others(at: Stage) -> None:
    ada = await at.agent(platform_settings=CLOSED)
    assert await refused(at, ada, key=None) == DEMANDS
    assert await refused(at, ada, key="a wrong key") == DEMANDS
    assert (await let_in(at, ada))["metadata"]["authorization_method"] == "authorization_header"


async def test_anybody_may_talk_to_a_public_agent(at: Stage) -> None:
    assert (await let_in(at, await at.agent(), key=None))["metadata"]["authorization_method"] == "public"


async def test_a_signed_url_is_good_for_15_minutes_and_a_session_that_runs_goes_on(at: Stage) -> None:
    ada = await at.agent(platform_settings=CLOSED)
    url = await at.signed(ada)
    async with at.connected(url=url, key=None) as running:
        await running.begun()
        await running.answer()
        at.clock.forward(seconds=14 * 60 + 59)
        assert (await let_in(at, url=url, key=None))["metadata"]["authorization_method"] == "signed_url"
        at.clock.forward(seconds=1)
        assert (
            await refused(at, url=url, key=None) == "This token has expired. Ask for a new signed URL, token or link."
        )


async def test_an_expired_url_opens_no_public_agent_either(at: Stage) -> None:
    url = await at.signed(await at.agent())
    at.clock.forward(seconds=15 * 60)
    assert "expired" in await refused(at, url=url, key=None)


async def test_a_url_for_one_conversation_starts_that_one_and_no_other(at: Stage) -> None:
    url = await at.signed(await at.agent(platform_settings=CLOSED), include_conversation_id=True)
    held = await let_in(at, url=url, key=None)
    assert f"conversation_id={held['conversation_id']}" in url
    assert await refused(at, url=url, key=None) == USED


async def test_a_conversation_that_does_not_begin_spends_no_url(at: Stage) -> None:
    ada = await at.agent({"agent": {"prompt": {"prompt": "For {{name}}"}}})
    url = await at.signed(ada, include_conversation_id=True)
    assert "name" in await refused(at, url=url, key=None)
    await let_in(at, url=url, key=None, dynamic_variables={"name": "Bo"})


async def test_the_url_of_another_agent_opens_nothing(at: Stage) -> None:
    ada, bob = await at.agent(platform_settings=CLOSED), await at.agent(platform_settings=CLOSED)
    url = (await at.signed(ada)).replace(ada, bob)
    assert await refused(at, url=url, key=None) == STRANGE


async def test_a_session_token_comes_as_the_name_of_a_protocol(at: Stage) -> None:
    ada = await at.agent(platform_settings=CLOSED)
    query = {"agent_id": ada, "participant_name": "Bo"}
    token = (await at.http.get("/v1/convai/conversation/token", params=query)).json()["token"]
    held = await let_in(at, ada, key=None, subprotocols=["convai", f"bearer.{token}"])
    assert (held["metadata"]["authorization_method"], held["user_id"]) == ("livekit_token", "Bo")


@pytest.mark.parametrize("auth", [{}, {"enable_auth": True}])
async def test_an_agent_that_names_pages_is_open_to_these(at: Stage, auth: JSON) -> None:
    allowed = [{"hostname": "shop.example"}, {"hostname": "localhost:3000"}]
    ada = await at.agent(platform_settings={"auth": {"allowlist": allowed, **auth}})
    url = await at.signed(ada)
    for origin in ("https://shop.example", "http://localhost:3000"):
        await let_in(at, url=url, key=None, origin=origin)
    for origin in ("https://www.shop.example", "http://localhost:4000", "https://evil.example", "null", None):
        words = await refused(at, url=url, key=None, origin=origin)
        assert words == "This agent is open to certain pages only, and this one is not among them.", origin
    if auth:
        assert await refused(at, ada, key=None, origin="https://shop.example") == DEMANDS
    await let_in(at, ada)


async def test_an_agent_that_is_not_there_or_archived_talks_to_nobody(at: Stage) -> None:
    assert await refused(at, "agent_no") == "No agent 'agent_no'. GET /v1/convai/agents lists them."
    assert await refused(at, "agent_no", key=None) == "No agent 'agent_no'."
    ada = await at.agent(name="Ada", platform_settings={"archived": True})
    assert "archived" in await refused(at, ada)
    assert await refused(at, url=f"{at.url.replace('http', 'ws', 1)}/v1/convai/conversation") == snapshot(
        "The URL names no agent: add ?agent_id=..."
    )


async def test_a_client_that_brings_nothing_along_is_closed_after_10_seconds(at: Stage) -> None:
    async with at.connected(await at.agent(), init=False) as caller:
        await at.clock.passes(seconds=10)
        error, end = await caller.refusal()
    assert (error, end) == snapshot(
        (
            {
                "code": 1002,
                "message": "No conversation_initiation_client_data came within 10 seconds.",
                "reason": "No conversation_initiation_client_data came within 10 seconds.",
                "error_type": "transport_receive_timeout",
            },
            (
                1002,
                "transport_receive_timeout: No conversation_initiation_client_data came within 10 seconds.",
            ),
        )
    )


async def test_audio_may_come_before_the_first_frame_that_counts(at: Stage) -> None:
    async with at.connected(await at.agent(), init=False) as caller:
        for _ in range(5):
            await caller.send(user_audio_chunk="AAAA")
        await caller.send(type="conversation_initiation_client_data")
        await caller.begun()


@pytest.mark.parametrize(
    ("brought", "words"),
    [
        ({"dynamic_variables": {"a": {"b": 1}}}, "dynamic_variables.a"),
        ({"dynamic_variables": [1]}, "dynamic_variables"),
        ({"conversation_config_override": "x"}, "conversation_config_override"),
        ({"conversation_config_override": {"agent": {"prompt": 7}}}, "conversation_config_override.agent.prompt"),
        ({"tool_mock_config": {"mocking_strategy": "some"}}, "tool_mock_config.mocking_strategy"),
        ({"user_id": "a\0b"}, "NUL"),
    ],
)
async def test_what_is_brought_along_in_the_wrong_shape_is_refused_at_its_place(
    at: Stage, brought: JSON, words: str
) -> None:
    async with at.connected(await at.agent(), **brought) as caller:
        error, _ = await caller.refusal()
    assert error["error_type"] == "invalid_message"
    assert words in error["message"]


OVERRIDE: JSON = {
    "agent": {"first_message": "Ahoy {{name}}", "language": "nl", "prompt": {"prompt": "Be a pirate", "llm": "gpt-4o"}},
    "tts": {"voice_id": "v"},
    "conversation": {"text_only": True},
}


async def test_every_field_that_may_not_be_set_is_named(at: Stage) -> None:
    open_ = {"agent": {"language": True, "prompt": {"prompt": True}}}
    ada = await at.agent(platform_settings={"overrides": {"conversation_config_override": open_}})
    mocking = {"mocking_strategy": "all"}
    async with at.connected(
        ada, key=None, conversation_config_override=OVERRIDE, custom_llm_extra_body={"x": 1}, tool_mock_config=mocking
    ) as caller:
        error, _ = await caller.refusal()
    assert error == snapshot(
        {
            "code": 1008,
            "message": "Not open to clients: agent.first_message, agent.prompt.llm, tts.voice_id, conversation.text_only, custom_llm_extra_body, tool_mock_config. The agent's platform_settings.overrides say what is.",
            "reason": "Not open to clients: agent.first_message, agent.prompt.llm, tts.voice_id, conversation.text_only, custom_llm_extra_body, tool_mock_config. The agent's platform_settings.overrides say what is.",
            "error_type": "override_error",
            "details": {
                "fields": [
                    "agent.first_message",
                    "agent.prompt.llm",
                    "tts.voice_id",
                    "conversation.text_only",
                    "custom_llm_extra_body",
                    "tool_mock_config",
                ]
            },
        }
    )


async def test_fields_that_the_agent_opens_hold_for_the_conversation(at: Stage) -> None:
    open_ = {
        "agent": {"first_message": True, "language": True, "prompt": {"prompt": True}},
        "tts": {"voice_id": True},
        "conversation": {"text_only": True},
    }
    overrides = {"conversation_config_override": open_, "custom_llm_extra_body": True}
    ada = await at.agent(platform_settings={"overrides": overrides})
    wanted = {**OVERRIDE, "agent": {**OVERRIDE["agent"], "prompt": {"prompt": "Be a pirate"}}}
    brought: JSON = {
        "conversation_config_override": wanted,
        "custom_llm_extra_body": {"x": 1},
        "dynamic_variables": {"name": "Bo"},
        "user_id": "bo-7",
        "source_info": {"source": "js_sdk", "version": "1.25.0"},
    }
    async with at.connected(ada, key=None, **brought) as caller:
        id = await caller.begun()
        assert await caller.answer() == "Ahoy Bo"
        await caller.say("Hi")
        await caller.until("agent_chat_response_part")
        await caller.answer()
    kept = await at.conversation(id)
    system = at.llm.requests[0]["messages"][0]["content"]
    assert system == "Be a pirate\n\nAnswer in the language with the code nl."
    assert kept["conversation_initiation_client_data"] == brought
    metadata = kept["metadata"]
    assert [metadata[f"conversation_initiation_source{part}"] for part in ("", "_version")] == ["js_sdk", "1.25.0"]
    assert (kept["user_id"], metadata["main_language"]) == ("bo-7", "nl")


async def test_missing_variables_are_all_named(at: Stage) -> None:
    ada = await at.agent({"agent": {"first_message": "Hello {{name}}", "prompt": {"prompt": "In {{town}}, {{shop}}"}}})
    async with at.connected(ada, dynamic_variables={"shop": "North", "town": None}) as caller:
        error, (code, reason) = await caller.refusal()
    assert (error["error_type"], error["details"]) == ("missing_dynamic_variable", {"names": ["name", "town"]})
    assert (code, reason.split(".")[0]) == (1008, "missing_dynamic_variable: Missing dynamic variables: name, town")


async def test_a_secret_variable_reaches_neither_the_model_nor_the_caller(at: Stage) -> None:
    ada = await at.agent(
        {"agent": {"first_message": "Hi {{secret__key}}", "prompt": {"prompt": "Use {{secret__key}}."}}}
    )
    async with at.connected(ada, dynamic_variables={"secret__key": "hush-hush"}) as caller:
        await caller.begun()
        assert await caller.answer() == "Hi [secret]"
        await caller.say("Hi")
        await caller.answer()
    assert "hush-hush" not in str(at.llm.requests)


async def test_a_client_without_a_key_does_not_say_who_calls(at: Stage) -> None:
    ada = await at.agent({"agent": {"first_message": "Hello {{system__caller_id}}"}})
    forged = {"system__caller_id": "+15550000001", "system__agent_id": "agent_9"}
    async with at.connected(ada, key=None, dynamic_variables=forged) as caller:
        error, _ = await caller.refusal()
    fields = ["dynamic_variables.system__caller_id", "dynamic_variables.system__agent_id"]
    assert (error["error_type"], error["details"]["fields"]) == ("override_error", fields)
    async with at.connected(ada, key=None) as caller:
        await caller.begun()
        assert await caller.answer() == "Hello unknown"


async def test_a_language_brings_its_preset_along(at: Stage) -> None:
    presets = {
        "nl": {"overrides": {"agent": {"first_message": "Hoi!", "prompt": {"prompt": "Wees kort."}}}},
        "fi": {"overrides": {}, "first_message_translation": {"source_hash": "{}", "text": "Hei!"}},
        "de": {"overrides": {"agent": None, "tts": None}},
    }
    ada = await at.agent(
        {"language_presets": presets, "agent": {"first_message": "Hi!", "prompt": {"prompt": "Be short."}}},
        platform_settings={"overrides": {"conversation_config_override": {"agent": {"language": True}}}},
    )
    for language, greeting, prompt in (("nl", "Hoi!", "Wees kort."), ("fi", "Hei!", "Be short."), ("de", "Hi!", "Be short.")):  # fmt: skip
        override = {"agent": {"language": language}}
        async with at.connected(ada, key=None, conversation_config_override=override) as caller:
            assert await caller.answer() == greeting
            await caller.say("Hm")
            await caller.answer()
        system = at.llm.requests[-1]["messages"][0]["content"]
        assert system == f"{prompt}\n\nAnswer in the language with the code {language}."


async def test_a_client_may_ask_to_see_less_but_not_more(at: Stage) -> None:
    ada = await at.agent({"conversation": {"client_events": ["agent_response", "ping"]}})
    less, more = ({"conversation": {"client_events": list(events)}} for events in (["ping"], ["ping", "mcp_tool_call"]))
    assert "conversation.client_events" in await refused(at, ada, key=None, conversation_config_override=more)
    async with at.connected(ada, key=None, conversation_config_override=less) as caller:
        await caller.begun()
        await at.clock.passes(seconds=5)
        assert (await caller.next() or {})["type"] == "ping"


async def test_the_newest_python_sdk_asks_for_text_where_nothing_forbids_it(at: Stage) -> None:
    async with at.connected(await at.agent(), key=None, conversation_config_override={"text_only": True}) as caller:
        await caller.until("agent_chat_response_part")
