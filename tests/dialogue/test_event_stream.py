"""Server-sent events: however the bytes are cut, the same events come out."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engine.dialogue.event_stream import LONGEST_EVENT, Events

from .conftest import Connect
from .llm_peer import Raw, peer, script
from .test_chat_completions import failure

STREAM = ': hello\nevent: message\ndata: {"a": 1}\nid: 7\n\ndata:one\ndata: two ä\n\nevent: ping\n\ndata: [DONE]\n\n'
FOUND = ['{"a": 1}', "one\ntwo ä", "[DONE]"]


@given(st.sampled_from(["\n", "\r\n", "\r"]), st.sets(st.integers(1, 200)))
def test_events_are_the_same_however_the_bytes_are_cut(line_end: str, cuts: set[int]) -> None:
    sent, events = STREAM.replace("\n", line_end).encode(), Events()
    places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    found = [data for start, end in pairwise(places) for data in events.feed(sent[start:end])]
    assert found == FOUND


def test_what_comes_after_the_last_empty_line_is_no_event() -> None:
    assert Events().feed(b'data: {"a": 1}\n\ndata: {"b": 2}\n') == ['{"a": 1}']


def test_an_event_that_does_not_end_is_given_up() -> None:
    events, many = Events(), b"data: " + b"x" * 100_000 + b"\n"
    for _ in range(LONGEST_EVENT // len(many)):
        events.feed(many)
    with pytest.raises(ValueError, match="does not end"):
        events.feed(many)


def test_the_size_of_a_stream_is_not_that_of_an_event() -> None:
    events, many = Events(), b"data: " + b"x" * 100_000 + b"\n\n"
    assert sum(len(events.feed(many)) for _ in range(100)) == 100


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"message": "overloaded", "code": 1}, " (overloaded)"),
        ("overloaded", " (overloaded)"),
        ({"code": 1}, " (An error occurred during streaming)"),
        (["overloaded"], " (An error occurred during streaming)"),
    ],
)
async def test_an_error_in_the_stream_is_told_in_whatever_form_it_comes(
    connect: Connect, error: object, told: str
) -> None:
    async with peer(script(Raw(f"data: {json.dumps({'error': error})}\n\n"))) as at:
        failed = await failure(connect, at, attempts=1)
    assert f"broke off its answer{told}." in str(failed)
