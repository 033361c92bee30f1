"""The messages of a transcript are the same whether they are made turn by turn or all at once."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callwright.engine.dialogue.history import History
from callwright.engine.dialogue.record import NOTE, turn

Transcript = list[dict[str, Any]]


def call(id: str, name: str = "find", arguments: str = "{}", type: str = "webhook") -> dict[str, Any]:
    return {"request_id": id, "tool_name": name, "type": type, "params_as_json": arguments}


def result(id: str, value: str = "Found.") -> dict[str, Any]:
    return {"request_id": id, "tool_name": "find", "type": "webhook", "result_value": value}


def steps(id: str) -> dict[str, Any]:
    step = {"type": "nested_tools", "requests": [call(id)], "results": [result(id)]}
    return {"request_id": "w", "tool_name": "workflow", "type": "workflow", "result": {"steps": [step]}}


def note(id: str, context_id: str | None) -> dict[str, Any]:
    return call(id, NOTE, json.dumps({} if context_id is None else {"context_id": context_id}), "client")


def said(role: str, message: str | None) -> dict[str, Any]:
    return turn(role, message, seconds=0)


def called(calls: list[dict[str, Any]], results: list[dict[str, Any]]) -> dict[str, Any]:
    return turn("agent", None, seconds=0, tool_calls=calls, tool_results=results)


ids = st.sampled_from("abcdef")
calls = st.builds(call, ids)
notes = st.builds(note, ids, st.sampled_from(["page", "cart", None]))
results = st.one_of(st.builds(result, ids), st.builds(steps, ids))
turns = st.one_of(
    st.builds(said, st.sampled_from(["user", "agent"]), st.sampled_from(["Hello", "And then?", None])),
    st.builds(called, st.lists(st.one_of(calls, notes), max_size=2), st.lists(results, max_size=2)),
)


@examples(max_examples=300)
@given(st.lists(turns, max_size=12), st.sets(st.integers(0, 12)))
def test_a_transcript_that_grows_has_the_messages_of_a_whole_one(transcript: Transcript, asked: set[int]) -> None:
    history = History()
    given_out: list[tuple[Any, Any]] = []
    for length in [*sorted(place for place in asked if place < len(transcript)), len(transcript)]:
        found = list(history.messages(transcript[:length]))
        assert found == History().messages(transcript[:length])
        given_out.append((found, deepcopy(found)))
    assert [then for then, _ in given_out] == [kept for _, kept in given_out], "a request that was made stays as it was"
