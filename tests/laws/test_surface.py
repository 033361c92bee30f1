"""The published tool list: equal to the functions, small, truthful."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from typing import Any, cast, get_args

import pytest
from inline_snapshot import snapshot

from callwright.app import App
from callwright.approval.policy import ASKING, OWN_NOTES, Policy
from callwright.commands.tools import coverage_table, tool_table
from callwright.contract import all_operations
from callwright.contract.operation import Effect
from callwright.engine.http.coverage import SOCKET
from callwright.surface import TOOLSETS, Entry, dumps
from callwright.toolkit.lazy_tool import snap
from callwright.toolkit.toolset import Toolset
from callwright.tools import WITHOUT_TOOL

from ..transports import facts, reach

SURFACE = files("callwright").joinpath("surface.json").read_text(encoding="utf-8")
ENTRIES: list[Entry] = json.loads(SURFACE)
TOOLS = {entry["tool"]["name"]: entry for entry in ENTRIES}


def toolsets() -> list[Toolset]:
    return [import_module(module).TOOLS for module in TOOLSETS]


SPECS = {name: (toolset, spec) for toolset in toolsets() for name, spec in toolset.specs.items()}
each_tool = pytest.mark.parametrize("name", TOOLS)


def test_the_published_list_is_what_the_functions_say() -> None:
    assert dumps(snap()) == SURFACE, "run scripts/snap"


def test_every_toolset_has_a_name_and_a_description() -> None:
    assert {toolset.name: toolset.description for toolset in toolsets()} == snapshot(
        {
            "agents": "Create, inspect, change and rehearse voice agents.",
            "conversations": "Find, read, judge and delete conversations, and let people start them.",
            "widget": "See and dress the widget through which agents talk on web pages.",
            "knowledge": "Add, read, rename and delete the documents that agents know.",
            "phone": "Import phone numbers and choose which agent answers them.",
            "secrets": "Keep the secrets that agents' tools and webhooks use.",
            "tools": "Store the tools that agents call: webhooks, client tools, system tools.",
            "llms": "Choose language models and voices, and estimate what models cost.",
            "pronunciation": "Keep and try out the dictionaries that say how words are spoken.",
            "tests": "Test single replies of agents, and run such tests.",
            "mcp_servers": "Connect MCP servers whose tools agents may call.",
            "calls": "Call people: one, or many in a batch.",
            "workspace": "Settings that hold for every agent of the workspace.",
            "server": "See where the server works, and review or undo its changes.",
        }
    )
    assert all(entry["toolset"] == SPECS[name][0].name for name, entry in TOOLS.items())


VERBS = {
    "list", "get", "create", "update", "delete", "import", "simulate", "undo", "describe", "run", "resubmit",
    "duplicate", "upload", "send", "save", "calculate", "show", "place", "submit", "cancel", "retry",
    "validate", "explain", "preview", "start", "end", "add",
}  # fmt: skip


@each_tool
def test_names_are_a_verb_and_a_noun(name: str) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert name.split("_", maxsplit=1)[0] in VERBS
    assert len(name) <= 40


@each_tool
def test_descriptions_are_short_sentences(name: str) -> None:
    tool = TOOLS[name]["tool"]
    text = tool["description"]
    assert 20 <= len(text) <= 240
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
    assert len(re.findall(r"[.!?](?= |$)", text)) <= 3
    assert 3 <= len(tool["title"]) <= 40


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every object inside a schema."""
    if isinstance(schema, dict):
        inside = cast(dict[str, Any], schema)
        yield inside
        for value in inside.values():
            yield from nodes(value)
    for item in cast(list[object], schema) if isinstance(schema, list) else ():
        yield from nodes(item)


