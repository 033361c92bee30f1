"""Turns of a transcript in the platform's shape, and what others than the agent itself read of a transcript."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast

from .llm import Message

NOTE = "contextual_update"
"""The tool name under which a transcript records a contextual update from the client."""

Turn = dict[str, Any]
"""One turn in wire form, with every field of the contract."""

_NO_MARKERS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<\uff1c\ufe64"}
"""The character that begins a marker and its full-width and small variants, which a model reads as the same."""


def turn(
    role: str,
    message: str | None,
    *,
    seconds: int,
    agent_id: str | None = None,
    node_id: str | None = None,
    **fields: Any,
) -> Turn:
    """`seconds` since the conversation began. `agent_id` marks an agent's turn, `node_id` its workflow node."""
    return {
        "role": role,
        "agent_metadata": {"agent_id": agent_id, "workflow_node_id": node_id} if agent_id else None,
        "message": message,
        "multivoice_message": None,
        "tool_calls": [],
        "tool_results": [],
        "feedback": None,
        "llm_override": None,
        "time_in_call_secs": seconds,
        "conversation_turn_metrics": None,
        "rag_retrieval_info": None,
        "llm_usage": None,
        "interrupted": False,
        "original_message": None,
        "source_medium": "text" if role == "user" else None,
        **fields,
    }


def mirrored(transcript: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The conversation as messages for the simulated user's model, with the roles swapped."""
    spoken = [one for one in transcript if one.get("message")]
    return [{"role": "user" if o["role"] != "user" else "assistant", "content": o["message"]} for o in spoken]


def spoken(transcript: Sequence[Mapping[str, Any]], at_most: int) -> str:
    """The last words of both sides, used as the query to the knowledge base."""
    words = islice((one["message"] for one in reversed(transcript) if one.get("message")), at_most)
    return "\n".join(reversed([*words]))


def as_data(transcript: Sequence[Mapping[str, Any]]) -> str:
    """The transcript as a JSON array for a judge; its text cannot close the markers around it."""
    rows: list[dict[str, Any]] = []
    for one in transcript:
        row: dict[str, Any] = {"role": one["role"]}
        if one.get("message"):
            row["message"] = one["message"]
        if calls := one.get("tool_calls"):
            row["tool_calls"] = [{"tool": c["tool_name"], "arguments": c["params_as_json"]} for c in calls]
        if results := one.get("tool_results"):
            row["tool_results"] = [{"tool": r["tool_name"], "result": r["result_value"]} for r in results]
        rows.append(row)
    return json_data(rows)


def json_data(rows: Sequence[object]) -> str:
    """JSON without any text that a model could read as the beginning of a marker."""
    return json.dumps(rows, ensure_ascii=False, indent=1).translate(_NO_MARKERS)


def json_object(text: str) -> dict[str, Any] | None:
    """The arguments that a model wrote; None if they are not a JSON object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None
