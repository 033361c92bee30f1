"""Modes and exceptions: what the list says, and what then happens."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, Tool

from callwright.app import App
from callwright.approval.policy import META, OWN_NOTES, TOKEN, Policy
from callwright.settings import Approval, Unattended
from callwright.surface import built

from ..transports import ERAS, facts, numbered, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio


def server(tmp_path: Path, exceptions: dict[str, str] | None = None, **chosen: Any) -> App:
    if exceptions is not None:
        file = tmp_path / "policy.json"
        file.write_text(json.dumps({"tools": exceptions}))
        chosen["policy_file"] = file
    return App(settings(tmp_path / "home", **chosen), "embedded", ids=numbered())


async def offered(client: Client) -> dict[str, Tool]:
    return {tool.name: tool for tool in (await client.list_tools()).tools}


EFFECTS = {entry["tool"]["name"]: entry["effect"] for entry in built()}
MODES: list[tuple[Approval, str, str, str]] = [
    ("always-ask", "requires_approval", "requires_approval", "requires_approval"),
    ("fine-grained", "auto_approved", "auto_approved", "requires_approval"),
    ("none", "auto_approved", "auto_approved", "auto_approved"),
]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("mode", "reads", "updates", "deletes"), MODES)
async def test_the_list_tells_each_tools_policy_and_keeps_it(
    tmp_path: Path, era: str, mode: Approval, reads: str, updates: str, deletes: str
) -> None:
    async with reach(server(tmp_path, approval=mode), era) as (client, _):
        tools = await offered(client)
        said = {name: (tool.meta or {})[META] for name, tool in tools.items()}
        assert {said[name] for name in OWN_NOTES if name in said} == {"auto_approved"}
        assert (said["list_agents"], said["update_agent"], said["delete_agent"]) == (reads, updates, deletes)
        for tool, arguments, expected in (
            ("list_agents", {}, reads),
            ("create_agent", {"name": "Ada", "prompt": "p"}, updates),
            ("create_secret", {"name": "crm", "value": "abc"}, deletes),
        ):
            result = await client.call_tool(tool, arguments)
            assert result.is_error is (expected == "requires_approval"), text(result)


@pytest.mark.parametrize(
    ("mode", "unattended", "taking"),
    [
        ("fine-grained", "person", "deletes"),
        ("fine-grained", "token", "whatever writes"),
        ("fine-grained", "refuse", "none"),
        ("always-ask", "person", "none"),
        ("always-ask", "token", "all"),
        ("none", "person", "none"),
        ("none", "token", "none"),
    ],
)
async def test_the_argument_for_a_token_is_there_where_one_is_given(
    tmp_path: Path, mode: Approval, unattended: Unattended, taking: str
) -> None:
    async with reach(server(tmp_path, approval=mode, unattended=unattended)) as (client, _):
        tools = await offered(client)
    expected = {
        "none": set[str](),
        "all": tools.keys() - set(OWN_NOTES),
        "deletes": {name for name, effect in EFFECTS.items() if effect == "delete"},
        "whatever writes": {name for name, effect in EFFECTS.items() if effect != "read"},
    }
    assert {name for name, tool in tools.items() if TOKEN in tool.input_schema["properties"]} == expected[taking]


async def test_exceptions_for_single_tools(tmp_path: Path) -> None:
    exceptions = {
        "create_secret": "disabled",
        "get_agent": "requires_approval",
        "delete_agent": "auto_approved",
        "delete_document": "requires_approval",
        "update_agent": "auto_approved",
    }
    async with reach(server(tmp_path, exceptions)) as (client, _):
        tools = await offered(client)
        assert "create_secret" not in tools
        assert {name: (tools[name].meta or {})[META] for name in exceptions if name in tools} == {
            name: policy for name, policy in exceptions.items() if policy != "disabled"
        }
        # By its own rule a person answers for this delete: there is no token for it.
        assert TOKEN not in tools["delete_document"].input_schema["properties"]
        agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))["agent_id"]
        assert (await client.call_tool("get_agent", {"agent_id": agent})).is_error
        guarded = {"platform_settings": {"auth": {"enable_auth": True}}}
        facts(await client.call_tool("update_agent", {"agent_id": agent, "config": guarded}))
        facts(await client.call_tool("delete_agent", {"agent_id": agent}))
        document = facts(await client.call_tool("create_text_document", {"text": "x", "name": "Handbook"}))
        held = await client.call_tool("delete_document", {"document_id": document["document_id"]})
        assert refusal_facts(held)["needs_approval"] == "person"
        assert "the policy says so for delete_document" in text(held)


async def test_a_disabled_tool_cannot_be_called_by_its_name(tmp_path: Path) -> None:
    async with reach(server(tmp_path, {"create_secret": "disabled", "get_status": "disabled"})) as (client, _):
        for tool in ("create_secret", "get_status"):
            with pytest.raises(MCPError, match=f"^Unknown tool: {tool}. It is of the toolset ") as refused:
                await client.call_tool(tool, {"name": "crm", "value": "abc"})
            assert refused.value.code == INVALID_PARAMS


async def test_always_asking_says_which_fields_would_change(tmp_path: Path) -> None:
    app = server(tmp_path, approval="always-ask")
    async with reach(app, says="yes") as (client, asked):
        made = {"name": "Ada", "prompt": "p", "tags": ["vip"]}
        agent = facts(await client.call_tool("create_agent", made))["agent_id"]
        facts(await client.call_tool("update_agent", {"agent_id": agent, "prompt": "Be brief.", "language": "de"}))
        facts(await client.call_tool("create_text_document", {"text": "word " * 100, "name": "Handbook"}))
        facts(await client.call_tool("get_agent", {"agent_id": agent}))
    assert asked == [
        "Create agent 'Ada'.",
        f"Change agent 'Ada' ({agent}): conversation_config.agent.language, conversation_config.agent.prompt.prompt.",
        f"Create text document: text = {('word ' * 100)!r:.199}…, name = 'Handbook'.",
        f"Get agent: agent_id = '{agent}'.",
    ]


def test_nothing_that_a_request_says_loosens_the_policy() -> None:
    for mode in ("always-ask", "fine-grained"):
        for effect in ("delete", "dial", "grant", "secret"):
            assert Policy(mode).reason("some_tool", effect, effect, ()) is not None
    assert Policy("fine-grained").reason("some_tool", "update", "update", ["a.url"]) == "it sets a.url"
    assert Policy("fine-grained").reason("some_tool", "update", "update", ()) is None
    assert Policy("always-ask").reason("delete_agent", "delete", "read", ()) is None  # a fact for its question