@each_tool
def test_input_schemas_are_plain_enough_for_every_host(name: str) -> None:
    schema = TOOLS[name]["tool"]["inputSchema"]
    assert schema["type"] == "object"
    assert schema.get("additionalProperties") is not True  # an unknown argument is refused, said or unsaid
    assert set(schema.get("required", [])) <= set(schema["properties"])
    assert {"api", "ctx"}.isdisjoint(schema["properties"])
    for node in (schema, *nodes(list(schema["properties"].values()))):
        assert {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"}.isdisjoint(node)
        assert not isinstance(node.get("type"), list)


@each_tool
def test_every_argument_is_described_in_a_few_words(name: str) -> None:
    for argument in TOOLS[name]["tool"]["inputSchema"]["properties"].values():
        assert 4 <= len(argument["description"]) <= 90
        assert "type" in argument


@each_tool
def test_all_four_hints_are_there_and_reading_is_exact(name: str) -> None:
    hints = TOOLS[name]["tool"]["annotations"]
    assert hints.keys() == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    spec = SPECS[name][1]
    assert hints["readOnlyHint"] is (
        all(op.effect == "read" for op in spec.sends) and not (spec.writes_file or spec.stops)
    )
    assert not (hints["readOnlyHint"] and hints["destructiveHint"])


def test_what_destroys_repeats_or_reaches_out_is_known_by_name() -> None:
    def having(hint: str) -> list[str]:
        return [name for name, entry in TOOLS.items() if entry["tool"]["annotations"][hint]]

    assert having("destructiveHint") == snapshot(
        [
            "update_agent",
            "delete_agent",
            "delete_conversation",
            "upload_avatar",
            "update_document",
            "delete_document",
            "delete_rag_index",
            "update_phone_number",
            "delete_phone_number",
            "update_secret",
            "delete_secret",
            "delete_auth_connection",
            "update_tool",
            "update_destinations",
            "delete_tool",
            "add_pronunciation_dictionary",
            "update_agent_test",
            "delete_agent_test",
            "update_mcp_server",
            "delete_mcp_server",
            "update_mcp_approval_policy",
            "delete_mcp_tool_approval",
            "update_mcp_tool_config",
            "delete_mcp_tool_config",
            "place_call",
            "submit_batch_call",
            "cancel_batch_call",
            "retry_batch_call",
            "update_workspace_settings",
            "update_dashboard_settings",
            "cancel_task",
            "undo_change",
        ]
    )
    assert sorted(TOOLS.keys() - set(having("idempotentHint"))) == snapshot(
        [
            "add_pronunciation_dictionary",
            "create_agent",
            "create_agent_test",
            "create_auth_connection",
            "create_file_document",
            "create_mcp_server",
            "create_mcp_tool_approval",
            "create_mcp_tool_config",
            "create_rag_index",
            "create_secret",
            "create_test_from_conversation",
            "create_text_document",
            "create_tool",
            "create_url_document",
            "duplicate_agent",
            "end_conversation",
            "get_agent_link",
            "get_session_token",
            "get_signed_url",
            "import_phone_number",
            "place_call",
            "resubmit_test_invocation",
            "retry_batch_call",
            "run_agent_tests",
            "send_feedback",
            "send_message",
            "simulate_conversation",
            "start_conversation",
            "submit_batch_call",
        ]
    )
    assert having("openWorldHint") == snapshot(["place_call", "submit_batch_call", "retry_batch_call"])


@each_tool
def test_results_are_described(name: str) -> None:
    schema = TOOLS[name]["tool"]["outputSchema"]
    assert schema["type"] == "object"
    assert schema["properties"]


@each_tool
def test_a_tool_changes_one_thing(name: str) -> None:
    """The others declare several and send one: as a stream or whole, of an agent or of a tool, a change taken back."""
    spec = SPECS[name][1]
    changing = [op for op in spec.sends if op.effect != "read"]
    assert len(changing) <= 1 or name in (
        "simulate_conversation",
        "place_call",
        "add_pronunciation_dictionary",
        "undo_change",
        "update_destinations",
    )
    assert TOOLS[name]["effect"] == spec.effect


BY_METHOD = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def test_hosts_that_take_forty_tools_take_the_everyday_ones() -> None:
    """With the three that find and run the others. A toolset that is not for every day has none of them."""
    assert sum(entry["default"] for entry in ENTRIES) + 3 <= 40
    by_default = {entry["toolset"] for entry in ENTRIES if entry["default"]}
    assert by_default.isdisjoint({"widget", "workspace", "mcp_servers", "pronunciation"})


def test_effects_that_the_method_does_not_imply_are_pinned() -> None:
    unusual = {op.__name__: op.effect for op in all_operations() if op.effect != BY_METHOD[op.method]}
    assert unusual == snapshot(
        {
            "GetAgentLink": "grant",
            "UploadAvatar": "update",
            "GetSignedUrl": "grant",
            "GetSessionToken": "grant",
            "SummariseAgentTests": "read",
            "CallBySip": "dial",
            "CallByTwilio": "dial",
            "SubmitBatchCall": "dial",
            "CancelBatchCall": "delete",
            "RetryBatchCall": "dial",
            "CreatePhoneNumber": "secret",
            "CreateSecret": "secret",
            "UpdateSecret": "secret",
            "CreateAuthConnection": "secret",
            "UpdateAuthConnection": "secret",
            "CalculateLlmUsage": "read",
            "CalculateAgentLlmUsage": "read",
            "SetDictionaryRules": "update",
            "AddDictionaryRules": "update",
            "RemoveDictionaryRules": "update",
        }
    )
    assert {op.effect for op in all_operations()} <= set(get_args(Effect))


def test_every_operation_has_a_tool_or_a_reason() -> None:
    """And the table of coverage names both."""
    operations = {f"{op.method} {op.path}" for op in all_operations()} | {SOCKET.operation}
    reached = {operation for entry in TOOLS.values() for operation in entry["operations"]}
    assert reached | set(WITHOUT_TOOL) == operations
    assert reached & set(WITHOUT_TOOL) == set()
    table = coverage_table([*TOOLS.values()])
    assert sorted(line.split("`")[1] for line in table.splitlines()[2:]) == sorted(operations)
    assert "| none: a picture for browsers; get_widget names its address |" in table
    assert "| `place_call` |" in table


def test_the_readme_says_which_tools_ask_for_some_settings() -> None:
    rows = {row.split("`")[1]: row.split(" | ")[3] for row in tool_table([*TOOLS.values()]).splitlines()[2:]}
    assert [name for name, asked in rows.items() if asked == "auto approved; guarded settings ask"] == snapshot(
        [
            "create_agent",
            "update_agent",
            "simulate_conversation",
            "create_url_document",
            "update_phone_number",
            "create_tool",
            "update_tool",
            "update_destinations",
            "add_pronunciation_dictionary",
            "run_agent_tests",
            "resubmit_test_invocation",
            "create_mcp_server",
            "update_mcp_server",
            "update_mcp_approval_policy",
            "create_mcp_tool_approval",
            "create_mcp_tool_config",
            "update_mcp_tool_config",
            "update_workspace_settings",
            "undo_change",
        ]
    )
    assert rows["update_document"] == "auto approved"
    assert rows["delete_agent"] == "requires approval"


def test_every_tool_that_updates_a_document_says_that_null_clears() -> None:
    saying = {
        name: "null clears" in config["description"]
        for name, entry in TOOLS.items()
        if entry["effect"] == "update" and (config := entry["tool"]["inputSchema"]["properties"].get("config"))
    }
    assert saying == dict.fromkeys(
        [
            "update_agent",
            "update_tool",
            "update_agent_test",
            "update_mcp_server",
            "update_mcp_tool_config",
            "update_workspace_settings",
        ],
        True,
    )


@each_tool
def test_what_can_ask_says_what_it_would_do(name: str) -> None:
    toolset, spec = SPECS[name]
    asks = {op.__name__ for op in spec.sends if op.effect in ASKING or op.guarded}
    assert asks - {op.__name__ for op in toolset.previews} == set()


def test_only_the_servers_own_notes_are_read_without_the_platform() -> None:
    assert tuple(name for name, (_, spec) in SPECS.items() if not spec.sends) == OWN_NOTES


@pytest.mark.anyio
async def test_what_the_list_says_of_approval_is_what_happens(app: App) -> None:
    """Under the strictest mode every tool that reaches the platform says that it asks."""
    strict = Policy("always-ask")
    assert [name for name, e in TOOLS.items() if strict.of_tool(name, e["effect"]) != "requires_approval"] == [
        *OWN_NOTES
    ]
    async with reach(app) as (client, _):
        listed = {tool.name: tool for tool in (await client.list_tools()).tools if tool.name in TOOLS}
        assert facts(await client.call_tool("get_status", {}))["approval"] == "fine-grained"
    assert sorted(
        name for name, tool in listed.items() if (tool.meta or {})["callwright/approval"] != "auto_approved"
    ) == (
        snapshot(
            [
                "cancel_batch_call",
                "create_auth_connection",
                "create_secret",
                "delete_agent",
                "delete_agent_test",
                "delete_auth_connection",
                "delete_conversation",
                "delete_document",
                "delete_mcp_server",
                "delete_mcp_tool_approval",
                "delete_mcp_tool_config",
                "delete_phone_number",
                "delete_rag_index",
                "delete_secret",
                "delete_tool",
                "get_agent_link",
                "get_session_token",
                "get_signed_url",
                "import_phone_number",
                "place_call",
                "retry_batch_call",
                "submit_batch_call",
                "update_secret",
            ]
        )
    )
    offering = [name for name, tool in listed.items() if "approval_token" in tool.input_schema["properties"]]
    assert sorted(offering) == [name for name in sorted(listed) if TOOLS[name]["effect"] == "delete"]
