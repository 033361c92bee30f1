"""The idioms of the wire, and the limits: requests keep them, answers need not."""

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from callwright.contract.agent.normalise import normalise
from callwright.contract.agent.speech import Speech, TurnTaking
from callwright.contract.agent.widget import OrbAvatar
from callwright.contract.agents import AgentSummary, CreateAgent, GetAgent, UpdateAgent
from callwright.contract.common import Empty, OneOf, Unknown, Variant, Wire
from callwright.contract.conversation.tool_calls import SystemToolResult, ToolResult
from callwright.contract.conversations import GetConversation
from callwright.contract.operation import Operation
from callwright.contract.phone_numbers import CreatePhoneNumber, ListPhoneNumbers

AGENT = {
    "agent_id": "a",
    "name": "Ada",
    "conversation_config": {},
    "metadata": {"created_at_unix_secs": 1, "updated_at_unix_secs": 2},
}


def problems(op: type[Operation[Any]], body: dict[str, Any]) -> list[tuple[str, str]]:
    """Place and words of what a request gets wrong."""
    try:
        op.parse({}, {}, body)
    except ValidationError as exc:
        return [(".".join(map(str, e["loc"])), e["msg"]) for e in exc.errors()]
    return []


def config(**sections: Any) -> dict[str, Any]:
    return {"conversation_config": sections}


def settings(**sections: Any) -> dict[str, Any]:
    return {"conversation_config": {}, "platform_settings": sections}


def transfer(**fields: Any) -> dict[str, Any]:
    params = {"transfers": [{"condition": "asked", **fields}]}
    return config(agent={"prompt": {"built_in_tools": {"transfer_to_number": {"params": params}}}})


def sip(**fields: Any) -> dict[str, Any]:
    trunk = {"address": "sip.example.com", **fields}
    return {"phone_number": "+15551234567", "label": "L", "provider": "sip_trunk", "outbound_trunk_config": trunk}


VOICES = [{"label": f"v{n}", "voice_id": "x"} for n in range(10)]
HOSTS = [{"hostname": f"h{n}.example.com"} for n in range(11)]
PHONE = {"type": "phone", "phone_number": "+15551234567"}
SIP = {"type": "sip_uri", "sip_uri": "sip:desk@example.com"}


@pytest.mark.parametrize(
    "body",
    [
        config(tts={"speed": 0.7, "stability": 0, "similarity_boost": 1}),
        config(tts={"speed": 1.2}),
        config(turn={"turn_timeout": 1}),
        config(turn={"turn_timeout": 30}),
        config(tts={"supported_voices": VOICES[:9]}),
        settings(auth={"allowlist": HOSTS[:10]}),
        settings(privacy={"retention_days": -1}),
        settings(privacy={"retention_days": 0}),
        settings(call_limits={"agent_concurrency_limit": -1}),
        transfer(transfer_destination=PHONE),
        transfer(transfer_destination=SIP, transfer_type="sip_refer"),
        transfer(transfer_destination={"type": "phone_dynamic_variable", "phone_number": "desk"}),
        config(asr={"provider": "scribe_realtime"}),  # a value that only newer platforms know
    ],
)
def test_a_request_within_the_limits_passes(body: dict[str, Any]) -> None:
    assert problems(CreateAgent, body) == []


TOO_MUCH = [
    (config(tts={"speed": 0.69}), "conversation_config.tts.speed", "Input should be greater than or equal to 0.7"),
    (config(tts={"speed": 1.21}), "conversation_config.tts.speed", "Input should be less than or equal to 1.2"),
    (config(tts={"stability": 1.1}), "conversation_config.tts.stability", "Input should be less than or equal to 1"),
    (
        config(turn={"turn_timeout": 0.9}),
        "conversation_config.turn.turn_timeout",
        "Input should be greater than or equal to 1",
    ),
    (
        config(turn={"turn_timeout": 31}),
        "conversation_config.turn.turn_timeout",
        "Input should be less than or equal to 30",
    ),
    (
        config(tts={"supported_voices": VOICES}),
        "conversation_config.tts.supported_voices",
        "Value error, at most 9 voices besides the agent's own",
    ),
    (
        config(tts={"supported_voices": [*VOICES[:2], VOICES[0]]}),
        "conversation_config.tts.supported_voices",
        "Value error, labels must differ: v0",
    ),
    (settings(auth={"allowlist": HOSTS}), "platform_settings.auth.allowlist", "Value error, at most 10 host names"),
    (
        settings(auth={"allowlist": [{"hostname": "a.example.com"}, {"hostname": "A.example.com"}]}),
        "platform_settings.auth.allowlist",
        "Value error, each host name once: a.example.com",
    ),
    (
        settings(privacy={"retention_days": -2}),
        "platform_settings.privacy.retention_days",
        "Input should be greater than or equal to -1",
    ),
    (
        config(language_presets={"nl": {"overrides": {"tts": {"speed": 2}}}}),
        "conversation_config.language_presets.nl.overrides.tts.speed",
        "Input should be less than or equal to 1.2",
    ),
    (
        {
            "conversation_config": {},
            "workflow": {
                "nodes": {"n": {"type": "override_agent", "label": "N", "conversation_config": {"tts": {"speed": 2}}}}
            },
        },
        "workflow.nodes.n.conversation_config.tts.speed",
        "Input should be less than or equal to 1.2",
    ),
    (
        transfer(transfer_destination={"type": "phone", "phone_number": "0301234567"}),
        "conversation_config.agent.prompt.built_in_tools.transfer_to_number.params.transfers.0.transfer_destination.phone_number",
        "Value error, must be a phone number with its country code, as in +15551234567",
    ),
    (
        transfer(transfer_destination={"type": "sip_uri", "sip_uri": "desk@example.com"}, transfer_type="sip_refer"),
        "conversation_config.agent.prompt.built_in_tools.transfer_to_number.params.transfers.0.transfer_destination.sip_uri",
        "Value error, must be a SIP address, as in sip:desk@example.com",
    ),
    (
        transfer(transfer_destination=SIP, transfer_type="conference"),
        "conversation_config.agent.prompt.built_in_tools.transfer_to_number.params.transfers.0",
        "Value error, a SIP address needs transfer_type sip_refer",
    ),
]


