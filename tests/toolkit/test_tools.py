"""What a model reads when a call is wrong, and what a call may look like and still be right."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

from callwright.app import App
from callwright.surface import built

from ..transports import ERAS, facts, reach, server, settings, text, unknown

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


async def error(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text(result)
    said = text(result)
    assert len(re.findall(r"\w+|[^\w\s]", said)) <= 90, f"long: {said}"
    assert "Traceback" not in said
    return said


async def errors(client: Client, calls: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, str]:
    return {name: await error(client, tool, **arguments) for name, (tool, arguments) in calls.items()}


async def test_wrong_arguments(client: Client) -> None:
    made = {"name": "Ada", "prompt": "p"}
    assert await errors(
        client,
        {
            "misspelt": ("create_agent", {**made, "first_mesage": "Hi"}),
            "of another tool": ("get_agent", {"agent_id": "a", "value": "x"}),
            "a tool without arguments": ("list_llms", {"page_size": 3}),
            "an injected one": ("get_agent", {"agent_id": "a", "api": "x"}),
            "a token that this tool does not take": ("get_agent", {"agent_id": "a", "approval_token": "x"}),
            "missing": ("create_agent", {"name": "Ada"}),
            "all missing": ("create_secret", {}),
            "text for a number": ("list_agents", {"page_size": "many"}),
            "number for text": ("create_agent", {**made, "first_message": 7}),
            "null for what is required": ("create_agent", {"name": None, "prompt": "p"}),
            "list for text": ("create_agent", {"name": ["Ada"], "prompt": "p"}),
            "text for a list": ("create_agent", {**made, "tags": "vip"}),
            "list for an object": ("create_agent", {**made, "config": [1]}),
            "no JSON": ("create_agent", {**made, "config": "{not json"}),
            "too small": ("list_agents", {"page_size": 0}),
            "too large": ("list_agents", {"page_size": 101}),
            "too hot": ("create_agent", {**made, "temperature": 1.5}),
            "too long": ("create_agent", {"name": "x" * 201, "prompt": "p"}),
            "not a choice": ("list_documents", {"type": "pdf"}),
            "not a phone number": (
                "import_phone_number",
                {"phone_number": "555-1234", "label": "x", "twilio_sid": "a", "twilio_token": "b"},
            ),
            "neither of two": ("import_phone_number", {"phone_number": "+15551234567", "label": "x"}),
            "both of two": ("create_text_document", {"text": "x", "path": "x.txt"}),
            "nothing to change": ("update_agent", {"agent_id": "agent_1"}),
            "a file where none may be read": ("create_text_document", {"path": "/etc/passwd"}),
        },
    ) == snapshot(
        {
            "misspelt": "Unknown argument 'first_mesage'; did you mean 'first_message'?",
            "of another tool": "Unknown argument 'value'; known: agent_id, parts.",
            "a tool without arguments": "Unknown argument 'page_size'; known: none.",
            "an injected one": "Unknown argument 'api'; known: agent_id, parts.",
            "a token that this tool does not take": "Unknown argument 'approval_token'; known: agent_id, parts.",
            "missing": "prompt is required.",
            "all missing": "name is required.",
            "text for a number": "page_size: input should be a valid integer, unable to parse string as an integer.",
            "number for text": "first_message: input should be a valid string.",
            "null for what is required": "name: input should be a valid string.",
            "list for text": "name: input should be a valid string.",
            "text for a list": "tags: input should be a valid list.",
            "list for an object": "config: input should be an object.",
            "no JSON": "config: input should be an object.",
            "too small": "page_size: input should be greater than or equal to 1.",
            "too large": "page_size: input should be less than or equal to 100.",
            "too hot": "temperature: input should be less than or equal to 1.",
            "too long": "name: string should have at most 200 characters.",
            "not a choice": "type: input should be 'text', 'file' or 'url'.",
            "not a phone number": "phone_number does not fit; wanted: with country code, as +15551234567.",
            "neither of two": "Give twilio_sid, or sip_outbound and/or sip_inbound; not both kinds.",
            "both of two": "Give either text or path.",
            "nothing to change": "Nothing to change: give at least one argument besides agent_id.",
            "a file where none may be read": "This server touches no files: its operator can open folders with CALLWRIGHT_FILE_ROOTS.",
        }
    )


async def test_wrong_configurations(client: Client, either_platform: str) -> None:
    def with_config(config: Any, **more: Any) -> tuple[str, dict[str, Any]]:
        return "create_agent", {"name": "Ada", "prompt": "p", "config": config, **more}

    assert await errors(
        client,
        {
            "unknown section": with_config({"conversation": {}}),
            "a value deep inside": with_config({"conversation_config": {"tts": {"speed": 9}}}),
            "a type deep inside": with_config({"conversation_config": {"turn": {"turn_timeout": "soon"}}}),
            "a list deep inside": with_config(
                {"conversation_config": {"agent": {"prompt": {"tools": [{"type": "webhook"}]}}}}
            ),
            "said twice": with_config({"conversation_config": {"agent": {"language": "de"}}}, language="en"),
            "not an object": with_config({"conversation_config": {"tts": "loud"}}, voice_id="v"),
            "an unknown document": ("create_agent", {"name": "Ada", "prompt": "p", "document_ids": ["doc_9"]}),
            "an address of the inside": with_config(
                {"conversation_config": {"agent": {"prompt": {"custom_llm": {"url": "http://127.0.0.1/v1"}}}}}
            ),
        },
    ) == {
        "unknown section": "config.conversation is unknown; did you mean config.conversation_config.conversation?",
        "a value deep inside": "conversation_config.tts.speed: input should be less than or equal to 1.2.",
        "a type deep inside": "conversation_config.turn.turn_timeout: input should be a valid number, unable to parse string as a number.",
        "a list deep inside": "conversation_config.agent.prompt.tools.0.name is required. conversation_config.agent.prompt.tools.0.description is required. conversation_config.agent.prompt.tools.0.api_schema is required.",
        "said twice": "language is also set in config.conversation_config.agent.language: say it once.",
        "not an object": "config.conversation_config.tts must be an object.",
        "an unknown document": unknown(either_platform, "document", "doc_9"),
        "an address of the inside": "conversation_config.agent.prompt.custom_llm.url: 127.0.0.1 leads into a private network or to this machine. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE.",
    }


PATHS = ["../secrets", "a/b", "..", ".", "", "a b", "a?x=1", "a#b", "%2e%2e%2fsecrets", "x" * 200, "ä", "a\nb"]
BY_ID = {
    "get_agent": "agent_id",
    "update_agent": "agent_id",
    "delete_agent": "agent_id",
    "simulate_conversation": "agent_id",
    "start_conversation": "agent_id",
    "send_message": "conversation_id",
    "end_conversation": "conversation_id",
    "run_agent_tests": "agent_id",
    "place_call": "agent_id",
    "create_test_from_conversation": "conversation_id",
    "get_test_invocation": "invocation_id",
    "get_conversation": "conversation_id",
    "delete_conversation": "conversation_id",
    "get_document": "document_id",
    "get_document_content": "document_id",
    "update_document": "document_id",
    "delete_document": "document_id",
    "get_phone_number": "phone_number_id",
    "update_phone_number": "phone_number_id",
    "delete_phone_number": "phone_number_id",
    "update_secret": "secret_id",
    "delete_secret": "secret_id",
    "undo_change": "change_id",
    "get_task": "task_id",
    "cancel_task": "task_id",
}
OWN = ("undo_change", "get_task", "cancel_task", "send_message", "end_conversation")
"""They look an id up in what the server itself knows."""
NEEDED: dict[str, dict[str, Any]] = {
    "update_agent": {"name": "Bob"},
    "simulate_conversation": {"caller": "Hello"},
    "run_agent_tests": {"test_ids": ["test_1"], "wait_seconds": 0},
    "send_message": {"text": "Hello"},
    "place_call": {"phone_number_id": "phnum_1", "to_number": "+15551234567"},
    "create_test_from_conversation": {"name": "Polite", "condition": "polite", "turn": 1},
    "update_document": {"name": "Other"},
    "update_phone_number": {"unassign": True},
    "update_secret": {"name": "crm", "value": "abc"},
}


def test_every_everyday_tool_that_takes_an_id_is_in_the_table() -> None:
    required = {e["tool"]["name"]: e["tool"]["inputSchema"].get("required", []) for e in built() if e["default"]}
    taking = {name for name, needs in required.items() if any(n.endswith("_id") for n in needs)}
    assert taking - BY_ID.keys() == set()


@pytest.mark.parametrize("path", PATHS)
async def test_an_id_reaches_no_other_endpoint(client: Client, path: str) -> None:
    for tool, argument in BY_ID.items():
        if tool not in OWN:
            said = await error(client, tool, **{argument: path}, **NEEDED.get(tool, {}))
            assert said.startswith(f"{argument} does not fit; wanted: from ")


async def test_ids_in_lists_reach_no_other_endpoint(client: Client) -> None:
    said = await error(client, "create_agent", name="Ada", prompt="p", document_ids=["../secrets"])
    assert said == snapshot("documentation_id: string should match pattern '^[A-Za-z0-9_-]{1,128}$'.")


@pytest.mark.parametrize("era", ERAS)
async def test_unknown_ids(app: App, era: str) -> None:
    async with reach(app, era, says="yes") as (client, asked):
        calls = {tool: (tool, {argument: "nope_1", **NEEDED.get(tool, {})}) for tool, argument in BY_ID.items()}
        assert await errors(client, calls) == {
            "get_agent": unknown(app.platform, "agent", "nope_1"),
            "update_agent": unknown(app.platform, "agent", "nope_1"),
            "delete_agent": unknown(app.platform, "agent", "nope_1"),
            "simulate_conversation": unknown(app.platform, "agent", "nope_1"),
            "start_conversation": unknown(app.platform, "agent", "nope_1"),
            "send_message": "No open conversation has this id. One is left open for 15 minutes after the last call, and not beyond a restart of the server. get_conversation shows its transcript; start_conversation begins another.",
            "end_conversation": "No open conversation has this id. One is left open for 15 minutes after the last call, and not beyond a restart of the server. get_conversation shows its transcript; start_conversation begins another.",
            "run_agent_tests": unknown(app.platform, "agent", "nope_1"),
            "place_call": unknown(app.platform, "phone number", "phnum_1"),
            "create_test_from_conversation": unknown(app.platform, "conversation", "nope_1"),
            "get_test_invocation": unknown(app.platform, "test invocation", "nope_1"),
            "get_conversation": unknown(app.platform, "conversation", "nope_1"),
            "delete_conversation": unknown(app.platform, "conversation", "nope_1"),
            "get_document": unknown(app.platform, "document", "nope_1"),
            "get_document_content": unknown(app.platform, "document", "nope_1"),
            "update_document": unknown(app.platform, "document", "nope_1"),
            "delete_document": unknown(app.platform, "document", "nope_1"),
            "get_phone_number": unknown(app.platform, "phone number", "nope_1"),
            "update_phone_number": unknown(app.platform, "phone number", "nope_1"),
            "delete_phone_number": unknown(app.platform, "phone number", "nope_1"),
            "update_secret": "No secret 'nope_1'. list_secrets shows them.",
            "delete_secret": "No secret 'nope_1'. list_secrets shows them.",
            "undo_change": "No change 'nope_1'. list_changes shows them.",
            "get_task": "No such task. Its answer is kept for an hour, and not beyond a restart of the server.",
            "cancel_task": "No such task. Its answer is kept for an hour, and not beyond a restart of the server.",
        }
    assert asked == []


RARER: dict[str, tuple[str, dict[str, Any]]] = {
    "list_tools": ("get_tool", {"tool_id": "nope_1"}),
    "list_agent_tests": ("get_agent_test", {"test_id": "nope_1"}),
    "list_test_invocations": ("get_test_invocation", {"invocation_id": "nope_1"}),
    "list_mcp_servers": ("get_mcp_server", {"mcp_server_id": "nope_1"}),
    "list_batch_calls": ("get_batch_call", {"batch_id": "nope_1"}),
}


async def test_unknown_ids_of_what_is_not_offered_every_day(tmp_path: Path, either_platform: str) -> None:
    async with reach(server(settings(tmp_path, toolsets=("all",)))) as (client, _):
        listing = {tool.name for tool in (await client.list_tools()).tools}
        said = await errors(client, RARER)
    assert said.keys() <= listing
    assert said == {
        "list_tools": unknown(either_platform, "tool", "nope_1"),
        "list_agent_tests": unknown(either_platform, "test", "nope_1"),
        "list_test_invocations": unknown(either_platform, "test invocation", "nope_1"),
        "list_mcp_servers": unknown(either_platform, "MCP server", "nope_1"),
        "list_batch_calls": unknown(either_platform, "batch", "nope_1"),
    }


CURSORS = ["x", "", "null", "AAAA", "ZZZ=", "W10=", "eyJhIjoxfQ==", "WzFlOTk5LCAieCJd", "WzEsIDJd", "é"]


@pytest.mark.parametrize("tool", ["list_agents", "list_conversations", "list_documents", "list_changes"])
@pytest.mark.parametrize("cursor", CURSORS)
async def test_a_bad_cursor_says_how_to_begin_again(client: Client, tool: str, cursor: str) -> None:
    if cursor == "":
        assert facts(await client.call_tool(tool, {"cursor": cursor})) is not None
        return
    said = await error(client, tool, cursor=cursor)
    assert "cursor" in said.lower()
    assert cursor not in said or len(cursor) < 3


@pytest.mark.parametrize("era", ERAS)
async def test_objects_and_lists_may_come_as_json_text(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        config = {"conversation_config": {"tts": {"speed": 1.1}}}
        asked = {"name": "Ada", "prompt": "p", "tags": '["vip", "de"]', "config": json.dumps(config)}
        made = facts(await client.call_tool("create_agent", asked))
        speed = {"agent_id": made["agent_id"], "parts": ["conversation_config.tts.speed"]}
        assert made["tags"] == ["vip", "de"]
        assert facts(await client.call_tool("get_agent", speed))["parts"] == {"conversation_config.tts.speed": 1.1}


@pytest.mark.parametrize("word", ["null", "true", "7", '{"a": 1}', "[1]", '"quoted"'])
async def test_a_text_that_looks_like_json_stays_a_text(client: Client, word: str) -> None:
    made = facts(await client.call_tool("create_agent", {"name": word, "prompt": word, "first_message": word}))
    assert (made["name"], made["prompt"], made["first_message"]) == (word, word, word)
    document = facts(await client.call_tool("create_text_document", {"text": word, "name": word}))
    content = await client.call_tool("get_document_content", {"document_id": document["document_id"]})
    assert facts(content)["text"] == word


async def test_null_stands_for_an_absent_optional_argument(client: Client) -> None:
    made = {"name": "Ada", "prompt": "p", "first_message": None, "tags": None, "config": None}
    assert facts(await client.call_tool("create_agent", made))["name"] == "Ada"
    assert "agents" in facts(await client.call_tool("list_agents", {"search": None, "cursor": None}))


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_tool_is_an_error_of_the_protocol_that_names_it(app: App, era: str) -> None:
    async with reach(app, era) as (client, _):
        with pytest.raises(MCPError, match=r"^Unknown tool: get_agents\. Did you mean get_agent\?$") as refused:
            await client.call_tool("get_agents", {})
    assert refused.value.code == INVALID_PARAMS
