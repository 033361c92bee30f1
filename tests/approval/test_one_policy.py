"""A rule of the policy for an act holds whichever tool carries it."""

import json
from pathlib import Path
from typing import Any

import pytest

from callwright.app import App
from callwright.contract.phone_numbers import CreatePhoneNumber

from ..samples.guarding import BROUGHT
from ..transports import Clock, facts, numbered, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio


def server(tmp_path: Path, policy: dict[str, Any] | None = None, **chosen: Any) -> App:
    if policy is not None:
        chosen["policy_file"] = tmp_path / "policy.json"
        chosen["policy_file"].write_text(json.dumps(policy))
    return App(settings(tmp_path / "home", toolsets=("all",), **chosen), "embedded", clock=Clock(), ids=numbered())


async def renamed(tmp_path: Path) -> tuple[str, str]:
    """An agent that was called Ada and is called Bob, and the id of that change."""
    async with reach(server(tmp_path)) as (client, _):
        agent: str = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))["agent_id"]
        facts(await client.call_tool("update_agent", {"agent_id": agent, "name": "Bob"}))
        changes = facts(await client.call_tool("list_changes", {}))["changes"]
        return agent, next(change["change_id"] for change in changes if change["tool"] == "update_agent")


async def test_undo_asks_where_the_change_itself_asks(tmp_path: Path) -> None:
    _, change = await renamed(tmp_path)
    async with reach(server(tmp_path, {"tools": {"update_agent": "requires_approval"}})) as (client, _):
        held = await client.call_tool("undo_change", {"change_id": change})
    assert refusal_facts(held)["needs_approval"] == "person"
    assert "the policy says so for update_agent" in text(held)


async def test_undo_and_duplicate_do_not_do_what_is_disabled(tmp_path: Path) -> None:
    agent, change = await renamed(tmp_path)
    disabled = {"tools": {"update_agent": "disabled", "create_agent": "disabled"}}
    async with reach(server(tmp_path, disabled)) as (client, _):
        undone = await client.call_tool("undo_change", {"change_id": change})
        copied = await client.call_tool("duplicate_agent", {"agent_id": agent})
        agents = facts(await client.call_tool("list_agents", {}))["agents"]
    assert "the policy says so for update_agent: it is disabled, and this would do the same." in text(undone)
    assert "the policy says so for create_agent: it is disabled, and this would do the same." in text(copied)
    assert [each["name"] for each in agents] == ["Bob"]


async def test_a_rule_for_a_toolset_holds_for_undo_too(tmp_path: Path) -> None:
    _, change = await renamed(tmp_path)
    async with reach(server(tmp_path, {"toolsets": {"agents": "requires_approval"}})) as (client, _):
        held = await client.call_tool("undo_change", {"change_id": change})
    assert "the policy says so for the toolset agents" in text(held)


async def test_a_dry_run_tells_nothing_where_every_read_asks(tmp_path: Path) -> None:
    agent, _ = await renamed(tmp_path)
    async with reach(server(tmp_path, approval="always-ask")) as (client, _):
        plan = await client.call_tool("delete_agent", {"agent_id": agent, "dry_run": True})
    assert "Bob" not in text(plan)
    assert "asks before every read" in text(plan)


@pytest.mark.parametrize("brought", BROUGHT)
async def test_a_call_of_a_known_number_still_asks_for_what_it_brings_along(tmp_path: Path, brought: str) -> None:
    app = server(tmp_path, {"exempt": {"phone_prefixes": ["+4930"]}})
    api = await app.api()
    async with reach(app) as (client, _):
        agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))["agent_id"]
        twilio = {"phone_number": "+15551234567", "label": "Desk", "provider": "twilio", "sid": "AC1", "token": "hush"}
        number = await api.send(CreatePhoneNumber.model_validate(twilio))
        call = {"agent_id": agent, "phone_number_id": number.phone_number_id, "to_number": "+4930123456"}
        held = await client.call_tool("place_call", call | {"config": BROUGHT[brought]})
    assert refusal_facts(held)["needs_approval"] == "person"
    assert brought.removeprefix("**.") in text(held)
