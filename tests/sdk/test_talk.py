"""The SDK's own conversations, with the embedded platform at the other end, in text."""

import json
import subprocess
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from inline_snapshot import snapshot

from tests.dialogue.llm_peer import JSON, Call, Reply, Say
from tests.engine.live.talking import KEY, Stage, judged, stage

from .conftest import ROOT
from .environment import VERSIONS, python_with

Line = dict[str, Any]


@pytest.fixture(scope="module", params=VERSIONS)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Line]]:
    """What one version of the SDK heard, by conversation."""
    python = python_with(request.param)
    stages: list[Stage] = []

    def reply(asked: JSON) -> Reply:
        last = asked["messages"][-1]
        if last["role"] == "tool":
            return Say(f"You are at {last['content']}.")
        match last["content"]:
            case "Where am I?":
                return Say(calls=(Call("where", '{"exactly": true}'),))
            case "Goodbye":
                return Say(calls=(Call("end_call", '{"reason": "said goodbye", "message": "So long!"}'),))
            case "A quarter of an hour passes":
                stages[0].clock.forward(seconds=15 * 60)
            case _:
                pass
        return Say(f"You said {last['content']}.")

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(stage(tmp_path_factory.mktemp("home"), judged(reply))) as at,
    ):
        stages.append(at)
        command = [python, "-m", "tests.sdk.talk", at.url]
        done = subprocess.run(command, input=KEY, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return request.param, {line.pop("conversation"): line for line in lines}


def test_conversations_of_the_sdk_are_held_with_tools_overrides_and_an_end_on_either_side(
    held: tuple[str, dict[str, Line]],
) -> None:
    version, found = held
    assert ("without audio" in found) == (version == "2.78.0")
    greeting = "Hello! How can I help you today?"
    where = 'You are at {"city": "Utrecht", "exactly": true}.'
    talked = [greeting, "You said Hello.", where, "You said Bye."]
    assert {name: line["heard"] for name, line in found.items() if not line["logged"]} == {
        "held": talked,
        "held, async": talked,
        "let know and liked": [greeting, "You said Hello."],
        "let know and liked, async": [greeting, "You said Hello."],
        "ended by the agent": [greeting, "So long!"],
        "ended by the agent, async": [greeting, "So long!"],
        "overridden": ["Ahoy Bo", "You said Hello."],
        "overridden, async": ["Ahoy Bo", "You said Hello."],
        "a URL in time": [greeting, "You said A quarter of an hour passes."],
        **({"without audio": [greeting, "You said Hello."]} if version == "2.78.0" else {}),
    }
    assert all(line["named"] for line in found.values() if not line["logged"])


def test_what_the_sdk_lets_the_agent_know_and_thinks_of_it_stands_in_the_record(
    held: tuple[str, dict[str, Line]],
) -> None:
    _, found = held
    kept = {"notes": ["The user is on page two."], "likes": 1, "dislikes": 0}
    liked = [found["let know and liked"], found["let know and liked, async"]]
    assert [{key: line[key] for key in kept} for line in liked] == [kept, kept]


def test_the_sdk_reads_why_a_conversation_does_not_begin(held: tuple[str, dict[str, Line]]) -> None:
    _, found = held
    refused = {name: line for name, line in found.items() if line["logged"]}
    assert all(not line["heard"] and not line["named"] for line in refused.values())
    told = {name: line["logged"][0].split(" received ")[1].split("; then ")[0] for name, line in refused.items()}
    assert told == snapshot(
        {
            "overridden where it is forbidden": "1008 (policy violation) override_error: Not open to clients: agent.prompt.prompt, tts.voice_id. The agent's platform_settings.overrides say what is",
            "overridden where it is forbidden, async": "1008 (policy violation) override_error: Not open to clients: agent.prompt.prompt, tts.voice_id. The agent's platform_settings.overrides say what is",
            "a missing variable": "1008 (policy violation) missing_dynamic_variable: Missing dynamic variables: name. Give each a value, or a placeholder on the agent.",
            "a missing variable, async": "1008 (policy violation) missing_dynamic_variable: Missing dynamic variables: name. Give each a value, or a placeholder on the agent.",
            "a URL too late": "1008 (policy violation) This token has expired. Ask for a new signed URL, token or link.",
            "a URL too late, async": "1008 (policy violation) This token has expired. Ask for a new signed URL, token or link.",
        }
    )
