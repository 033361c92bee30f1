"""Turns of a transcript in the platform's shape, and the transcript converted to a model's messages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from .llm import Message
from .voices import tagged

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


def messages(transcript: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The conversation as messages for the agent's model.

    Tool calls get short new ids, because endpoints bound an id's length. Each call gets exactly one result, because
    endpoints refuse a history with a missing one, and recorded calls may lack it.
    """
    told: list[Message] = []
    results = {r["request_id"]: r for turn in transcript for r in _results(turn)}
    outdated = _outdated_notes(transcript)
    calls = 0
    for one in transcript:
        role = "user" if one["role"] == "user" else "assistant"
        if one.get("message"):
            voices: Mapping[str, Any] | None = one.get("multivoice_message")
            told.append({"role": role, "content": tagged(voices["parts"]) if voices else one["message"]})
        made = [call for call in one.get("tool_calls") or () if call.get("type") != "workflow"]
        made = [call for call in made if call["request_id"] not in outdated]
        made += [call for step in _tool_steps(one) for call in step["requests"]]
        if not made:
            continue
        if not told or told[-1]["role"] != "assistant" or "tool_calls" in told[-1]:
            told.append({"role": "assistant", "content": None})
        told[-1]["tool_calls"] = []
        speaking, answers = told[-1], list[Message]()
        for call in made:
            calls += 1
            arguments = call["params_as_json"] if json_object(call["params_as_json"]) is not None else "{}"
            function = {"name": call["tool_name"], "arguments": arguments}
            speaking["tool_calls"].append({"id": f"call_{calls}", "type": "function", "function": function})
            value = results.get(call["request_id"], {}).get("result_value") or "No result was recorded."
            answers.append({"role": "tool", "tool_call_id": f"call_{calls}", "content": value})
        told += answers
    return told


def _outdated_notes(transcript: Sequence[Mapping[str, Any]]) -> set[str]:
    """Request ids of notes replaced by a later note with the same id: the model receives only the last one."""
    notes = [call for one in transcript for call in one.get("tool_calls") or () if call["tool_name"] == NOTE]
    ids = [(json_object(call["params_as_json"]) or {}).get("context_id") for call in notes]
    last = {str(id): place for place, id in enumerate(ids) if id}
    return {call["request_id"] for place, call in enumerate(notes) if ids[place] and last[str(ids[place])] != place}


def _results(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Tool results, including those of tools that a workflow ran. Workflow moves are not shown to the model."""
    yield from one.get("tool_results") or ()
    for step in _tool_steps(one):
        yield from step["results"]


def _tool_steps(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for result in one.get("tool_results") or ():
        if result.get("type") == "workflow":
            moves: Mapping[str, Any] = result.get("result") or {}
            steps: Sequence[Mapping[str, Any]] = moves.get("steps") or ()
            yield from (step for step in steps if step["type"] == "nested_tools")


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
