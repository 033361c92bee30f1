"""Stored tools through the MCP client: everyday arguments, either dialect, approval, undo."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.engine.helpers import JSON
from tests.transports import ERAS, MODERN, Clock, Says, facts, numbered, reach, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]


@asynccontextmanager
async def served(
    home: Path, clock: Clock, era: str = MODERN, says: Says | None = "yes", **chosen: Any
) -> AsyncGenerator[tuple[Client, list[str]]]:
    app = server(settings(home, toolsets=("all",), **chosen), clock=clock, ids=numbered())
    async with reach(app, era, says) as found:
        yield found


async def call(client: Client, tool: str, /, **arguments: Any) -> JSON:
    return facts(await client.call_tool(tool, arguments))


async def refusal(client: Client, tool: str, /, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return text(answer)


async def stored(client: Client, tool_id: str) -> JSON:
    """The whole tool, as the platform has it."""
    return (await call(client, "get_tool", tool_id=tool_id, parts=["tool_config"]))["parts"]["tool_config"]


async def undo(client: Client, tool: str) -> JSON:
    """Take back what this tool changed."""
    changes = (await call(client, "list_changes"))["changes"]
    change = next(change for change in changes if change["tool"] == tool)
    return await call(client, "undo_change", change_id=change["change_id"])


EVERYDAY: JSON = {
    "name": "find_slot",
    "description": "Finds a free slot.",
    "url": "https://crm.example.com/{shop}/slots",
    "parameters": {
        "type": "object",
        "properties": {
            "shop": {"type": "string", "description": "Which shop."},
            "day": {"type": "string", "description": "Which day.", "enum": ["monday", "friday"]},
            "limit": {"type": "integer", "const": 5},
        },
        "required": ["shop", "day"],
    },
}


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_is_made_of_everyday_arguments(tmp_path: Path, clock: Clock, era: str) -> None:
    async with served(tmp_path, clock, era) as (client, asked):
        key = (await call(client, "create_secret", name="CRM", value="v"))["secret_id"]
        made = await call(client, "create_tool", **EVERYDAY, headers={"authorization": {"secret_id": key}})
        whole = await stored(client, made["tool_id"])
        secrets = (await call(client, "list_secrets"))["secrets"]
        agent = await call(
            client, "create_agent", name="Ada", prompt="Help.",
            config={"conversation_config": {"agent": {"prompt": {"tool_ids": [made["tool_id"]]}}}},
        )  # fmt: skip
        users = await call(client, "list_tool_agents", tool_id=made["tool_id"])
    assert made == snapshot(
        {
            "tool_id": "tool_2",
            "name": "find_slot",
            "kind": "webhook",
            "description": "Finds a free slot.",
            "url": "https://crm.example.com/{shop}/slots",
            "method": "GET",
            "headers": ["authorization: secret_id secret_1"],
            "parameters": [
                "shop (string, path, required): Which shop.",
                "day (string, query, required): Which day.",
                "limit (integer, query): constant_value 5",
            ],
            "timeout_secs": 20,
            "notes": [],
        }
    )
    assert whole["api_schema"] == snapshot(
        {
            "url": "https://crm.example.com/{shop}/slots",
            "method": "GET",
            "path_params_schema": {"shop": {"type": "string", "description": "Which shop."}},
            "query_params_schema": {
                "properties": {
                    "day": {"type": "string", "description": "Which day.", "enum": ["monday", "friday"]},
                    "limit": {"type": "integer", "constant_value": 5},
                },
                "required": ["day"],
            },
            "request_body_schema": None,
            "request_headers": {"authorization": {"secret_id": "secret_1"}},
            "auth_connection": None,
        }
    )
    assert secrets == [{"secret_id": key, "name": "CRM", "used_by": ["find_slot"]}]
    assert users == {"has_more": False, "agents": [{"agent_id": agent["agent_id"], "name": "Ada"}]}
    assert asked[1] == snapshot(
        "Store the webhook tool 'find_slot' for agents to call. It sets tool_config.api_schema.query_params_schema.properties.limit.constant_value = 5; tool_config.api_schema.request_headers = {authorization: {secret_id: 'secret_1'}}; tool_config.api_schema.url = 'https://crm.example.com/{shop}/slots'."
    )


async def test_what_the_request_cannot_carry_in_its_address_goes_in_the_body(tmp_path: Path, clock: Clock) -> None:
    parameters = {
        "type": "object",
        "properties": {
            "shop": {"type": "string", "description": "Which shop."},
            "people": {
                "type": "array",
                "description": "Who comes.",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string", "description": "Name.", "minLength": 1}},
                    "required": ["name"],
                },
            },
        },
        "required": ["people"],
    }
    async with served(tmp_path, clock) as (client, _):
        made = await call(client, "create_tool", **EVERYDAY | {"method": "POST", "parameters": parameters})
        client_tool = await call(
            client, "create_tool", name="show", description="Shows.", kind="client", parameters=parameters
        )
        system = await call(client, "create_tool", name="end_call", kind="system")
    assert made["parameters"] == snapshot(
        [
            "shop (string, path, required): Which shop.",
            "people (array, body, required): Who comes.",
            "people[].name (string, body, required): Name.",
        ]
    )
    assert made["notes"] == snapshot(
        [
            "parameters.properties.people.items.properties.name.minLength is not kept: the platform's schemas have no such word."
        ]
    )
    assert client_tool["parameters"] == snapshot(
        [
            "shop (string): Which shop.",
            "people (array, required): Who comes.",
            "people[].name (string, required): Name.",
        ]
    )
    assert (system["kind"], system["name"]) == ("system", "end_call")


REFUSED: dict[str, tuple[JSON, str]] = {
    "nothing": ({}, snapshot("kind is required: webhook (with url), client or system.")),
    "no description": ({"name": "t", "url": "https://x.example/y"}, snapshot("tool_config.description is required.")),
    "said twice": (
        {**EVERYDAY, "config": {"api_schema": {"url": "https://x.example"}}},
        snapshot("url is also set in config.api_schema.url: say it once."),
    ),
    "parameters twice": (
        {**EVERYDAY, "config": {"api_schema": {"query_params_schema": {"properties": {}}}}},
        snapshot("parameters is also set in config.api_schema.query_params_schema: say it once."),
    ),
    "no schema": (
        {**EVERYDAY, "parameters": {"day": {"type": "string"}}},
        snapshot("parameters must be an object's JSON schema: {type: object, properties: {…}, required: […]}."),
    ),
    "a union": (
        {**EVERYDAY, "parameters": {"properties": {"day": {"anyOf": [{"type": "string"}]}}}},
        snapshot("parameters.properties.day.type must be one of string, integer, number, boolean, object, array."),
    ),
    "an object in an address": (
        {**EVERYDAY, "parameters": {"properties": {"day": {"type": "object", "properties": {}}}}},
        snapshot("parameters.properties.day: an address holds only plain values; use method POST for the others."),
    ),
    "a mistyped name": (
        {**EVERYDAY, "config": {"response_timeout_sec": 5}},
        snapshot(
            "Unknown name 'tool_config.response_timeout_sec'; did you mean 'response_timeout_secs'? Nothing was sent. describe_config tells the names."
        ),
    ),
    "a method that is none": (
        {**EVERYDAY, "method": "FETCH"},
        snapshot("method does not fit; wanted: GET, POST, PUT, PATCH or DELETE."),
    ),
    "a kind that is none": (
        {**EVERYDAY, "kind": "mcp"},
        snapshot("kind does not fit; wanted: webhook, client or system."),
    ),
    "a value nobody fills in": (
        {**EVERYDAY, "parameters": {"properties": {"day": {"type": "string"}}}},
        snapshot(
            "tool_config.api_schema.query_params_schema.properties.day: Say where the value comes from: description (the model fills it in), dynamic_variable, constant_value or is_system_provided"
        ),
    ),
    "a place inside": (
        {**EVERYDAY, "url": "https://localhost/x"},
        snapshot(
            "tool_config.api_schema.url: localhost is a name of this machine or of a private network. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE."
        ),
    ),
    "a secret that is not there": (
        {**EVERYDAY, "headers": {"k": {"secret_id": "secret_no"}}},
        snapshot("tool_config.api_schema.request_headers.k.secret_id: There is no secret 'secret_no'."),
    ),
    "a header that is no text": (
        {**EVERYDAY, "headers": {"k": 7}},
        snapshot(
            'tool_config.api_schema.request_headers.k: must be a text, {"secret_id": "..."} or {"variable_name": "..."}.'
        ),
    ),
}
REMEDIES = {"a secret that is not there": " list_secrets shows them."}
"""What is added where the platform is embedded. The problems of a hosted one name no resource."""


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_tool_is_refused_with_the_place_and_what_is_allowed(
    tmp_path: Path, clock: Clock, case: str, either_platform: str
) -> None:
    arguments, words = REFUSED[case]
    remedy = REMEDIES.get(case, "") if either_platform == "embedded" else ""
    async with served(tmp_path, clock) as (client, _):
        said = await refusal(client, "create_tool", **arguments)
        assert said.endswith(remedy)
        assert said.removesuffix(remedy) == words
        assert (await call(client, "list_tools"))["tools"] == []


async def test_an_update_keeps_what_it_does_not_name_and_can_be_undone(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, asked):
        made = (await call(client, "create_tool", **EVERYDAY, config={"response_timeout_secs": 9}))["tool_id"]
        before = await stored(client, made)
        changed = await call(
            client, "update_tool", tool_id=made, description="Finds slots.", config={"response_timeout_secs": None}
        )
        after = await stored(client, made)
        await undo(client, "update_tool")
        assert await stored(client, made) == before
    assert after == before | {"description": "Finds slots.", "response_timeout_secs": 20}
    assert changed["changed"] == snapshot(
        [
            {"path": "tool_config.description", "before": "Finds a free slot.", "after": "Finds slots."},
            {"path": "tool_config.response_timeout_secs", "before": "9", "after": "(cleared)"},
        ]
    )
    assert asked[1:] == snapshot([])


async def test_an_address_that_stays_asks_nobody_and_a_new_one_does(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, asked):
        made = (await call(client, "create_tool", **EVERYDAY))["tool_id"]
        begun = len(asked)
        same = await call(client, "update_tool", tool_id=made, name="slots", url=EVERYDAY["url"])
        plan = await call(client, "update_tool", tool_id=made, url="https://elsewhere.example.com/", dry_run=True)
        moved = await call(client, "update_tool", tool_id=made, url="https://elsewhere.example.com/")
    assert (same["name"], moved["url"]) == ("slots", "https://elsewhere.example.com/")
    assert plan["dry_run"]["needs_approval"] == snapshot("it sets tool_config.api_schema.url")
    assert asked[begun:] == snapshot(
        [
            "Change tool 'slots' (tool_1), which no agent can call: api_schema.url. It sets tool_config.api_schema.method = 'GET'; tool_config.api_schema.query_params_schema.properties.limit.constant_value = 5; tool_config.api_schema.request_headers = {}; tool_config.api_schema.url = 'https://elsewhere.example.com/'."
        ]
    )


async def test_new_parameters_replace_the_old_ones_whole(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, _):
        made = (await call(client, "create_tool", **EVERYDAY))["tool_id"]
        parameters = {"properties": {"shop": {"type": "string", "description": "Shop."}}}
        changed = await call(client, "update_tool", tool_id=made, parameters=parameters)
        planned = await call(client, "update_tool", tool_id=made, name="other", dry_run=True)
        assert (await stored(client, made))["name"] == "find_slot"
    assert changed["parameters"] == ["shop (string, path, required): Shop."]
    assert planned["dry_run"]["would"] == snapshot(
        "Change tool 'find_slot' (tool_1), which no agent can call: name. It sets tool_config.api_schema.method = 'GET'; tool_config.api_schema.request_headers = {}; tool_config.api_schema.url = 'https://crm.example.com/{shop}/slots'."
    )


async def test_a_deleted_tool_is_made_again_by_undo(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, asked):
        made = (await call(client, "create_tool", **EVERYDAY))["tool_id"]
        before = await stored(client, made)
        assert await call(client, "delete_tool", tool_id=made) == {"deleted": made, "name": "find_slot", "also": []}
        again = await undo(client, "delete_tool")
        assert await stored(client, again["target"]) == before
    assert asked[1:] == snapshot(
        [
            "Delete tool 'find_slot' (tool_1) for good.",
            "Create the deleted tool 'find_slot' again, as it was, under a new id. It sets tool_config.api_schema.auth_connection = nothing; tool_config.api_schema.method = 'GET'; tool_config.api_schema.query_params_schema.properties.limit.constant_value = 5; tool_config.api_schema.request_headers = {}; tool_config.api_schema.url = 'https://crm.example.com/{shop}/slots'.",
        ]
    )


async def test_tools_are_listed_page_by_page(tmp_path: Path, clock: Clock) -> None:
    async with served(tmp_path, clock) as (client, _):
        for n in range(5):
            await call(client, "create_tool", **EVERYDAY | {"name": f"find_{n}"})
        await call(client, "create_tool", name="end_call", kind="system")
        first = await call(client, "list_tools", search="FIND", page_size=3)
        second = await call(client, "list_tools", search="FIND", page_size=3, cursor=first["next_cursor"])
    assert first["tools"][0] == snapshot(
        {"tool_id": "tool_5", "name": "find_4", "kind": "webhook", "description": "Finds a free slot."}
    )
    assert [row["name"] for page in (first, second) for row in page["tools"]] == [f"find_{n}" for n in (4, 3, 2, 1, 0)]
    assert second["has_more"] is False


async def test_a_key_that_is_kept_as_text_is_noted_and_never_shown(tmp_path: Path, clock: Clock) -> None:
    key = "sk-live-4711"
    async with served(tmp_path, clock) as (client, asked):
        answer = await client.call_tool("create_tool", EVERYDAY | {"headers": {"X-API-Key": key}})
        made = facts(answer)
        shown = await client.call_tool("get_tool", {"tool_id": made["tool_id"], "parts": ["$"]})
    assert made["notes"] == snapshot(
        ["api_schema.request_headers.X-API-Key holds its value in the clear; store it as a secret."]
    )
    assert made["headers"] == ["X-API-Key: text"]
    assert key not in str(asked) + str(answer) + str(shown)
