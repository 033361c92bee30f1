"""What the server says of its own approval policy, to a model and to the platform."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.app import App
from callwright.commands.tools import as_mcp_server
from callwright.contract.mcp_servers import CreateMcpServer, ListMcpTools
from callwright.mcp_server.server import build_server
from callwright.surface import built

from ..peers import serving
from ..transports import Clock, facts, numbered, reach, settings, text
from .test_policy_file import server

pytestmark = pytest.mark.anyio


async def shown(app: App, tool: str | None = None) -> dict[str, Any]:
    async with reach(app) as (client, _):
        return facts(await client.call_tool("show_approval_policy", {"tool": tool} if tool else {}))


@pytest.mark.parametrize(
    ("tool", "rule"),
    [
        (
            "delete_agent",
            snapshot(
                {
                    "tool": "delete_agent",
                    "policy": "requires_approval",
                    "why": "mode fine-grained: effect delete",
                    "if_nobody_can_be_asked": "a preview and an approval_token",
                }
            ),
        ),
        (
            "create_secret",
            snapshot(
                {
                    "tool": "create_secret",
                    "policy": "requires_approval",
                    "why": "mode fine-grained: effect secret",
                    "if_nobody_can_be_asked": "a person approves outside the conversation",
                }
            ),
        ),
        (
            "create_url_document",
            snapshot(
                {
                    "tool": "create_url_document",
                    "policy": "auto_approved",
                    "why": "mode fine-grained: effect create",
                    "guarded": ["url"],
                    "if_nobody_can_be_asked": "a person approves outside the conversation",
                }
            ),
        ),
        (
            "list_agents",
            snapshot({"tool": "list_agents", "policy": "auto_approved", "why": "mode fine-grained: effect read"}),
        ),
    ],
)
async def test_of_one_tool_it_says_which_rule_decided(app: App, tool: str, rule: dict[str, Any]) -> None:
    assert (await shown(app, tool))["rule"] == rule


async def test_a_rule_of_the_file_is_named(tmp_path: Path) -> None:
    caps = {"calls_a_day": 5}
    exempt = {"hosts": ["*.example.com"], "phone_prefixes": ["+4930"]}
    app = server(tmp_path, {"toolsets": {"secrets": "auto_approved"}, "caps": caps, "exempt": exempt})
    assert await shown(app, "create_secret") == snapshot(
        {
            "mode": "fine-grained",
            "rule": {
                "tool": "create_secret",
                "policy": "auto_approved",
                "why": "the policy says so for the toolset secrets",
            },
            "exempt": ["*.example.com", "+4930…"],
            "caps": ["calls a day: 5"],
        }
    )


async def test_of_all_it_names_those_that_ask(app: App) -> None:
    found = await shown(app)
    assert (found["mode"], "delete_agent" in found["requires_approval"]) == ("fine-grained", True)
    assert "update_agent" in found["asks_for_guarded"]
    async with reach(app) as (client, _):
        unknown = await client.call_tool("show_approval_policy", {"tool": "delete_agents"})
    assert text(unknown) == "No tool 'delete_agents'. Did you mean 'delete_agent'?"


async def test_under_no_approval_nothing_asks(tmp_path: Path) -> None:
    found = await shown(App(settings(tmp_path, approval="none"), "embedded"))
    assert (found["requires_approval"], found["asks_for_guarded"]) == ([], [])


@pytest.mark.parametrize("policy", [{"mode": "fine-grained"}, {"tools": {"get_agent": "requires_approval"}}])
async def test_an_agent_that_uses_this_server_gets_its_approvals(tmp_path: Path, policy: dict[str, Any]) -> None:
    """The printed settings go into the platform, which then lists the tools of the running server."""
    app = server(tmp_path, policy)
    platform = App(
        settings(tmp_path / "platform", allow_private=("127.0.0.1",)), "embedded", clock=Clock(), ids=numbered()
    )
    printed = json.loads(json.dumps(as_mcp_server(app)))
    asgi = build_server(app).streamable_http_app(stateless_http=True)
    async with serving(asgi, lifespan="on") as url:
        api = await platform.api()
        config = {"name": "Callwright", "url": f"{url}/mcp", **printed}
        made = await api.send(CreateMcpServer.model_validate({"config": config}))
        found = await api.send(ListMcpTools(mcp_server_id=made.id), deadline=60)
        await platform.close()
    tools: list[Any] = found.tools
    assert found.success, found.error_message
    assert {tool.name: (tool.approval, tool.approval_outdated) for tool in tools} == {
        name: (app.policy.of_tool(name, entry["effect"]), False) for entry in built() if (name := entry["tool"]["name"])
    }
