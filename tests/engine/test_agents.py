"""The rules of agents."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agents import DeleteAgent, DuplicateAgent, GetAgent, ListAgents, UpdateAgent
from callwright.contract.errors import NotFound
from callwright.contract.knowledge_base import DeleteDocument
from callwright.contract.operation import Blob
from callwright.contract.phone_numbers import CreatePhoneNumber, GetPhoneNumber, UpdatePhoneNumber
from callwright.contract.widget import GetAvatar, UploadAvatar
from tests.transports import Clock

from .helpers import agent, change, dump, knowing, problems, read, refused, secret, text, workflow
from .test_phone_numbers import SIP

pytestmark = pytest.mark.anyio

CREATE = "/v1/convai/agents/create"


async def test_an_agent_reads_back_as_it_was_created(api: ApiClient) -> None:
    config = {"agent": {"first_message": "Hi.", "prompt": {"prompt": "Help.", "newer": {"a": [1, None]}}}}
    made = await agent(api, config, name="Ada", tags=["front"], from_a_newer_platform=7)
    assert await read(api, made) == snapshot(
        {
            "agent_id": "agent_1",
            "name": "Ada",
            "conversation_config": {
                "asr": {
                    "quality": "high",
                    "provider": "elevenlabs",
                    "user_input_audio_format": "pcm_16000",
                    "keywords": [],
                },
                "turn": {"turn_timeout": 7.0, "silence_end_call_timeout": -1.0, "mode": "turn"},
                "tts": {
                    "model_id": "eleven_flash_v2",
                    "voice_id": "cjVigY5qzO86Huf0OWal",
                    "supported_voices": [],
                    "agent_output_audio_format": "pcm_16000",
                    "optimize_streaming_latency": 3,
                    "stability": 0.5,
                    "speed": 1.0,
                    "similarity_boost": 0.8,
                    "pronunciation_dictionary_locators": [],
                },
                "conversation": {
                    "text_only": False,
                    "max_duration_seconds": 600,
                    "client_events": [
                        "audio",
                        "interruption",
                        "user_transcript",
                        "agent_response",
                        "agent_response_correction",
                    ],
                },
                "language_presets": {},
                "vad": {"background_voice_detection": False},
                "agent": {
                    "first_message": "Hi.",
                    "language": "en",
                    "dynamic_variables": {"dynamic_variable_placeholders": {}},
                    "disable_first_message_interruptions": False,
                    "prompt": {
                        "prompt": "Help.",
                        "llm": "gemini-2.0-flash",
                        "temperature": 0.0,
                        "max_tokens": -1,
                        "tool_ids": [],
                        "built_in_tools": {},
                        "mcp_server_ids": [],
                        "native_mcp_server_ids": [],
                        "knowledge_base": [],
                        "ignore_default_personality": False,
                        "rag": {
                            "enabled": False,
                            "embedding_model": "e5_mistral_7b_instruct",
                            "max_vector_distance": 0.6,
                            "max_documents_length": 50000,
                            "max_retrieved_rag_chunks_count": 20,
                        },
                        "tools": [],
                        "newer": {"a": [1, None]},
                    },
                },
            },
            "metadata": {"created_at_unix_secs": 1800000000, "updated_at_unix_secs": 1800000000},
            "platform_settings": {
                "auth": {"enable_auth": False, "allowlist": []},
                "evaluation": {"criteria": []},
                "widget": {
                    "variant": "full",
                    "placement": "bottom-right",
                    "expandable": "never",
                    "avatar": {"type": "orb", "color_1": "#6DB035", "color_2": "#F5CABB"},
                    "feedback_mode": "none",
                    "bg_color": "#ffffff",
                    "text_color": "#000000",
                    "btn_color": "#000000",
                    "btn_text_color": "#ffffff",
                    "border_color": "#e1e1e1",
                    "focus_color": "#000000",
                    "shareable_page_show_terms": True,
                    "show_avatar_when_collapsed": False,
                    "disable_banner": False,
                    "mic_muting_enabled": False,
                    "transcript_enabled": False,
                    "text_input_enabled": True,
                    "default_expanded": False,
                    "always_expanded": False,
                    "text_contents": {},
                    "styles": {},
                    "language_selector": False,
                    "supports_text_only": True,
                    "language_presets": {},
                },
                "data_collection": {},
                "overrides": {
                    "conversation_config_override": {
                        "tts": {"voice_id": False, "stability": False, "speed": False, "similarity_boost": False},
                        "conversation": {"text_only": False},
                        "agent": {
                            "first_message": False,
                            "language": False,
                            "prompt": {"prompt": False, "native_mcp_server_ids": False},
                        },
                    },
                    "custom_llm_extra_body": False,
                    "enable_conversation_initiation_client_data_from_webhook": False,
                },
                "call_limits": {"agent_concurrency_limit": -1, "daily_limit": 100000, "bursting_enabled": True},
                "privacy": {
                    "record_voice": True,
                    "retention_days": 730,
                    "delete_transcript_and_pii": False,
                    "delete_audio": False,
                    "apply_to_existing_conversations": False,
                    "zero_retention_mode": False,
                },
                "workspace_overrides": {"webhooks": {"events": []}},
                "testing": {"attached_tests": []},
                "archived": False,
                "safety": {"is_blocked_ivc": False, "is_blocked_non_ivc": False, "ignore_safety_evaluation": False},
            },
            "phone_numbers": [],
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "tags": ["front"],
            "from_a_newer_platform": 7,
        }
    )
    assert [row.name for row in (await api.send(ListAgents())).agents] == ["Ada"]


async def test_an_update_merges_deeply_and_null_restores_the_default(api: ApiClient, clock: Clock) -> None:
    made = await agent(
        api,
        {
            "tts": {"speed": 1.1, "stability": 0.3, "supported_voices": [{"label": "Joe", "voice_id": "v1"}]},
            "language_presets": {"nl": {"overrides": {}}, "fr": {"overrides": {}}},
        },
        name="Ada",
        tags=["a", "b"],
        unknown=1,
    )
    clock.forward(seconds=60)
    answer = await change(
        api,
        made,
        conversation_config={
            "tts": {"speed": None, "supported_voices": [{"label": "Ann", "voice_id": "v2"}]},
            "language_presets": {"fr": None},
            "asr": None,
        },
        tags=None,
        unknown=None,
    )
    assert answer == await read(api, made)
    config = answer["conversation_config"]
    assert config["tts"] | {"supported_voices": [v["label"] for v in config["tts"]["supported_voices"]]} == snapshot(
        {
            "model_id": "eleven_flash_v2",
            "voice_id": "cjVigY5qzO86Huf0OWal",
            "supported_voices": ["Ann"],
            "agent_output_audio_format": "pcm_16000",
            "optimize_streaming_latency": 3,
            "stability": 0.3,
            "speed": 1.0,
            "similarity_boost": 0.8,
            "pronunciation_dictionary_locators": [],
        }
    )
    assert (config["asr"], config["language_presets"]) == snapshot(
        (
            {"quality": "high", "provider": "elevenlabs", "user_input_audio_format": "pcm_16000", "keywords": []},
            {"nl": {"overrides": {}}},
        )
    )
    assert (answer["name"], answer["tags"], "unknown" in answer, answer["metadata"]) == snapshot(
        ("Ada", [], False, {"created_at_unix_secs": 1800000000, "updated_at_unix_secs": 1800000060})
    )


async def test_what_is_guarded_is_guarded_when_it_is_taken_out(api: ApiClient, wire: AsyncClient) -> None:
    """Without its section an agent would let everybody in again."""
    made = await agent(api, platform_settings={"auth": {"enable_auth": True}})
    op = UpdateAgent.model_validate({"agent_id": made, "platform_settings": {"auth": None}})
    assert [place.shown for place in op.guarded_places()] == ["platform_settings.auth"]
    whole = await wire.patch(f"/v1/convai/agents/{made}", json={"platform_settings": None})
    assert [problem.split(":")[0] for problem in problems(whole)] == ["body.platform_settings"]
    assert (await read(api, made))["platform_settings"]["auth"]["enable_auth"] is True


async def test_an_answer_that_is_sent_back_changes_nothing(api: ApiClient, clock: Clock) -> None:
    made = await agent(api, {"agent": {"prompt": {"prompt": "Help."}}}, name="Ada")
    before = await read(api, made)
    clock.forward(seconds=1)
    after = await change(api, made, **{k: v for k, v in before.items() if k != "agent_id"})
    assert after | {"metadata": before["metadata"]} == before


async def test_a_variant_of_another_kind_takes_no_defaults(api: ApiClient) -> None:
    avatar = {"type": "image", "url": "https://example.com/a.png"}
    made = await agent(api, platform_settings={"widget": {"avatar": avatar}})
    assert (await read(api, made))["platform_settings"]["widget"]["avatar"] == avatar


async def test_a_workflow_has_what_the_newest_clients_need(api: ApiClient) -> None:
    edge = {"source": "start", "target": "end", "forward_condition": {"type": "unconditional"}}
    nodes = {"start": {"type": "start"}, "end": {"type": "end"}, "new": {"type": "newer", "a": 1}}
    made = await agent(api, workflow={"nodes": nodes, "edges": {"e": edge}})
    assert (await read(api, made))["workflow"] == snapshot(
        {
            "edges": {
                "e": {
                    "source": "start",
                    "target": "end",
                    "forward_condition": {"type": "unconditional"},
                    "reroutes": [],
                }
            },
            "nodes": {
                "start": {"type": "start", "position": {"x": 0.0, "y": 0.0}, "edge_order": []},
                "end": {"type": "end", "position": {"x": 0.0, "y": 0.0}, "edge_order": [], "outcome": "success"},
                "new": {"position": {"x": 0.0, "y": 0.0}, "edge_order": [], "type": "newer", "a": 1},
            },
            "prevent_subagent_loops": False,
        }
    )
    assert "workflow" not in await change(api, made, workflow=None)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("50%", ["50% Off"]),
        ("a_b", ["a_b"]),
        ("STRASSE", ["Straße"]),
        ("ÉCOLE", ["École", "E\u0301cole"]),
        ("\\", ["back\\slash"]),
        ("'; --", []),
        ("", ["50% Off", "500 Off", "E\u0301cole", "Straße", "a_b", "axb", "back\\slash", "École"]),
    ],
)
async def test_a_search_takes_each_character_for_itself(api: ApiClient, search: str, found: list[str]) -> None:
    for name in ("50% Off", "500 Off", "a_b", "axb", "Straße", "École", "E\u0301cole", "back\\slash"):
        await agent(api, name=name)
    assert sorted(row.name for row in (await api.send(ListAgents(search=search))).agents) == sorted(found)


async def test_deleting_an_agent_unassigns_its_phone_numbers(api: ApiClient) -> None:
    made = await agent(api, name="Ada")
    body = {"phone_number": "+15551234567", "label": "Front", "provider": "twilio", "sid": "AC1", "token": "t"}
    number = (await api.send(CreatePhoneNumber.model_validate(body))).phone_number_id
    await api.send(UpdatePhoneNumber(phone_number_id=number, agent_id=made))
    assert [n["phone_number_id"] for n in (await read(api, made))["phone_numbers"]] == [number]
    answer = dump(await api.send(DeleteAgent(agent_id=made)))
    assert answer == {"unassigned_phone_numbers": [f"+15551234567 ({number})"]}
    assert dump(await api.send(GetPhoneNumber(phone_number_id=number)))["assigned_agent"] is None
    assert isinstance(await refused(api, GetAgent(agent_id=made)), NotFound)
    assert (await api.send(ListAgents())).agents == []


async def test_an_agent_that_is_handed_callers_is_not_deleted(api: ApiClient) -> None:
    bob = await agent(api, name="Bob")
    transfers = [{"agent_id": bob, "condition": "asks for Bob"}]
    built_in = {"transfer_to_agent": {"params": {"transfers": transfers}}}
    ada = await agent(api, {"agent": {"prompt": {"built_in_tools": built_in}}}, name="Ada")
    error = await refused(api, DeleteAgent(agent_id=bob))
    assert (error.status, error.code, str(error)) == snapshot(
        (400, "agent_in_use", "Agent 'Bob' is handed callers by 'Ada' (agent_2). Take that transfer out first.")
    )
    await change(api, ada, conversation_config={"agent": {"prompt": {"built_in_tools": {"transfer_to_agent": None}}}})
    await api.send(DeleteAgent(agent_id=bob))


async def test_a_reference_counts_only_where_the_configuration_makes_it(api: ApiClient, wire: AsyncClient) -> None:
    """An answer that is posted again, to make a copy, refers to nothing by its own id or its numbers."""
    document, key = await text(api), await secret(api)
    headers = {"authorization": {"secret_id": key}}
    custom = {"url": "https://llm.example.com/v1", "request_headers": headers}
    made = await agent(api, knowing(document, llm="custom-llm", custom_llm=custom), name="Ada")
    original = (await wire.get(f"/v1/convai/agents/{made}")).json()
    await api.send(DeleteAgent(agent_id=made))
    copy = await wire.post(CREATE, json=original)
    assert copy.status_code == 200, copy.text
    again = await read(api, copy.json()["agent_id"])
    assert again["conversation_config"] == original["conversation_config"]
    assert again["agent_id"] != made


def test_taking_a_plain_value_out_asks_nobody() -> None:
    config = {"agent": {"prompt": {"timezone": None}}, "language_presets": {"fr": None}}
    assert UpdateAgent.model_validate({"agent_id": "agent_1", "conversation_config": config}).guarded_places() == ()


async def test_a_copy_has_the_configuration_and_neither_the_numbers_nor_the_keys(api: ApiClient) -> None:
    document = await text(api)
    closed = {"auth": {"enable_auth": True, "shareable_token": "t0ken"}}
    ada = await agent(api, knowing(document, prompt="Help."), name="Ada", tags=["desk"], platform_settings=closed)
    number = await api.send(CreatePhoneNumber.model_validate(SIP))
    await api.send(UpdatePhoneNumber(phone_number_id=number.phone_number_id, agent_id=ada))
    copies = [
        (await api.send(DuplicateAgent(agent_id=ada))).agent_id,
        (await api.send(DuplicateAgent(agent_id=ada, name="Bea"))).agent_id,
    ]
    original, copy, named = [await read(api, id) for id in (ada, *copies)]
    assert (copy["name"], named["name"]) == ("Ada (copy)", "Bea")
    assert (len(original["phone_numbers"]), copy["phone_numbers"]) == (1, [])
    assert original["platform_settings"]["auth"].pop("shareable_token") == "t0ken"
    own = ("agent_id", "name", "phone_numbers", "metadata")
    assert {k: v for k, v in copy.items() if k not in own} == {k: v for k, v in original.items() if k not in own}


async def test_a_copy_has_the_workflow_and_a_picture_of_its_own(api: ApiClient) -> None:
    picture = Blob("image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "a.png")
    settings = {"widget": {"variant": "tiny"}, "evaluation": {"criteria": ["Stays calm"]}, "archived": True}
    ada = await agent(api, workflow=workflow({"type": "end"}), platform_settings=settings)
    await api.send(UploadAvatar(agent_id=ada, avatar_file=picture))
    copy = (await api.send(DuplicateAgent(agent_id=ada))).agent_id
    original, copied = await read(api, ada), await read(api, copy)
    assert copied["workflow"] == original["workflow"]
    theirs = original["platform_settings"]["widget"].pop("avatar")
    own = copied["platform_settings"]["widget"].pop("avatar")
    assert copied["platform_settings"] == original["platform_settings"]
    assert own == theirs | {"url": theirs["url"].replace(ada, copy)}
    await api.send(DeleteAgent(agent_id=ada))
    assert (await api.send(GetAvatar(agent_id=copy))).data == picture.data


async def test_archived_agents_are_listed_apart_when_asked_for(api: ApiClient) -> None:
    for name in ("Ada", "Bob", "Cleo"):
        await agent(api, name=name, platform_settings={"archived": name != "Bob"})
    found = {value: await api.send(ListAgents(archived=value, page_size=1)) for value in (None, True, False)}
    assert {value: [row.name for row in page.agents] for value, page in found.items()} == {
        None: ["Cleo"],
        True: ["Cleo"],
        False: ["Bob"],
    }
    rest = await api.send(ListAgents(archived=True, page_size=1, cursor=found[True].next_cursor))
    assert ([(row.name, row.archived) for row in rest.agents], rest.has_more) == ([("Ada", True)], False)
    assert found[False].has_more is False


async def test_a_copy_uses_what_the_original_uses_and_lives_on_its_own(api: ApiClient) -> None:
    document = await text(api)
    ada = await agent(api, knowing(document), name="Ada")
    copy = (await api.send(DuplicateAgent(agent_id=ada, name="Bea"))).agent_id
    await api.send(DeleteAgent(agent_id=ada))
    assert "'Bea'" in str(await refused(api, DeleteDocument(documentation_id=document)))
    await change(api, copy, name="Eve")
    assert (await read(api, copy))["name"] == "Eve"
    assert isinstance(await refused(api, DuplicateAgent(agent_id=ada)), NotFound)
