"""Settings of the workspace through the MCP client."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from tests.transports import ERAS, Clock, facts, numbered, reach, refusal_facts, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


@pytest.fixture
def app(app: App, clock: Clock) -> App:
    """With every toolset."""
    return server(settings(app.settings.home, toolsets=("all",)), clock=clock, ids=numbered())


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    return facts(await client.call_tool(tool, arguments))


WEBHOOK = {"url": "https://crm.example.com/who", "request_headers": {"authorization": "Bearer hunter2"}}


@pytest.mark.parametrize("era", ERAS)
async def test_settings_change_by_merging_and_say_what_changed(app: App, era: str) -> None:
    async with reach(app, era, says="yes") as (client, asked):
        before = await call(client, "get_workspace_settings")
        changed = await call(client, "update_workspace_settings", config={"rag_retention_period_days": 30})
        hooked = await call(
            client, "update_workspace_settings", config={"conversation_initiation_client_data_webhook": WEBHOOK}
        )
        after = await call(client, "get_workspace_settings")
    assert before == snapshot(
        {
            "webhook_events": [],
            "send_audio": False,
            "can_use_mcp_servers": True,
            "rag_retention_period_days": 10,
            "default_livekit_stack": "standard",
        }
    )
    assert changed == before | {
        "rag_retention_period_days": 30,
        "changed": [{"path": "rag_retention_period_days", "before": "10", "after": "30"}],
    }
    assert hooked.pop("changed") == snapshot(
        [
            {"path": "conversation_initiation_client_data_webhook.url", "after": "https://crm.example.com/who"},
            {"path": "conversation_initiation_client_data_webhook.request_headers.authorization", "after": "(hidden)"},
        ]
    )
    assert (
        hooked
        == after
        == snapshot(
            {
                "initiation_webhook_url": "https://crm.example.com/who",
                "initiation_webhook_headers": ["authorization"],
                "webhook_events": [],
                "send_audio": False,
                "can_use_mcp_servers": True,
                "rag_retention_period_days": 30,
                "default_livekit_stack": "standard",
            }
        )
    )
    assert asked == snapshot(
        [
            "Change the settings of the workspace, for every agent that has none of its own: conversation_initiation_client_data_webhook.request_headers.authorization, conversation_initiation_client_data_webhook.url. It sets conversation_initiation_client_data_webhook = {url: 'https://crm.example.com/who', request_headers: {authorization: (hidden)}}."
        ]
    )


async def test_a_webhook_is_cleared_by_null(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        hook = {"conversation_initiation_client_data_webhook": WEBHOOK}
        await call(client, "update_workspace_settings", config=hook)
        cleared = await call(
            client, "update_workspace_settings", config={"conversation_initiation_client_data_webhook": None}
        )
    assert "initiation_webhook_url" not in cleared


async def undone(client: Client) -> str:
    """What undoing the newest change answers."""
    changes = (await call(client, "list_changes"))["changes"]
    [change] = [each for each in changes if each["undoable"]]
    return text(await client.call_tool("undo_change", {"change_id": change["change_id"]}))


async def test_settings_are_put_back(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        before = await call(client, "get_workspace_settings")
        await call(client, "update_workspace_settings", config={"webhooks": {"post_call_webhook_id": "wh_1"}})
        await undone(client)
        assert await call(client, "get_workspace_settings") == before


async def test_charts_are_put_back(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        before = await call(client, "get_dashboard_settings")
        await call(client, "update_dashboard_settings", charts=[])
        await undone(client)
        assert await call(client, "get_dashboard_settings") == before


async def test_a_header_that_may_be_a_secret_is_not_kept_for_undoing(app: App) -> None:
    async with reach(app, says="yes") as (client, _):
        await call(client, "update_workspace_settings", config={"conversation_initiation_client_data_webhook": WEBHOOK})
        await call(client, "update_workspace_settings", config={"rag_retention_period_days": 3})
        changes = (await call(client, "list_changes"))["changes"]
    assert [change["undoable"] for change in changes] == [False, False]


async def test_guarded_settings_wait_for_a_person(app: App) -> None:
    async with reach(app) as (client, _):
        for config in ({"webhooks": {"events": ["audio"]}}, {"can_use_mcp_servers": False}):
            refused = await client.call_tool("update_workspace_settings", {"config": config})
            assert refusal_facts(refused)["needs_approval"] == "person"
        empty = await client.call_tool("update_workspace_settings", {"config": {}})
        mistyped = await client.call_tool("update_workspace_settings", {"config": {"webhoks": {}}})
    assert [text(empty), text(mistyped)] == snapshot(
        [
            "Nothing to change: give at least one name in config.",
            "Unknown name 'webhoks'; did you mean 'webhooks'? Nothing was sent. describe_config tells the names.",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_the_dashboard_takes_a_whole_list(app: App, era: str) -> None:
    charts = [{"type": "criteria", "name": "Polite", "criteria_id": "polite"}, {"type": "call_success", "name": "Won"}]
    async with reach(app, era) as (client, _):
        changed = await call(client, "update_dashboard_settings", charts=charts)
        read = await call(client, "get_dashboard_settings")
        wrong = await client.call_tool("update_dashboard_settings", {"charts": [{"type": "criteria", "name": "x"}]})
    assert (
        read
        == {key: value for key, value in changed.items() if key != "changed"}
        == snapshot(
            {
                "charts": [
                    {"name": "Polite", "type": "criteria", "shows": "polite"},
                    {"name": "Won", "type": "call_success"},
                ]
            }
        )
    )
    assert text(wrong) == snapshot("charts.0.criteria_id is required.")


async def test_the_settings_are_described_on_demand(app: App) -> None:
    async with reach(app) as (client, _):
        part = await call(client, "describe_config", kind="workspace", path="webhooks")
    assert [field["name"] for field in part["fields"]] == ["post_call_webhook_id", "events", "send_audio"]
