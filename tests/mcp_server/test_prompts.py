"""Guides as prompts and as skills: one source, complete, and true to the tools that there are."""

import hashlib
import re
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from callwright.app import App
from callwright.mcp_server.prompts import GUIDES, body_of, description_of, text_of
from callwright.surface import built
from tests.transports import ERAS, facts, reach

pytestmark = pytest.mark.anyio

TOOLS = {entry["tool"]["name"]: set(entry["tool"]["inputSchema"]["properties"]) for entry in built()}
ARGUMENTS = set[str]().union(*TOOLS.values())
each_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)


@each_guide
def test_a_guide_names_only_tools_and_arguments_that_there_are(guide: Any) -> None:
    body = body_of(guide)
    named = {word for quoted in re.findall(r"`([^`]+)`", body) for word in re.findall(r"^[a-z_]+(?:_[a-z]+)+", quoted)}
    assert named - set(TOOLS) - ARGUMENTS - {"end_call", "tool_calls"} == set()
    assert named & set(TOOLS)


@each_guide
def test_a_guide_is_a_skill_as_the_format_wants_it(guide: Any) -> None:
    text = text_of(guide)
    assert text.startswith(f"---\nname: {guide.skill}\ndescription: ")
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", guide.skill)
    assert 30 <= len(description_of(guide)) <= 200
    assert body_of(guide).startswith("# ")
    assert len(text) < 4_000


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed_with_their_arguments(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        prompts = (await client.list_prompts()).prompts
    shown = {p.name: [f"{a.name}{'' if a.required else '?'}" for a in p.arguments or []] for p in prompts}
    assert shown == snapshot(
        {
            "build_agent": ["goal", "document_id?", "language?"],
            "improve_agent": ["agent_id", "goal?"],
            "debug_conversation": ["conversation_id", "question?"],
            "write_tests": ["agent_id", "conversation_id?"],
            "launch_checklist": ["agent_id"],
            "weekly_report": ["agent_id?"],
            "migrate_agent": ["agent_id", "target?"],
        }
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_begins_with_what_holds_this_time(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        got = await client.get_prompt("build_agent", {"goal": " Answer for a bicycle shop. ", "language": "de"})
    [message] = got.messages
    content: Any = message.content
    assert content.text.startswith(
        "This time:\n- goal: Answer for a bicycle shop.\n- language: de\n\n# Build a voice agent\n"
    )


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("improve_agent", {}, "Prompt improve_agent needs agent_id."),
        ("improve_agent", {"agent_id": "  "}, "Prompt improve_agent needs agent_id."),
        ("weekly_report", {"week": "1"}, "Prompt weekly_report has no argument 'week'; it has: agent_id."),
        ("build_agent", {"goal": "x" * 5_000}, "goal is longer than 4,000 characters."),
        ("improve", {}, "No prompt 'improve'. There are: build_agent, debug_conversation, "),
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_asked_for_wrongly_says_what_is_missing(
    app: App, era: str, name: str, arguments: dict[str, str], said: str
) -> None:
    async with reach(app, era) as (client, _):
        with pytest.raises(MCPError) as refused:
            await client.get_prompt(name, arguments)
    assert refused.value.error.code == -32602
    assert refused.value.error.message.startswith(said)


async def made(client: Client, name: str) -> str:
    return facts(await client.call_tool("create_agent", {"name": name, "prompt": "Help."}))["agent_id"]


@pytest.mark.parametrize("era", ERAS)
async def test_ids_are_completed_by_their_beginning_or_by_a_name(app: App, era: str) -> None:
    prompt = PromptReference(type="ref/prompt", name="improve_agent")
    template = ResourceTemplateReference(type="ref/resource", uri="callwright://agents/{agent_id}/prompt")
    async with reach(app, era) as (client, _):
        ada, bob = await made(client, "Ada"), await made(client, "Bob")
        other = await made(client, "Ada at night")
        document = facts(await client.call_tool("create_text_document", {"name": "Hours", "text": "Open."}))

        async def completed(ref: Any, name: str, value: str, **known: str) -> list[str]:
            return (await client.complete(ref, {"name": name, "value": value}, known or None)).completion.values

        assert await completed(prompt, "agent_id", "ada") == [other, ada]
        assert await completed(template, "agent_id", bob[:-1]) == [other, bob, ada]
        assert await completed(template, "agent_id", "zoe") == []
        assert await completed(prompt, "conversation_id", "conv") == []  # not an argument of this prompt
        build = PromptReference(type="ref/prompt", name="build_agent")
        assert await completed(build, "document_id", "hou") == [document["document_id"]]
        assert await completed(build, "language", "D") == ["de", "da"]
        debug = PromptReference(type="ref/prompt", name="debug_conversation")
        await client.call_tool("simulate_conversation", {"agent_id": ada, "caller": "Hi", "max_turns": 1})
        assert len(await completed(debug, "conversation_id", "", agent_id=ada)) <= 1
        runs = ResourceTemplateReference(type="ref/resource", uri="callwright://test-runs/{invocation_id}")
        assert await completed(runs, "invocation_id", "", agent_id=ada) == []


async def test_skills_are_listed_with_digests_of_what_is_read(app: App) -> None:
    async with reach(app, "auto") as (client, _):
        assert "io.modelcontextprotocol/skills" in (client.server_capabilities.extensions or {})
        listed = {str(r.uri): r for r in (await client.list_resources()).resources if str(r.uri).startswith("skill://")}
        assert len(listed) == len(GUIDES)
        for guide in GUIDES:
            uri = f"skill://{guide.skill}/SKILL.md"
            [found] = (await client.read_resource(uri)).contents
            content: Any = found
            assert content.text == text_of(guide)
            assert len(hashlib.sha256(content.text.encode()).hexdigest()) == 64
