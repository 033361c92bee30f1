# pyright: basic, reportMissingImports=false
"""Runs in an environment that has the SDK: `python -m tests.sdk.talk BASE_URL`, the key on standard input.

Holds text conversations with the SDK's own `Conversation` and `AsyncConversation`; prints one JSON line for each: what
its callbacks heard, and what the SDK logged. The model at the other end is scripted by `test_talk.py`.
"""

import asyncio
import json
import logging
import sys
from importlib.metadata import version
from queue import Queue

from elevenlabs import ElevenLabs
from elevenlabs.conversational_ai.conversation import (
    AsyncAudioInterface,
    AsyncConversation,
    AudioInterface,
    ClientTools,
    Conversation,
    ConversationInitiationData,
)

SECONDS = 20
EVENTS = ["agent_response", "interruption", "agent_response_correction", "client_tool_call", "ping"]
END_CALL = {"end_call": {"name": "end_call", "params": {"system_tool_type": "end_call"}}}
WHERE = {
    "type": "client", "name": "where", "description": "Where the user is.", "expects_response": True,
    "parameters": {"type": "object", "properties": {"exactly": {"type": "boolean", "description": "Or about."}}},
}  # fmt: skip


class Microphone(AudioInterface):
    """Sends a little audio as soon as it may, as a real one does."""

    def start(self, input_callback):
        input_callback(b"\0" * 8000)

    def stop(self):
        pass

    def output(self, audio):
        raise AssertionError("nobody speaks here")

    def interrupt(self):
        pass


class AsyncMicrophone(AsyncAudioInterface):
    async def start(self, input_callback):
        await input_callback(b"\0" * 8000)

    async def stop(self):
        pass

    async def output(self, audio):
        raise AssertionError("nobody speaks here")

    async def interrupt(self):
        pass


