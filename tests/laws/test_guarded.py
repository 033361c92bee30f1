"""Every guarded path, through every tool that can carry it: asked about, bounded, and shown without secrets."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from callwright.api.client import ApiClient
from callwright.app import App, build_server
from callwright.bounds import Bounds
from callwright.contract import all_operations
from callwright.contract.agent_tests import CreateAgentTest, RunAgentTests
from callwright.contract.agent_tools import CreateTool
from callwright.contract.agents import CreateAgent, GetAgent, UpdateAgent
from callwright.contract.errors import Refused
from callwright.contract.mcp_servers import CreateMcpServer
from callwright.contract.phone_numbers import CreatePhoneNumber, GetPhoneNumber

from ..arms import Clock, facts, numbered, reach, settings, text

pytestmark = pytest.mark.anyio

SECRET = "sk-live-5f1d9c"
HOOK = {
    "type": "webhook",
    "name": "crm",
    "description": "Looks the caller up.",
    "api_schema": {
        "url": "https://hooks.example/crm",
        "request_headers": {"Authorization": SECRET, "X-Key": SECRET},
        "auth_connection": {"auth_connection_id": "auth_1"},
    },
}
TRANSFER = {
    "type": "system",
    "name": "transfer_to_number",
    "params": {
        "system_tool_type": "transfer_to_number",
        "transfers": [
            {
                "transfer_destination": {"type": "phone", "phone_number": "+15550001111"},
                "condition": "asks for a person",
            }
        ],
    },
}


def prompt(**fields: Any) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": fields}}}


def node(kind: str, **fields: Any) -> dict[str, Any]:
    return graph(n1={"type": kind, **fields})


def graph(**nodes: dict[str, Any]) -> dict[str, Any]:
    """A workflow that begins with the first of these nodes."""
    edge = {"source": "start", "target": next(iter(nodes)), "forward_condition": {"type": "unconditional"}}
    return {"workflow": {"nodes": {"start": {"type": "start"}, **nodes}, "edges": {"e": edge}}}


def subagent(**fields: Any) -> dict[str, Any]:
    return node("override_agent", label="Desk", conversation_config={"agent": {"prompt": fields}})


WEBHOOK = {
    "conversation_initiation_client_data_webhook": {"url": "https://h.example/i", "request_headers": {"K": SECRET}}
}
AGENT_BODIES: dict[str, dict[str, Any]] = {
    "conversation_config.**.url": prompt(tools=[HOOK]),
    "conversation_config.**.request_headers": prompt(
        llm="custom-llm", custom_llm={"url": "https://llm.example/v1", "request_headers": {"X-Key": SECRET}}
    ),
    "conversation_config.**.auth_connection": prompt(tools=[HOOK]),
    "conversation_config.**.custom_llm": prompt(llm="custom-llm", custom_llm={"url": "https://llm.example/v1"}),
    "conversation_config.**.transfers": prompt(built_in_tools={"transfer_to_number": TRANSFER}),
    "conversation_config.**.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "conversation_config.**.native_mcp_server_ids": prompt(native_mcp_server_ids=["mcp_1"]),
    "workflow.**.url": subagent(tools=[HOOK]),
    "workflow.**.request_headers": subagent(tools=[HOOK]),
    "workflow.**.auth_connection": subagent(tools=[HOOK]),
    "workflow.**.custom_llm": subagent(llm="custom-llm", custom_llm={"url": "https://llm.example/v1"}),
    "workflow.**.transfers": subagent(built_in_tools={"transfer_to_number": TRANSFER}),
    "workflow.**.mcp_server_ids": subagent(mcp_server_ids=["mcpsrv_3"]),
    "workflow.**.native_mcp_server_ids": subagent(native_mcp_server_ids=["mcp_1"]),
    "workflow.nodes.*.transfer_destination": node(
        "phone_number", transfer_destination={"type": "phone", "phone_number": "+15550001111"}
    ),
    "workflow.nodes.*.agent_id": node("standalone_agent", agent_id="agent_1"),
    "platform_settings.workspace_overrides": {"platform_settings": {"workspace_overrides": WEBHOOK}},
    "conversation_config.**.tool_ids": prompt(tool_ids=["tool_4"]),
    "workflow.**.tool_ids": subagent(tool_ids=["tool_4"]),
    "workflow.**.additional_tool_ids": node("override_agent", label="Desk", additional_tool_ids=["tool_4"]),
    "workflow.nodes.*.tools": node("tool", tools=[{"tool_id": "tool_4"}]),
    "platform_settings.auth": {"platform_settings": {"auth": {"enable_auth": False, "shareable_token": SECRET}}},
    "platform_settings.overrides": {"platform_settings": {"overrides": {"custom_llm_extra_body": True}}},
    "platform_settings.privacy": {"platform_settings": {"privacy": {"record_voice": True}}},
}
TRUNK = {
    "address": "sip.example",
    "headers": {"X-Key": SECRET},
    "credentials": {"username": "desk", "password": SECRET},
}
CALLERS = {"allowed_addresses": ["192.0.2.0/24"], "credentials": {"username": "desk", "password": SECRET}}
NUMBER = {"phone_number": "+15552223333", "label": "Desk"}
MCP = {"mcp_server_id": "mcpsrv_3"}
MCP_CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("CreateMcpServer create_mcp_server", "config.url"): {},
    ("CreateMcpServer create_mcp_server", "config.secret_token"): {"token_secret_id": "secret_1"},
    ("CreateMcpServer create_mcp_server", "config.request_headers"): {"headers": {"X-Key": SECRET}},
    ("CreateMcpServer create_mcp_server", "config.approval_policy"): {"approval_policy": "auto_approve_all"},
    ("UpdateMcpServer update_mcp_server", "approval_policy"): {"config": {"approval_policy": "auto_approve_all"}},
    ("UpdateMcpServer update_mcp_server", "request_headers"): {"headers": {"X-Key": SECRET}},
    ("UpdateMcpServer update_mcp_server", "request_meta"): {"config": {"request_meta": {"key": SECRET}}},
    ("UpdateMcpServer update_mcp_server", "secret_token"): {"token_secret_id": "secret_1"},
    ("UpdateMcpServer update_mcp_server", "auth_connection"): {
        "config": {"auth_connection": {"auth_connection_id": "auth_1"}}
    },
    ("UpdateMcpApprovalPolicy update_mcp_approval_policy", "approval_policy"): {"approval_policy": "auto_approve_all"},
    ("CreateMcpToolApproval create_mcp_tool_approval", "tool_name"): {
        "tool_name": "book", "policy": "auto_approved", "description": "Books."
    },
}  # fmt: skip
OVERRIDES: dict[str, dict[str, Any]] = {
    "agent_config_override.**.url": prompt(tools=[HOOK]),
    "agent_config_override.**.request_headers": prompt(tools=[HOOK]),
    "agent_config_override.**.auth_connection": prompt(tools=[HOOK]),
    "agent_config_override.**.mcp_server_ids": prompt(mcp_server_ids=["mcpsrv_3"]),
    "agent_config_override.**.native_mcp_server_ids": prompt(native_mcp_server_ids=["mcp_1"]),
}
WORKSPACE: dict[str, dict[str, Any]] = {
    "conversation_initiation_client_data_webhook": WEBHOOK,
    "webhooks": {"webhooks": {"post_call_webhook_id": "hook_1"}},
    "can_use_mcp_servers": {"can_use_mcp_servers": True},
}
REHEARSAL = {"agent_id": "agent_1", "caller": "Hello"}


@dataclass(frozen=True)
class Carried:
    """One tool call that carries one guarded pattern of the operation that it sends."""

    operation: str
    pattern: str
    tool: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.tool}-{self.pattern}"


def carried() -> list[Carried]:
    calls: list[Carried] = []
    for pattern, body in AGENT_BODIES.items():
        made = {"name": "Bob", "prompt": "Help.", "config": body}
        calls += [
            Carried("CreateAgent", pattern, "create_agent", made),
            Carried("UpdateAgent", pattern, "update_agent", {"agent_id": "agent_1", "config": body}),
        ]
    for side, trunk in (("outbound", TRUNK), ("inbound", CALLERS)):
        pattern, given = f"{side}_trunk_config", {f"sip_{side}": trunk}
        calls += [
            Carried("CreatePhoneNumber", pattern, "import_phone_number", {**NUMBER, **given}),
            Carried("UpdatePhoneNumber", pattern, "update_phone_number", {"phone_number_id": "phnum_2", **given}),
        ]
    assign = {"phone_number_id": "phnum_2", "agent_id": "agent_1"}
    calls.append(Carried("UpdatePhoneNumber", "agent_id", "update_phone_number", assign))
    for last in ("url", "request_headers", "auth_connection", "mcp_server_ids", "native_mcp_server_ids"):
        named = {**REHEARSAL, "variables": {last: "https://h.example"}}
        calls += [
            Carried(operation, f"simulation_specification.**.{last}", "simulate_conversation", named)
            for operation in ("StreamSimulation", "SimulateConversation")  # here, and on the hosted platform
        ]
    for (sent, pattern), given in MCP_CALLS.items():
        operation, tool = sent.split()
        who = {"name": "Calendar", "url": "https://mcp.example/mcp"} if tool == "create_mcp_server" else MCP
        calls.append(Carried(operation, pattern, tool, {**who, **given}))
    for last in ("url", "request_headers", "auth_connection", "transfers"):
        config = TRANSFER if last == "transfers" else HOOK
        pattern = f"tool_config.**.{last}"
        calls += [
            Carried("CreateTool", pattern, "create_tool", {"config": config}),
            Carried("UpdateTool", pattern, "update_tool", {"tool_id": "tool_4", "config": config}),
        ]
    calls += [
        Carried("UpdateWorkspaceSettings", pattern, "update_workspace_settings", {"config": config})
        for pattern, config in WORKSPACE.items()
    ]
    calls.append(Carried("CreateUrlDocument", "url", "create_url_document", {"url": "https://h.example/?said=1"}))
    for pattern, override in OVERRIDES.items():
        run = {"agent_id": "agent_1", "test_ids": ["test_5"], "override": override, "wait_seconds": 0}
        again = {"invocation_id": "tinv_6", "run_ids": ["trun_7"], "override": override, "wait_seconds": 0}
        calls += [
            Carried("RunAgentTests", pattern, "run_agent_tests", run),
            Carried("ResubmitInvocation", pattern, "resubmit_test_invocation", again),
        ]
    return calls


NO_TOOL = {("CreateMcpServer", "config.tool_approval_hashes"), ("CreateDocument", "url")}
"""Paths that no tool carries: a decision about a tool is made by the tool for that, which reads what it decides on; and
the older way to add a page is left to the newer one."""
CALLS = carried()
each_call = pytest.mark.parametrize("call", CALLS, ids=str)


def test_every_guarded_path_of_every_operation_is_tried() -> None:
    """An operation that gains a guarded path fails here until a call above carries it."""
    declared = {(op.__name__, pattern) for op in all_operations() for pattern in op.guarded}
    assert declared - NO_TOOL == {(call.operation, call.pattern) for call in CALLS}


@pytest.fixture
async def app(tmp_path: Path, clock: Clock) -> AsyncGenerator[App]:
    """The whole server with every tool, not only the everyday ones."""
    app = App(settings(tmp_path / "home", toolsets=("all",)), "embedded", clock=clock, ids=numbered())
    yield app
    await app.close()


TEST = {
    "name": "Hours",
    "chat_history": [{"role": "user", "message": "Hi", "time_in_call_secs": 0}],
    "success_condition": "Greets.",
    "success_examples": [],
    "failure_examples": [],
}


@pytest.fixture
async def home(app: App, tmp_path: Path) -> AsyncGenerator[Path]:
    """A data folder with the agent `agent_1`, the SIP number `phnum_2`, an MCP server, a tool and a test that was run."""
    api = await app.api()
    await api.send(CreateAgent.model_validate({"name": "Ada", "conversation_config": {}}))
    trunk = {"address": "old.example"}
    await api.send(
        CreatePhoneNumber.model_validate({**NUMBER, "phone_number": "+15551112222", "provider": "sip_trunk", "outbound_trunk_config": trunk})
    )  # fmt: skip
    server = {"name": "Calendar", "url": "https://mcp.example/mcp"}
    await api.send(CreateMcpServer.model_validate({"config": server}))
    await api.send(CreateTool.model_validate({"tool_config": HOOK}))
    await api.send(CreateAgentTest.model_validate(TEST))
    await api.send(RunAgentTests.model_validate({"agent_id": "agent_1", "tests": [{"test_id": "test_5"}]}))
    yield app.settings.home
    await app.close()


async def snapshot_of(app: App) -> str:
    api = await app.api()
    agent = await api.send(GetAgent(agent_id="agent_1"))
    number = await api.send(GetPhoneNumber(phone_number_id="phnum_2"))
    return agent.model_dump_json() + str(number)


@each_call
async def test_who_cannot_be_asked_is_refused_and_nothing_changes(app: App, home: Path, call: Carried) -> None:
    before = await snapshot_of(app)
    async with reach(app) as (client, _):
        refused = await client.call_tool(call.tool, call.arguments)
        listed = facts(await client.call_tool("list_agents", {}))["agents"]
        assert await snapshot_of(app) == before
    step: dict[str, Any] = refused.structured_content or {}
    assert refused.is_error
    assert step["needs_approval"] == "person"
    assert SECRET not in text(refused)
    assert SECRET not in json.dumps(step)
    assert [agent["name"] for agent in listed] == ["Ada"]


@each_call
async def test_the_question_names_the_path_and_hides_the_secret(app: App, home: Path, call: Carried) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool(call.tool, call.arguments)
    [question] = asked
    assert call.pattern.split(".")[-1] in question
    assert SECRET not in question


OUTWARD_NOT = {
    "agent_id",
    "inbound_trunk_config",
    "approval_policy",
    "platform_settings.auth",
    "platform_settings.overrides",
    "platform_settings.privacy",
}
OUTWARD = [call for call in CALLS if call.pattern not in OUTWARD_NOT and not call.pattern.endswith("nodes.*.agent_id")]


@pytest.mark.parametrize("call", OUTWARD, ids=str)
async def test_no_outbound_holds_where_nobody_is_asked(home: Path, clock: Clock, call: Carried) -> None:
    """With approval `none` the API layer is the only guard left."""
    bounded = App(
        settings(home, toolsets=("all",), approval="none", no_outbound=True), "embedded", clock=clock, ids=numbered()
    )
    async with reach(bounded) as (client, _):
        refused = await client.call_tool(call.tool, call.arguments)
    assert refused.is_error
    assert text(refused).startswith("This server sets no outside address (no-outbound), and this carries ")


async def test_read_only_holds_below_the_tools(app: App, home: Path) -> None:
    engine = await app.api()
    bounded = ApiClient("http://embedded", transport=engine._http._transport, bounds=Bounds(read_only=True))  # pyright: ignore
    for op in (UpdateAgent(agent_id="agent_1", name="Bob"), CreateAgent.model_validate({"conversation_config": {}})):
        with pytest.raises(Refused, match="read-only"):
            await bounded.send(op)


def offered(**chosen: Any) -> set[str]:
    server = build_server(App(settings(Path("unused"), state_key=b"0" * 32, **chosen), "embedded"))
    return {tool.name for tool in server._tool_manager.list_tools()}  # pyright: ignore[reportPrivateUsage]


def test_a_read_only_server_offers_only_what_reads() -> None:
    assert {name.split("_")[0] for name in offered(read_only=True)} == {"list", "get", "describe"}


# --- ways round


SLY: dict[str, dict[str, Any]] = {
    "null at what is guarded": {"platform_settings": {"privacy": None}},
    "a key with dots": node("phone_number", transfer_destination={"type": "phone", "phone_number": "+15550001111"})
    | graph(**{"a.b.c": {"type": "standalone_agent", "agent_id": "agent_1"}}),
    "a node named after a secret": graph(headers_token={"type": "standalone_agent", "agent_id": "agent_1"}),
    "nine at once": prompt(tools=[{**HOOK, "name": f"hook_{i}"} for i in range(9)]),
    "a language's own prompt": {
        "conversation_config": {
            "language_presets": {"de": {"overrides": {"agent": {"prompt": {"native_mcp_server_ids": ["mcp_9"]}}}}}
        }
    },
    "an older spelling": prompt(
        tools=[{**TRANSFER, "params": TRANSFER["params"]}],
    ),
}


@pytest.mark.parametrize("way", SLY)
async def test_no_way_round_the_question(app: App, home: Path, way: str) -> None:
    before = await snapshot_of(app)
    async with reach(app, says="no") as (client, asked):
        refused = await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY[way]})
        assert refused.structured_content == {"declined": True}
        assert await snapshot_of(app) == before
    assert len(asked) == 1
    assert "It sets " in asked[0]


async def test_null_above_what_is_guarded_is_refused(app: App, home: Path) -> None:
    before = await snapshot_of(app)
    async with reach(app, says="yes") as (client, asked):
        reset = {"agent_id": "agent_1", "config": {"platform_settings": None}}
        refused = await client.call_tool("update_agent", reset)
        assert text(refused) == "platform_settings: input should be an object."
        assert await snapshot_of(app) == before
    assert asked == []


async def test_a_person_sees_where_callers_go_whatever_the_node_is_called(app: App, home: Path) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY["a node named after a secret"]})
    assert asked[0].endswith("It sets workflow.nodes.headers_token.agent_id = 'agent_1'.")


async def test_a_person_sees_all_nine_addresses(app: App, home: Path) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY["nine at once"]})
    assert asked[0].count("https://hooks.example/crm") == 9


async def test_more_than_a_person_can_read_is_not_asked(app: App, home: Path) -> None:
    many = prompt(tools=[{**HOOK, "name": f"hook_{i}"} for i in range(60)])
    async with reach(app, says="yes") as (client, asked):
        refused = await client.call_tool("update_agent", {"agent_id": "agent_1", "config": many})
    assert asked == []
    assert text(refused) == (
        "Not done: a person could not see all of it in one question (180 places need approval). Split it into several"
        " calls."
    )


async def test_what_is_not_guarded_is_not_asked(app: App, home: Path, client: Client) -> None:
    for config in (
        {"conversation_config": {"tts": {"speed": None}}},
        {"platform_settings": {"call_limits": {"daily_limit": 5}}},
        {"workflow": {"nodes": {"a": {"type": "start"}}}},
    ):
        assert facts(await client.call_tool("update_agent", {"agent_id": "agent_1", "config": config}))


@pytest.mark.parametrize("call", [call for call in CALLS if call.tool.endswith("_agent")], ids=str)
async def test_what_a_person_agreed_to_is_sent_as_it_was_shown(app: App, home: Path, call: Carried) -> None:
    """The call runs twice, before and after the question: what the first run prepared must not disturb the second."""
    async with reach(app, says="yes") as (client, asked):
        facts(await client.call_tool(call.tool, call.arguments))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"platform_settings": {"post_call_webhook": {"url": "https://evil.example"}}}, "platform_settings.post_call_webhook"),
        ({"conversation_config": {"agent": {"webhook_url": "x"}}}, "conversation_config.agent.webhook_url"),
        ({"conversation_config": {"tts": {"custom": {"to": "wss://evil.example"}}}}, "conversation_config.tts.custom"),
        ({"platform_settings": {"new": ["https://evil.example"]}}, "platform_settings.new"),
    ],
)  # fmt: skip
async def test_an_address_in_a_field_of_a_newer_platform_asks_too(
    home: Path, clock: Clock, config: dict[str, Any], path: str
) -> None:
    arguments = {"agent_id": "agent_1", "config": config}
    async with reach(App(settings(home), "embedded", clock=clock, ids=numbered()), says="no") as (client, asked):
        await client.call_tool("update_agent", arguments)
    assert path in asked[0]
    bounded = App(settings(home, approval="none", no_outbound=True), "embedded", clock=clock, ids=numbered())
    async with reach(bounded) as (client, _):
        refused = await client.call_tool("update_agent", arguments)
    assert path in text(refused)


def test_what_is_only_shown_and_what_is_emptied_asks_nobody() -> None:
    shown = {"platform_settings": {"widget": {"avatar": {"type": "url", "custom_url": "https://img.example"}}}}
    assert UpdateAgent.model_validate({"agent_id": "agent_1", **shown}).guarded_paths() == []
    emptied: dict[str, Any] = {"conversation_config": {"agent": {"prompt": {"tool_ids": [], "mcp_server_ids": []}}}}
    assert UpdateAgent.model_validate({"agent_id": "agent_1", **emptied}).guarded_paths() == []
