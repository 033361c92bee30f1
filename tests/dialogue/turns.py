"""Turns of a transcript in the platform's shape. A test names what is particular about a turn; the rest is empty."""

from typing import Any

JSON = dict[str, Any]


def agent(message: str | None, **particular: Any) -> JSON:
    """What the agent `agent_1` said, or did without a word."""
    return _turn("agent", message, agent_metadata={"agent_id": "agent_1", "workflow_node_id": None}, **particular)


def user(message: str, **particular: Any) -> JSON:
    """What the other side typed."""
    return _turn("user", message, source_medium="text", **particular)


def by_model(name: str, *, read: int, written: int) -> JSON:
    """The fields of a turn that a language model made, which read and wrote so many tokens."""
    usage = {
        "input": {"tokens": read},
        "input_cache_read": {"tokens": 0},
        "input_cache_write": {"tokens": 0},
        "output_total": {"tokens": written},
    }
    return {"llm_override": name, "llm_usage": {"model_usage": {name: usage}}}


def call(tool: str, number: int, params_as_json: str, type: str = "webhook") -> JSON:
    """The tool call with this number, before it was made."""
    return {
        "request_id": request_id(tool, number),
        "tool_name": tool,
        "type": type,
        "params_as_json": params_as_json,
        "tool_has_been_called": False,
        "tool_details": None,
    }


def result(tool: str, number: int, value: str, type: str = "webhook", **particular: Any) -> JSON:
    """What the tool call with this number brought."""
    return {
        "request_id": request_id(tool, number),
        "tool_name": tool,
        "type": type,
        "result_value": value,
        "is_error": False,
        "tool_has_been_called": True,
        "tool_latency_secs": 0,
        "dynamic_variable_updates": [],
        **particular,
    }


def request_id(tool: str, number: int) -> str:
    return f"{tool}_{number:032}"


def _turn(role: str, message: str | None, **particular: Any) -> JSON:
    empty: JSON = {
        "role": role,
        "agent_metadata": None,
        "message": message,
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
    }
    assert particular.keys() <= empty.keys(), particular.keys() - empty.keys()
    return empty | particular
