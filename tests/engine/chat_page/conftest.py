"""An engine whose agents call tools when they are asked to, and a person before the page."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON, Call, Reply, Say
from tests.engine.live.talking import Stage, judged, stage
from tests.engine.live.test_session import last

from .chatting import Person, person


def plays(**calls: Call) -> Callable[[JSON], Reply]:
    """A tool is called by the message that has its name; any other message is repeated."""

    def reply(request: JSON) -> Reply:
        said = last(request)
        if request["messages"][-1]["role"] == "tool":
            return Say(f"It says {said}.")
        if "story" in said:
            return Say("Once upon a time", stalls=True)
        if call := next((call for name, call in calls.items() if name in said), None):
            return Say(calls=(call,))
        return Say(f"You said {said}.")

    return judged(reply)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    calls = {
        "where": Call("where", '{"precise": true}'), "show": Call("show"), "bye": Call("end_call", '{"reason": "Done."}'),
        "crm": Call("crm"), "book": Call("book", '{"day": "Friday"}'), "draw": Call("draw", '{"text": "<i>x</i>"}'),
    }  # fmt: skip
    async with stage(tmp_path, plays(**calls), allow_private=("127.0.0.1",)) as at:
        yield at


@pytest.fixture
async def bo(at: Stage, tmp_path: Path) -> AsyncGenerator[Person]:
    async with person(at, tmp_path) as bo:
        yield bo
