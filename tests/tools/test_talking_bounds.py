"""What bounds the conversations of an assistant: a person's word, how many there are, and how much is told at once."""

from pathlib import Path

import anyio
import pytest
from inline_snapshot import snapshot

from callwright.client_conversations.open_conversations import MOST_OPEN
from tests.dialogue.llm_peer import Call, Say
from tests.transports import facts, text

from .test_talking import WHERE, calls, stage

pytestmark = pytest.mark.anyio


async def test_what_a_conversation_brings_along_may_lead_elsewhere_and_then_a_person_is_asked(tmp_path: Path) -> None:
    async with stage(tmp_path, says="no") as on:
        ada = await on.agent(name="Ada")
        servers = {"agent": {"prompt": {"native_mcp_server_ids": ["mcp_1"]}}}
        given = {"agent_id": ada, "config": {"conversation_config_override": servers}, "variables": {"name": "Bo"}}
        said = text(await on.client.call_tool("start_conversation", given))
    assert said == "The user said no. Nothing was done. Do not call this again unless the user asks for it."
    assert on.asked == snapshot(
        [
            "Begin a text conversation with agent 'Ada' (agent_1), whose tools are really called. It brings along: dynamic_variables = {name: 'Bo'}, conversation_config_override = {agent: {prompt: {native_mcp_server_ids: ['mcp_1']}}}. It sets conversation_config_override.agent.prompt.native_mcp_server_ids = ['mcp_1']."
        ]
    )


async def test_the_person_sees_what_would_be_said_and_answered(tmp_path: Path) -> None:
    async with stage(tmp_path, calls("where"), says="yes", approval="always-ask") as on:
        ada = await on.agent({"agent": {"prompt": {"tools": [WHERE]}}})
        id = (await on.begin(ada, config={"tool_mock_config": {"mocking_strategy": "none"}}))["conversation_id"]
        long = "word " * 300
        (waiting,) = (await on.say(id, long.strip()))["tools_waiting"]
        await on.say(id, tool_results={waiting["tool_call_id"]: {"city": "Utrecht"}})
    assert long.strip() in on.asked[1]
    assert on.asked[2].endswith("with {'city': 'Utrecht'} in conversation conv_2.")


async def test_twenty_at_a_time_also_where_they_begin_at_once(tmp_path: Path) -> None:
    found: list[bool] = []
    async with stage(tmp_path) as on:
        ada = await on.agent()

        async def begin() -> None:
            answer = await on.client.call_tool("start_conversation", {"agent_id": ada})
            found.append(not answer.is_error)

        async with anyio.create_task_group() as tasks:
            for _ in range(MOST_OPEN + 10):
                tasks.start_soon(begin)
    assert (found.count(True), found.count(False)) == (MOST_OPEN, 10)


async def test_however_much_is_said_the_next_step_is_told(tmp_path: Path) -> None:
    many = '{"numbers": [' + ", ".join(map(str, range(6000))) + "]}"
    reply = Say("So. " * 10_000, calls=(Call("where", many),))
    async with stage(tmp_path, lambda _: reply) as on:
        ada = await on.agent({"agent": {"prompt": {"tools": [WHERE]}}})
        id = (await on.begin(ada))["conversation_id"]
        answer = await on.client.call_tool("send_message", {"conversation_id": id, "text": "Well?"})
    (waiting,) = facts(answer)["tools_waiting"]
    assert "Give the waiting tools their results" in text(answer)
    assert waiting["tool_call_id"] in text(answer)
    assert len(waiting["parameters"]) <= 1_500
    assert facts(answer)["said"][0]["text"].endswith("…")


async def test_an_override_that_is_no_object_is_refused_in_words(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        ada = await on.agent()
        said = [
            await on.refused("start_conversation", agent_id=ada, config={"conversation_config_override": override})
            for override in ("x", {"conversation": "x"})
        ]
    assert said == snapshot(
        [
            "conversation_config_override: input should be an object.",
            "conversation_config_override.conversation: input should be an object.",
        ]
    )
