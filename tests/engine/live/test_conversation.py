"""A conversation of a real client: what it is sent, what is kept, and how it ends."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from .talking import echo, judged, stage

pytestmark = pytest.mark.anyio


async def test_a_text_conversation_is_held_kept_and_analysed(tmp_path: Path) -> None:
    async with stage(tmp_path, judged(echo)) as at:
        ada = await at.agent({"conversation": {"text_only": True}})
        signed = (await at.http.get("/v1/convai/conversation/get-signed-url", params={"agent_id": ada})).json()
        async with at.connected(url=signed["signed_url"], key=None, subprotocols=["convai"]) as caller:
            assert caller.socket.subprotocol == "convai"
            id = await caller.begun()
            assert await caller.answer() == "Hello! How can I help you today?"
            await caller.say("Good morning")
            assert await caller.answer() == "You said Good morning."
            live = await at.conversation(id, until="in-progress")
            assert [turn["message"] for turn in live["transcript"]][1:] == ["Good morning", "You said Good morning."]
        kept = await at.conversation(id)
        assert caller.seen == snapshot(
            [
                {
                    "type": "conversation_initiation_metadata",
                    "conversation_initiation_metadata_event": {
                        "conversation_id": "conv_2",
                        "agent_output_audio_format": "pcm_16000",
                        "user_input_audio_format": "pcm_16000",
                    },
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": "", "type": "start", "event_id": 1},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": "Hello! How can I help you today?", "type": "delta", "event_id": 1},
                },
                {"type": "agent_chat_response_part", "text_response_part": {"text": "", "type": "stop", "event_id": 1}},
                {
                    "type": "agent_response",
                    "agent_response_event": {"agent_response": "Hello! How can I help you today?", "event_id": 1},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": "", "type": "start", "event_id": 2},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": "You", "type": "delta", "event_id": 2},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": " said", "type": "delta", "event_id": 2},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": " Good", "type": "delta", "event_id": 2},
                },
                {
                    "type": "agent_chat_response_part",
                    "text_response_part": {"text": " morning.", "type": "delta", "event_id": 2},
                },
                {"type": "agent_chat_response_part", "text_response_part": {"text": "", "type": "stop", "event_id": 2}},
                {
                    "type": "agent_response",
                    "agent_response_event": {"agent_response": "You said Good morning.", "event_id": 2},
                },
            ]
        )
        assert kept == snapshot(
            {
                "agent_id": "agent_1",
                "conversation_id": "conv_2",
                "status": "done",
                "user_id": None,
                "transcript": [
                    {
                        "role": "agent",
                        "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                        "message": "Hello! How can I help you today?",
                        "multivoice_message": None,
                        "tool_calls": [],
                        "tool_results": [],
                        "feedback": None,
                        "llm_override": None,
                        "time_in_call_secs": 0,
                        "conversation_turn_metrics": None,
                        "rag_retrieval_info": None,
                        "llm_usage": None,
                        "interrupted": False,
                        "original_message": None,
                        "source_medium": None,
                    },
                    {
                        "role": "user",
                        "agent_metadata": None,
                        "message": "Good morning",
                        "multivoice_message": None,
                        "tool_calls": [],
                        "tool_results": [],
                        "feedback": None,
                        "llm_override": None,
                        "time_in_call_secs": 0,
                        "conversation_turn_metrics": None,
                        "rag_retrieval_info": None,
                        "llm_usage": None,
                        "interrupted": False,
                        "original_message": None,
                        "source_medium": "text",
                    },
                    {
                        "role": "agent",
                        "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                        "message": "You said Good morning.",
                        "multivoice_message": None,
                        "tool_calls": [],
                        "tool_results": [],
                        "feedback": None,
                        "llm_override": "peer-1",
                        "time_in_call_secs": 0,
                        "conversation_turn_metrics": {
                            "metrics": {
                                "convai_llm_service_ttfb": {"elapsed_time": 0.0},
                                "convai_llm_service_ttf_sentence": {"elapsed_time": 0.0},
                            }
                        },
                        "rag_retrieval_info": None,
                        "llm_usage": {
                            "model_usage": {
                                "peer-1": {
                                    "input": {"tokens": 49},
                                    "input_cache_read": {"tokens": 0},
                                    "input_cache_write": {"tokens": 0},
                                    "output_total": {"tokens": 6},
                                }
                            }
                        },
                        "interrupted": False,
                        "original_message": None,
                        "source_medium": None,
                    },
                ],
                "metadata": {
                    "start_time_unix_secs": 1800000000,
                    "accepted_time_unix_secs": 1800000000,
                    "call_duration_secs": 0,
                    "cost": 0,
                    "cost_fiat": None,
                    "deletion_settings": {
                        "deletion_time_unix_secs": 1863072000,
                        "deleted_logs_at_time_unix_secs": None,
                        "deleted_audio_at_time_unix_secs": None,
                        "deleted_transcript_at_time_unix_secs": None,
                        "delete_transcript_and_pii": False,
                        "delete_audio": False,
                    },
                    "feedback": {"overall_score": None, "likes": 0, "dislikes": 0},
                    "authorization_method": "signed_url",
                    "charging": {
                        "dev_discount": False,
                        "is_burst": False,
                        "llm_usage": {
                            "irreversible_generation": {
                                "model_usage": {
                                    "peer-1": {
                                        "input": {"tokens": 49},
                                        "input_cache_read": {"tokens": 0},
                                        "input_cache_write": {"tokens": 0},
                                        "output_total": {"tokens": 6},
                                    }
                                }
                            },
                            "initiated_generation": {
                                "model_usage": {
                                    "peer-1": {
                                        "input": {"tokens": 49},
                                        "input_cache_read": {"tokens": 0},
                                        "input_cache_write": {"tokens": 0},
                                        "output_total": {"tokens": 6},
                                    }
                                }
                            },
                        },
                        "llm_price": None,
                    },
                    "termination_reason": "The client ended the conversation.",
                    "error": None,
                    "main_language": "en",
                    "text_only": True,
                    "features_usage": {
                        "language_detection": {"enabled": False, "used": False},
                        "transfer_to_agent": {"enabled": False, "used": False},
                        "transfer_to_number": {"enabled": False, "used": False},
                        "dtmf_tones": {"enabled": False, "used": False},
                        "voicemail_detection": {"enabled": False, "used": False},
                        "tool_dynamic_variable_updates": {"enabled": False, "used": False},
                        "external_mcp_servers": {"enabled": False, "used": False},
                        "multivoice": {"enabled": False, "used": False},
                        "workflow": {
                            "enabled": False,
                            "tool_node": {"enabled": False, "used": False},
                            "standalone_agent_node": {"enabled": False, "used": False},
                            "phone_number_node": {"enabled": False, "used": False},
                            "end_node": {"enabled": False, "used": False},
                        },
                    },
                    "conversation_initiation_source": "unknown",
                    "conversation_initiation_source_version": None,
                    "timezone": None,
                },
                "analysis": {
                    "evaluation_criteria_results": {},
                    "data_collection_results": {},
                    "call_successful": "success",
                    "transcript_summary": "They talked.",
                    "call_summary_title": "A talk",
                },
                "conversation_initiation_client_data": {
                    "conversation_config_override": {},
                    "custom_llm_extra_body": {},
                    "dynamic_variables": {},
                },
                "has_audio": False,
                "has_user_audio": False,
                "has_response_audio": False,
                "has_auxiliary_audio": False,
            }
        )
