"""One whole rehearsal, in the shape in which the platform gives it."""

import pytest
from inline_snapshot import snapshot

from callwright.contract.conversation.analysis import Analysis
from callwright.contract.conversation.transcript import Turn as Recorded
from callwright.engine.dialogue.simulated_user import STOP

from .conftest import Connect
from .llm_peer import peer
from .rehearsals import parts, rehearsal, rehearse, renting

pytestmark = pytest.mark.anyio


async def test_a_whole_rehearsal_has_transcript_and_analysis_in_the_platforms_shape(connect: Connect) -> None:
    async with peer(parts(renting, "Is one free on Friday?", f"Thank you. {STOP}")) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert done.transcript == snapshot(
        [
            {
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": "Hello, Northshore here.",
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
                "message": "Is one free on Friday?",
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
                "message": "Let me see.",
                "multivoice_message": None,
                "tool_calls": [],
                "tool_results": [],
                "feedback": None,
                "llm_override": "peer-1",
                "time_in_call_secs": 0,
                "conversation_turn_metrics": None,
                "rag_retrieval_info": None,
                "llm_usage": {
                    "model_usage": {
                        "peer-1": {
                            "input": {"tokens": 330},
                            "input_cache_read": {"tokens": 0},
                            "input_cache_write": {"tokens": 0},
                            "output_total": {"tokens": 7},
                        }
                    }
                },
                "interrupted": False,
                "original_message": None,
                "source_medium": None,
            },
            {
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": None,
                "multivoice_message": None,
                "tool_calls": [
                    {
                        "request_id": "free_canoes_00000000000000000000000000000001",
                        "tool_name": "free_canoes",
                        "type": "webhook",
                        "params_as_json": '{"day": "Friday"}',
                        "tool_has_been_called": False,
                        "tool_details": None,
                    }
                ],
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
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": None,
                "multivoice_message": None,
                "tool_calls": [],
                "tool_results": [
                    {
                        "request_id": "free_canoes_00000000000000000000000000000001",
                        "tool_name": "free_canoes",
                        "type": "webhook",
                        "result_value": '{"free": 3}',
                        "is_error": False,
                        "tool_has_been_called": True,
                        "tool_latency_secs": 0,
                        "dynamic_variable_updates": [],
                    }
                ],
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
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": "Three are free. The deposit is forty euros.",
                "multivoice_message": None,
                "tool_calls": [],
                "tool_results": [],
                "feedback": None,
                "llm_override": "peer-1",
                "time_in_call_secs": 0,
                "conversation_turn_metrics": None,
                "rag_retrieval_info": None,
                "llm_usage": {
                    "model_usage": {
                        "peer-1": {
                            "input": {"tokens": 393},
                            "input_cache_read": {"tokens": 0},
                            "input_cache_write": {"tokens": 0},
                            "output_total": {"tokens": 11},
                        }
                    }
                },
                "interrupted": False,
                "original_message": None,
                "source_medium": None,
            },
            {
                "role": "user",
                "agent_metadata": None,
                "message": "Thank you.",
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
                "message": None,
                "multivoice_message": None,
                "tool_calls": [
                    {
                        "request_id": "end_call_00000000000000000000000000000002",
                        "tool_name": "end_call",
                        "type": "system",
                        "params_as_json": '{"reason": "done", "message": "Goodbye!"}',
                        "tool_has_been_called": False,
                        "tool_details": None,
                    }
                ],
                "tool_results": [],
                "feedback": None,
                "llm_override": "peer-1",
                "time_in_call_secs": 0,
                "conversation_turn_metrics": None,
                "rag_retrieval_info": None,
                "llm_usage": {
                    "model_usage": {
                        "peer-1": {
                            "input": {"tokens": 424},
                            "input_cache_read": {"tokens": 0},
                            "input_cache_write": {"tokens": 0},
                            "output_total": {"tokens": 11},
                        }
                    }
                },
                "interrupted": False,
                "original_message": None,
                "source_medium": None,
            },
            {
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": None,
                "multivoice_message": None,
                "tool_calls": [],
                "tool_results": [
                    {
                        "request_id": "end_call_00000000000000000000000000000002",
                        "tool_name": "end_call",
                        "type": "system",
                        "result_value": '{"result_type": "end_call_success", "status": "success", "reason": "done", "message": "Goodbye!"}',
                        "is_error": False,
                        "tool_has_been_called": True,
                        "tool_latency_secs": 0,
                        "dynamic_variable_updates": [],
                        "result": {
                            "result_type": "end_call_success",
                            "status": "success",
                            "reason": "done",
                            "message": "Goodbye!",
                        },
                    }
                ],
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
                "role": "agent",
                "agent_metadata": {"agent_id": "agent_1", "workflow_node_id": None},
                "message": "Goodbye!",
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
        ]
    )
    assert done.analysis == snapshot(
        {
            "evaluation_criteria_results": {
                "polite": {"criteria_id": "polite", "result": "success", "rationale": "It was."},
                "informed": {"criteria_id": "informed", "result": "success", "rationale": "It was."},
            },
            "data_collection_results": {
                "day": {
                    "data_collection_id": "day",
                    "value": "Friday",
                    "json_schema": {"type": "string", "description": "The wanted day."},
                    "rationale": "Asked for at the start.",
                },
                "shop": {
                    "data_collection_id": "shop",
                    "value": "Northshore",
                    "json_schema": {"type": "string", "dynamic_variable": "shop"},
                    "rationale": "The dynamic variable shop.",
                },
            },
            "call_successful": "success",
            "transcript_summary": "A canoe was asked for.",
            "call_summary_title": "Canoe on Friday",
        }
    )
    read = [Recorded.model_validate(one) for one in done.transcript]
    assert [one.model_dump(mode="json", exclude_unset=True) for one in read] == done.transcript
    assert all(one.model_fields_set == set(Recorded.model_fields) for one in read)
    assert Analysis.model_validate(done.analysis).model_dump(mode="json", exclude_unset=True) == done.analysis
    assert done.ended == snapshot("The agent ended the conversation: done")