@pytest.mark.parametrize(("body", "place", "words"), TOO_MUCH)
def test_a_request_beyond_a_limit_is_refused_at_its_place(body: dict[str, Any], place: str, words: str) -> None:
    assert problems(CreateAgent, body) == [(place, words)]


@pytest.mark.parametrize("body", [case[0] for case in TOO_MUCH])
def test_an_answer_beyond_a_limit_is_read_as_it_came(body: dict[str, Any]) -> None:
    wire, _ = normalise(AGENT | body)
    agent = GetAgent.decode(json.dumps(wire).encode())
    assert agent.model_dump(mode="json", exclude_unset=True) == wire


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (sip(transport="tls", headers={"x-a": "b"}), []),
        (
            sip(transport="udp"),
            [("outbound_trunk_config.transport", "Value error, UDP is not available for trunks; use tcp or tls")],
        ),
        (
            sip(address="sip:sip.example.com"),
            [
                (
                    "outbound_trunk_config.address",
                    "Value error, must be a host name or an IP address, without sip: or a user before it",
                )
            ],
        ),
        (
            sip() | {"phone_number": "5551234567"},
            [("phone_number", "Value error, must be a phone number with its country code, as in +15551234567")],
        ),
        (
            {"phone_number": "+15551234567", "label": "L", "provider": "twilio"},
            [("", "A Twilio number needs sid and token")],
        ),
        ({"phone_number": "+15551234567", "label": "L", "provider": "twilio", "sid": "AC1", "token": "t"}, []),
        (
            {"phone_number": "+15551234567", "label": "L", "provider": "vonage"},
            [("provider", "Input should be 'twilio' or 'sip_trunk'")],
        ),
    ],
)
def test_an_imported_number_is_checked(body: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert problems(CreatePhoneNumber, body) == found


def test_null_is_refused_where_the_platform_has_none_and_read_where_it_sends_one() -> None:
    refused = problems(CreateAgent, config(tts={"voice_id": None}))
    assert refused == [("conversation_config.tts.voice_id", "Leave the field out instead of sending null")]
    agent = GetAgent.decode(json.dumps(AGENT | config(tts={"voice_id": None})).encode())
    assert agent.conversation_config.tts.voice_id is None
    assert problems(CreateAgent, config(agent={"prompt": {"timezone": None}})) == []


def test_absent_stays_absent_and_sections_read_as_empty() -> None:
    agent = GetAgent.decode(json.dumps(AGENT).encode())
    assert agent.conversation_config.agent.prompt.rag.enabled is None
    assert agent.model_dump(mode="json", exclude_unset=True) == AGENT


def test_what_only_newer_platforms_know_comes_back_as_it_came() -> None:
    wire = AGENT | {
        "conversation_config": {
            "asr": {"provider": "scribe_realtime", "hints": {"a": 1}},
            "agent": {"prompt": {"llm": "gpt-9", "tools": [{"type": "smtp", "server": {"host": "h"}}]}},
        },
        "platform_settings": {"widget": {"avatar": {"type": "video", "src": "v"}}, "guardrails": {"version": "1"}},
        "workflow": {"nodes": {"n": {"type": "say", "text": "Hi"}}, "edges": {}, "prevent_subagent_loops": False},
        "branch_id": "main",
    }
    agent = GetAgent.decode(json.dumps(wire).encode())
    assert isinstance(agent.conversation_config.agent.prompt.tools[0], Unknown)
    assert agent.model_dump(mode="json", exclude_unset=True) == wire


def test_a_known_variant_is_refused_at_the_field_that_is_wrong() -> None:
    tool = {"type": "webhook", "name": "w", "description": "d", "api_schema": {"url": "u", "request_body_schema": {
        "properties": {"when": {"type": "array", "items": {"type": "string", "description": 7}}}}}}  # fmt: skip
    place = "conversation_config.agent.prompt.tools.0.api_schema.request_body_schema.properties.when.items.description"
    assert problems(CreateAgent, config(agent={"prompt": {"tools": [tool]}})) == [
        (place, "Input should be a valid string")
    ]


def test_a_variant_without_its_tag_is_refused_in_a_request_and_kept_in_an_answer() -> None:
    avatar = {"widget": {"avatar": {"color_1": "#fff"}}}
    assert problems(CreateAgent, settings(**avatar)) == [
        ("platform_settings.widget.avatar", "'type' must say which kind this is")
    ]
    agent = GetAgent.decode(json.dumps(AGENT | {"platform_settings": avatar}).encode())
    assert agent.model_dump(mode="json", exclude_unset=True)["platform_settings"] == avatar
    assert problems(CreateAgent, settings(widget={"avatar": "orb"})) == [
        (
            "platform_settings.widget.avatar",
            "Input should be a valid dictionary or instance of OrbAvatar or UrlAvatar or ImageAvatar",
        )
    ]


def test_a_header_that_fits_no_kind_gets_one_sentence() -> None:
    llm = {"url": "https://example.com", "request_headers": {"a": {"secret": "s"}}}
    assert problems(CreateAgent, config(agent={"prompt": {"custom_llm": llm}})) == [
        (
            "conversation_config.agent.prompt.custom_llm.request_headers.a",
            'Must be a text, {"secret_id": "..."} or {"variable_name": "..."}',
        )
    ]


def test_the_tag_of_a_variant_is_always_sent() -> None:
    assert OrbAvatar(color_1="#fff").model_dump(mode="json", exclude_unset=True) == {"type": "orb", "color_1": "#fff"}
    assert Speech(speed=1.0).model_dump(mode="json", exclude_unset=True) == {"speed": 1.0}


def test_an_arm_without_a_fixed_tag_takes_what_no_other_claims() -> None:
    result = {"request_id": "r", "tool_name": "t", "result_value": "", "is_error": False, "tool_has_been_called": True}
    turns = [{"role": "agent", "time_in_call_secs": 0, "tool_results": [
        result, result | {"type": "mcp"}, result | {"type": "smtp"}, result | {"type": "system", "result": None}]}]  # fmt: skip
    wire = {"agent_id": "a", "conversation_id": "c", "status": "done", "transcript": turns, "has_audio": False,
            "metadata": {"start_time_unix_secs": 1, "call_duration_secs": 2},
            "has_user_audio": False, "has_response_audio": False}  # fmt: skip
    conversation = GetConversation.decode(json.dumps(wire).encode())
    kinds = [type(r) for r in conversation.transcript[0].tool_results]
    assert kinds == [ToolResult, ToolResult, ToolResult, SystemToolResult]
    assert conversation.model_dump(mode="json", exclude_unset=True) == wire


def test_a_union_builds_from_values_as_from_json() -> None:
    class Cat(Variant):
        kind: Literal["cat"] = "cat"

    class Cage(Wire):
        pet: Annotated[Cat | Unknown, OneOf("kind")]

    assert Cage(pet=Cat()).pet == Cat()


def test_values_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TurnTaking().turn_timeout = 3  # type: ignore[misc]


def test_numbers_are_listed_bare() -> None:
    wire = [
        {"phone_number": "+1", "label": "L", "phone_number_id": "p", "provider": "twilio"},
        {"phone_number": "+2", "label": "M", "phone_number_id": "q", "provider": "carrier_pigeon"},
    ]
    numbers = ListPhoneNumbers.decode(json.dumps(wire).encode())
    assert [number.model_dump(mode="json", exclude_unset=True) for number in numbers] == wire


@pytest.mark.parametrize("body", [b"{}", b"null", b'""', b"", b"[]", b'{"unassigned": ["p"]}'])
def test_an_answer_that_does_not_matter_may_be_anything(body: bytes) -> None:
    class Remove(Operation[Empty], method="DELETE", path="/v1/x"):
        pass

    assert isinstance(Remove.decode(body), Empty)


def test_what_was_read_can_be_sent_back() -> None:
    agent = GetAgent.decode(json.dumps(AGENT | settings(safety={"is_blocked_ivc": False}, archived=False)).encode())
    old = agent.model_dump(mode="json", exclude_unset=True)
    op = UpdateAgent.parse({"agent_id": "a"}, {}, {k: old[k] for k in ("conversation_config", "platform_settings")})
    assert op.body() == {"conversation_config": {}, "platform_settings": old["platform_settings"]}


def test_fields_that_the_newest_clients_need_are_there() -> None:
    assert {"voice_id", "updated_at_unix_secs", "archived"} <= AgentSummary.model_fields.keys()
