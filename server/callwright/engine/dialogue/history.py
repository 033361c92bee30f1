"""A transcript converted to the messages that its agent's model reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .llm import Message
from .record import NOTE, json_object
from .voices import tagged

Turns = Sequence[Mapping[str, Any]]


class History:
    """The messages of one growing transcript. Each turn is converted once: a conversation may have hundreds of them.

    A turn rarely changes the messages of earlier ones: a note that replaces another, or a late result. Then all of them
    are made anew.
    """

    def __init__(self) -> None:
        self._turns = 0
        self._told: list[Message] = []
        self._calls = 0
        self._requests: set[str] = set()
        """Request ids of the calls and results so far."""
        self._notes: set[str] = set()
        """Ids of the notes so far."""

    def messages(self, transcript: Turns) -> Sequence[Message]:
        """The whole conversation. Messages of earlier calls stay as they were.

        Tool calls get short new ids, because endpoints bound an id's length. Each call gets exactly one result, because
        endpoints refuse a history with a missing one, and recorded calls may lack it.
        """
        new = transcript[self._turns :]
        if self._changed_by(new):
            self._turns, self._told, self._calls, self._requests, self._notes = 0, [], 0, set(), set()
            new = transcript
        results = {r["request_id"]: r for one in new for r in _results(one)}
        outdated = _outdated_notes(new)
        for one in new:
            self._add(one, results, outdated)
        self._turns = len(transcript)
        self._requests |= set(_requests(new))
        self._notes |= {id for _, id in _notes(new) if id}
        return self._told

    def _changed_by(self, new: Turns) -> bool:
        replaces = any(id in self._notes for _, id in _notes(new))
        return replaces or not self._requests.isdisjoint(_requests(new))

    def _add(self, one: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]], outdated: set[str]) -> None:
        told = self._told
        if one.get("message"):
            voices: Mapping[str, Any] | None = one.get("multivoice_message")
            role = "user" if one["role"] == "user" else "assistant"
            told.append({"role": role, "content": tagged(voices["parts"]) if voices else one["message"]})
        made = [call for call in one.get("tool_calls") or () if call.get("type") != "workflow"]
        made = [call for call in made if call["request_id"] not in outdated]
        made += [call for step in _tool_steps(one) for call in step["requests"]]
        if not made:
            return
        if not told or told[-1]["role"] != "assistant" or "tool_calls" in told[-1]:
            told.append({"role": "assistant", "content": None})
        asked, answers = list[Message](), list[Message]()
        for call in made:
            self._calls += 1
            id = f"call_{self._calls}"
            arguments = call["params_as_json"] if json_object(call["params_as_json"]) is not None else "{}"
            asked.append(
                {"id": id, "type": "function", "function": {"name": call["tool_name"], "arguments": arguments}}
            )
            value = results.get(call["request_id"], {}).get("result_value") or "No result was recorded."
            answers.append({"role": "tool", "tool_call_id": id, "content": value})
        # A new message, because the old one may be part of an earlier request.
        told[-1] = {**told[-1], "tool_calls": asked}
        told += answers


def _notes(turns: Turns) -> Iterator[tuple[str, str]]:
    """Request id and own id, if it has one, of each note."""
    for one in turns:
        for call in one.get("tool_calls") or ():
            if call["tool_name"] == NOTE:
                yield call["request_id"], str((json_object(call["params_as_json"]) or {}).get("context_id") or "")


def _outdated_notes(turns: Turns) -> set[str]:
    """Request ids of notes replaced by a later note with the same id: the model receives only the last one."""
    notes = list(_notes(turns))
    last = {id: place for place, (_, id) in enumerate(notes)}
    return {request for place, (request, id) in enumerate(notes) if id and last[id] != place}


def _requests(turns: Turns) -> Iterator[str]:
    """Request ids of calls and of results."""
    for one in turns:
        yield from (call["request_id"] for call in one.get("tool_calls") or ())
        yield from (call["request_id"] for step in _tool_steps(one) for call in step["requests"])
        yield from (result["request_id"] for result in _results(one))


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
