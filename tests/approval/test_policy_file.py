"""The policy file: what it may say, which rule decides, what is exempt and what is capped."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.types import CallToolResult

from callwright.app import App
from callwright.approval.exempt import Exempt
from callwright.approval.refusal import facts_of
from callwright.settings import Approval, SettingError

from ..transports import Clock, facts, numbered, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio


def server(tmp_path: Path, policy: object, clock: Clock | None = None, **chosen: Any) -> App:
    file = tmp_path / "policy.json"
    file.write_text(policy if isinstance(policy, str) else json.dumps(policy))
    made = settings(tmp_path / "home", policy_file=file, toolsets=("all",), **chosen)
    return App(made, "embedded", clock=clock or Clock(), ids=numbered())


def why(result: CallToolResult) -> str | None:
    """The reason why a call waits for approval."""
    return facts_of(result).get("why")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("", "must name a readable file of JSON."),
        ("[" * 100_000, "must name a readable file of JSON."),
        ([], ": the whole must be an object."),
        ({}, " must hold at least one of: mode, toolsets, tools, exempt, caps."),
        ({"x": {}}, ": x is not known; known: mode, toolsets, tools, exempt, caps."),
        ({"tool": {}}, ": tool is not known; did you mean 'tools'?"),
        ({"mode": "sometimes"}, ": mode must be one of always-ask, fine-grained, none."),
        ({"mode": []}, ": mode must be one of always-ask, fine-grained, none."),
        ({"tools": []}, ": tools must be an object."),
        ({"tools": {"get_agent": "maybe"}}, ": tools.get_agent must be one of auto_approved, requires_approval, disabled."),
        ({"tools": {"delete_agents": "disabled"}}, ": tools.delete_agents is not known; did you mean 'delete_agent'?"),
        ({"toolsets": {"call": "disabled"}}, ": toolsets.call is not known; did you mean 'calls'?"),
        ({"exempt": {"host": []}}, ": exempt.host is not known; did you mean 'hosts'?"),
        ({"exempt": {"hosts": "a.example"}}, ": exempt.hosts must be a list of texts."),
        ({"exempt": {"hosts": ["https://a.example"]}}, ": exempt.hosts takes hosts.example.com or *.example.com, not 'https://a.example'."),
        ({"exempt": {"hosts": ["*.com"]}}, ": exempt.hosts takes hosts.example.com or *.example.com, not '*.com'."),
        ({"exempt": {"hosts": ["a.*.example"]}}, ": exempt.hosts takes hosts.example.com or *.example.com, not 'a.*.example'."),
        ({"exempt": {"phone_prefixes": ["0301234"]}}, ": exempt.phone_prefixes takes beginnings of numbers with country code, such as +4930."),
        ({"exempt": {"phone_prefixes": [""]}}, ": exempt.phone_prefixes must be a list of texts."),
        ({"caps": {"calls": 1}}, ": caps.calls is not known; did you mean 'calls_a_day'?"),
        ({"caps": {"calls_a_day": -1}}, ": caps.calls_a_day must be a whole number from 0."),
        ({"caps": {"calls_a_day": True}}, ": caps.calls_a_day must be a whole number from 0."),
    ],
)  # fmt: skip
def test_a_file_that_says_anything_wrong_is_refused_at_the_start(tmp_path: Path, policy: object, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        server(tmp_path, policy)
    assert str(refused.value).removeprefix("CALLWRIGHT_POLICY_FILE") in (said, f" {said}")


@pytest.mark.parametrize(
    ("setting", "mode", "holds"),
    [
        (None, "none", "none"),
        (None, "always-ask", "always-ask"),
        ("fine-grained", "none", "fine-grained"),
        ("none", "always-ask", "always-ask"),
        ("always-ask", "none", "always-ask"),
    ],
)
def test_of_two_modes_the_stricter_holds(tmp_path: Path, setting: Approval | None, mode: str, holds: str) -> None:
    assert server(tmp_path, {"mode": mode}, approval=setting).policy.mode == holds


@pytest.mark.parametrize(
    ("tool", "effect", "decided"),
    [
        ("delete_agent", "delete", ("auto_approved", "the policy says so for delete_agent")),
        ("update_agent", "update", ("requires_approval", "the policy says so for the toolset agents")),
        ("get_dashboard_settings", "read", ("disabled", "the policy says so for the toolset workspace")),
        ("create_secret", "secret", ("requires_approval", "mode fine-grained: effect secret")),
        ("list_secrets", "read", ("auto_approved", "mode fine-grained: effect read")),
        ("get_status", "read", ("auto_approved", "it reads only this server's own notes")),
    ],
)
def test_a_tools_rule_goes_before_its_toolsets_and_that_before_the_mode(
    tmp_path: Path, tool: str, effect: str, decided: tuple[str, str]
) -> None:
    toolsets = {"agents": "requires_approval", "workspace": "disabled", "server": "requires_approval"}
    policy = server(tmp_path, {"toolsets": toolsets, "tools": {"delete_agent": "auto_approved"}}).policy
    assert policy.decided(tool, effect) == decided


async def test_a_rule_for_a_toolset_is_what_happens(tmp_path: Path) -> None:
    app = server(tmp_path, {"toolsets": {"agents": "requires_approval", "workspace": "disabled"}})
    async with reach(app) as (client, _):
        offered = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert not [name for name in offered if "workspace" in name or "dashboard" in name]
        held = await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"})
    assert (offered["create_agent"].meta or {})["callwright/approval"] == "requires_approval"
    assert refusal_facts(held)["why"] == "the policy says so for the toolset agents"


# --- what is exempt

KNOWN = Exempt(hosts=["hooks.example.com", "*.example.org"], phone_prefixes=["+4930"])


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("https://hooks.example.com/a?b={{c}}", True),
        ("wss://HOOKS.example.com:8443/{{caller}}", True),
        ("https://a.example.org", True),
        ("https://b.a.example.org/", True),
        ({"url": "https://hooks.example.com/"}, True),
        ({"url": "https://hooks.example.com/", "request_headers": {}}, True),
        ("https://example.org/", False),
        ("https://evilexample.org/", False),
        ("https://example.com/", False),
        ("https://x.hooks.example.com/", False),
        ("http://hooks.example.com/", False),
        ("ftp://hooks.example.com/", False),
        ("https://hooks.example.com.evil.example/", False),
        ("https://hooks.example.com@evil.example/", False),
        ("https://evil.example\\@hooks.example.com/", False),
        ("https://evil.example/\\hooks.example.com", False),
        ("https://{{host}}.example.org/", False),
        ("https://%65vil.example.org/", False),
        ("https://hooks.example.com{{rest}}/", False),
        ("https://hooks.exa\nmple.com/", False),
        (" https://hooks.example.com/", False),
        ("https://hooks.example.com:port/", False),
        ("https://[hooks.example.com]/", False),
        ("https:hooks.example.com", False),
        ("//hooks.example.com/", False),
        ("https://hooks。example。com/", False),
        ({"url": "https://hooks.example.com/", "request_headers": {"X": "y"}}, False),
        ({"url": {"url": "https://hooks.example.com/"}}, False),
        ({"secret_id": "s"}, False),
        (["https://hooks.example.com/"], False),
        (None, False),
    ],
)
def test_an_address_is_known_by_its_parsed_host(address: object, known: bool) -> None:
    assert KNOWN.address(address) is known
    assert Exempt().address(address) is False


@pytest.mark.parametrize(
    ("number", "known"),
    [
        ("+4930123456", True),
        ("+49 (30) 12-34", True),
        ("+4930", True),
        ("+493", False),
        ("+49310001", False),
        ("004930123456", False),
        ("4930123456", False),
        ("+4930x", False),
        ("+49\uff13\uff101", False),
        ("+4930123456789012", False),
        (None, False),
    ],
)
def test_a_number_is_known_by_its_beginning(number: object, known: bool) -> None:
    assert KNOWN.number(number) is known
    assert Exempt().number(number) is False


def hook(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"type": "webhook", "name": name, "description": "Looks up.", "api_schema": {"url": url, **more}}


def having(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": {"tools": [*tools]}}}}


AT = "conversation_config.agent.prompt.tools"
GOOD, BAD = "https://hooks.example.com/crm", "https://evil.example/crm"


@pytest.mark.parametrize(
    ("tools", "asks_for"),
    [
        ([hook("a", GOOD)], None),
        ([hook("a", GOOD), hook("b", BAD)], f"it sets {AT}.1.api_schema.url"),
        ([hook("a", BAD), hook("b", GOOD)], f"it sets {AT}.0.api_schema.url"),
        ([hook("a", GOOD, request_headers={"X": "y"})], f"it sets {AT}.0.api_schema.request_headers"),
    ],
    ids=["known", "one unknown", "the other unknown", "headers"],
)
async def test_an_exemption_holds_for_its_own_path_alone(
    tmp_path: Path, tools: list[dict[str, Any]], asks_for: str | None
) -> None:
    app = server(tmp_path, {"exempt": {"hosts": ["hooks.example.com"]}})
    async with reach(app) as (client, _):
        agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))["agent_id"]
        done = await client.call_tool("update_agent", {"agent_id": agent, "config": having(*tools)})
    assert why(done) == asks_for, text(done)


async def test_an_exemption_does_not_loosen_always_ask_nor_no_outbound(tmp_path: Path) -> None:
    exempt = {"exempt": {"hosts": ["hooks.example.com"]}}
    async with reach(server(tmp_path, {**exempt, "mode": "always-ask"})) as (client, _):
        held = await client.call_tool("create_agent", {"name": "A", "prompt": "p", "config": having(hook("a", GOOD))})
    assert refusal_facts(held)["why"] == "every call asks"
    async with reach(server(tmp_path, exempt, no_outbound=True)) as (client, _):
        refused = await client.call_tool(
            "create_agent", {"name": "A", "prompt": "p", "config": having(hook("a", GOOD))}
        )
    assert text(refused).startswith("This server sets no outside address")


# --- calls


async def desk(client: Client) -> dict[str, Any]:
    """An agent and the number that it calls from."""
    agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))["agent_id"]
    twilio = {"phone_number": "+15551234567", "label": "Desk", "twilio_sid": "AC1", "twilio_token": "hush-hush"}
    number = facts(await client.call_tool("import_phone_number", twilio))["phone_number_id"]
    return {"agent_id": agent, "phone_number_id": number}


FREELY = {"tools": {"import_phone_number": "auto_approved"}}


async def test_known_numbers_are_rung_without_asking_and_others_are_not(tmp_path: Path) -> None:
    app = server(tmp_path, {**FREELY, "exempt": {"phone_prefixes": ["00 49 (30)"]}})
    async with reach(app) as (client, _):
        at = await desk(client)

        async def asked(tool: str, **arguments: Any) -> bool:
            result = await client.call_tool(tool, {**at, **arguments})
            return why(result) == "dial"

        def people(*numbers: str) -> dict[str, Any]:
            return {"name": "Batch", "recipients": [{"phone_number": number} for number in numbers]}

        assert not await asked("place_call", to_number="+4930123456")
        assert await asked("place_call", to_number="+4940123456")
        assert not await asked("submit_batch_call", **people("+49301", "+49302"))
        assert await asked("submit_batch_call", **people("+49301", "+49402"))
        logged = facts(await client.call_tool("list_changes", {}))["changes"]
    assert [change["tool"] for change in logged].count("place_call") == 1


async def test_caps_outlive_a_restart_and_a_day(tmp_path: Path) -> None:
    clock = Clock()
    policy = {"mode": "none", "caps": {"calls_a_day": 3, "recipients_a_batch": 2}}
    async with reach(server(tmp_path, policy, clock)) as (client, _):
        at = await desk(client)
        two = {**at, "name": "B", "recipients": [{"phone_number": "+49301"}, {"phone_number": "+49302"}]}
        three = {**two, "recipients": [*two["recipients"], {"phone_number": "+49303"}]}
        assert text(await client.call_tool("submit_batch_call", three)) == snapshot(
            "The policy lets a batch ring at most 2 people, and this one would ring 3."
        )
        facts(await client.call_tool("submit_batch_call", two))
    async with reach(server(tmp_path, policy, clock)) as (client, _):
        assert text(await client.call_tool("submit_batch_call", two)) == snapshot(
            "The policy allows 3 calls to people within 24 hours; 2 were placed, and this would place 2 more."
        )
        one = {**at, "to_number": "+49304"}
        await client.call_tool("place_call", one)
        beyond = await client.call_tool("place_call", one)
        assert text(beyond) == snapshot(
            "The policy allows 3 calls to people within 24 hours; 3 were placed, and this would place 1 more."
        )
        clock.forward(seconds=86_400)
        assert "The policy" not in text(await client.call_tool("place_call", one))


async def test_nobody_is_asked_about_what_a_cap_forbids(tmp_path: Path) -> None:
    async with reach(server(tmp_path, {**FREELY, "caps": {"calls_a_day": 0}}), says="yes") as (client, asked):
        refused = await client.call_tool("place_call", {**await desk(client), "to_number": "+49304"})
    assert (refused.is_error, asked) == (True, [])


async def test_a_call_that_the_platform_refuses_is_not_counted(tmp_path: Path) -> None:
    app = server(tmp_path, {"mode": "none", "caps": {"calls_a_day": 1}})
    async with reach(app) as (client, _):
        at = await desk(client)
        assert (
            await client.call_tool("place_call", {**at, "agent_id": "agent_nowhere", "to_number": "+49304"})
        ).is_error
        assert await (await app.ledger()).rung("embedded") == 0


async def test_of_two_calls_at_once_the_last_place_goes_to_one(tmp_path: Path) -> None:
    ledger = await server(tmp_path, {"mode": "none"}).ledger()
    first = await ledger.claim_calls("embedded", 2, 2)
    assert first
    assert await ledger.claim_calls("embedded", 1, 2) is None
    assert await ledger.claim_calls("hosted", 1, 2)
    await ledger.release_calls(first)
    assert await ledger.claim_calls("embedded", 1, 2)