class Logged(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


log = Logged()
logging.getLogger("elevenlabs").addHandler(log)
client = ElevenLabs(base_url=sys.argv[1], api_key=sys.stdin.readline().strip())


def agent(config=None, **platform):
    config = config or {}
    prompt = {"tools": [WHERE], "built_in_tools": END_CALL, **config.get("prompt", {})}
    made = client.conversational_ai.agents.create(
        conversation_config={
            "agent": {**config, "prompt": prompt},
            "conversation": {"text_only": True, "client_events": EVENTS, "max_duration_seconds": 3600},
        },
        platform_settings=platform,
    )
    return made.agent_id


def tools():
    found = ClientTools()
    found.register("where", lambda given: {"city": "Utrecht", "exactly": given["exactly"]})
    return found


NOTE = "The agent is to know: "
"""Begins a line that is no message: what the client's program lets the agent know. The next line is said at once."""


def hold(agent_id, *lines, signed_url=None, ends=True, audio=True, brought=None):
    """A conversation of `Conversation`: each answer is followed by the next line. `ends`: by the client."""
    heard, parts, answers = [], [], Queue()
    log.lines.clear()
    talk = Conversation(
        client,
        agent_id,
        requires_auth=True,
        audio_interface=Microphone() if audio else None,
        config=ConversationInitiationData(**(brought or {})),
        client_tools=tools(),
        callback_agent_response=answers.put,
        callback_agent_chat_response_part=lambda text, type_: parts.append(text),
        callback_end_session=lambda: answers.put(None),
    )
    if signed_url:
        talk._get_signed_url = lambda: signed_url
    talk.start_session()
    left = list(lines)
    while (answer := answers.get(timeout=SECONDS)) is not None:
        heard.append(answer)
        while left and left[0].startswith(NOTE):
            talk.send_contextual_update(left.pop(0).removeprefix(NOTE))
        if left:
            talk.send_user_message(left.pop(0))
        elif ends:
            talk.end_session()
    id = talk.wait_for_session_end()
    assert "".join(parts) == "".join(heard), parts
    return {"heard": heard, "logged": list(log.lines), "id": id}


async def hold_async(agent_id, *lines, signed_url=None, ends=True, brought=None):
    heard, answers = [], asyncio.Queue()
    log.lines.clear()

    async def ended():
        await answers.put(None)

    talk = AsyncConversation(
        client,
        agent_id,
        requires_auth=True,
        audio_interface=AsyncMicrophone(),
        config=ConversationInitiationData(**(brought or {})),
        client_tools=tools(),
        callback_agent_response=answers.put,
        callback_end_session=ended,
    )
    if signed_url:
        talk._get_signed_url = lambda: signed_url
    await talk.start_session()
    left = list(lines)
    while (answer := await asyncio.wait_for(answers.get(), SECONDS)) is not None:
        heard.append(answer)
        while left and left[0].startswith(NOTE):
            await talk.send_contextual_update(left.pop(0).removeprefix(NOTE))
        if left:
            await talk.send_user_message(left.pop(0))
        elif ends:
            await talk.end_session()
    id = await talk.wait_for_session_end()
    return {"heard": heard, "logged": list(log.lines), "id": id}


def say(name, found):
    id = found.pop("id")
    sys.stdout.write(json.dumps({"conversation": name, **found, "named": bool(id)}) + "\n")


def with_record(found):
    """What is kept of it, after it was liked: what the agent was let know, and the feedback."""
    conversations = client.conversational_ai.conversations
    conversations.feedback.create(conversation_id=found["id"], feedback="like")
    kept = conversations.get(conversation_id=found["id"]).model_dump()
    notes = [result["result_value"] for turn in kept["transcript"] for result in turn["tool_results"]]
    feedback = kept["metadata"]["feedback"]
    return found | {"notes": notes, "likes": feedback["likes"], "dislikes": feedback["dislikes"]}


CLOSED = {"auth": {"enable_auth": True}}
ada = agent(**CLOSED)
say("held", hold(ada, "Hello", "Where am I?", "Bye"))
say("held, async", asyncio.run(hold_async(ada, "Hello", "Where am I?", "Bye")))
ON_PAGE = f"{NOTE}The user is on page two."
say("let know and liked", with_record(hold(ada, ON_PAGE, "Hello")))
say("let know and liked, async", with_record(asyncio.run(hold_async(ada, ON_PAGE, "Hello"))))
say("ended by the agent", hold(ada, "Goodbye", ends=False))
say("ended by the agent, async", asyncio.run(hold_async(ada, "Goodbye", ends=False)))

OPEN = {"conversation_config_override": {"agent": {"first_message": True, "language": True}}}
bob = agent({"first_message": "Hello {{name}}", "prompt": {"prompt": "Be kind."}}, overrides=OPEN)
override = {"conversation_config_override": {"agent": {"first_message": "Ahoy {{name}}"}}}
variables = {"dynamic_variables": {"name": "Bo"}}
say("overridden", hold(bob, "Hello", brought=override | variables))
say("overridden, async", asyncio.run(hold_async(bob, "Hello", brought=override | variables)))
forbidden = {"conversation_config_override": {"agent": {"prompt": {"prompt": "Be rude."}}, "tts": {"voice_id": "v"}}}
say("overridden where it is forbidden", hold(bob, brought=forbidden | variables))
say("overridden where it is forbidden, async", asyncio.run(hold_async(bob, brought=forbidden | variables)))
say("a missing variable", hold(bob))
say("a missing variable, async", asyncio.run(hold_async(bob)))

url = client.conversational_ai.conversations.get_signed_url(agent_id=ada).signed_url
say("a URL in time", hold(ada, "A quarter of an hour passes", signed_url=url))
say("a URL too late", hold(ada, signed_url=url))
say("a URL too late, async", asyncio.run(hold_async(ada, signed_url=url)))
if version("elevenlabs") != "2.23.0":  # which cannot do without
    say("without audio", hold(ada, "Hello", audio=False))
