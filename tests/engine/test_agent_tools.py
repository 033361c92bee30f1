"""The rules of stored tools."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agent_tests import DeleteAgentTest, UpdateAgentTest
from callwright.contract.agent_tools import CreateTool, DeleteTool, GetTool, ListToolDependents, ListTools, UpdateTool
from callwright.contract.agents import DeleteAgent
from callwright.contract.errors import NotFound
from callwright.contract.secrets import DeleteSecret, ListSecrets
from tests.contract.facts import assert_answer

from .helpers import JSON, agent, change, dump, problems, refused, secret, workflow
from .test_agent_tests import CALL
from .test_agent_tests import made as a_test

pytestmark = pytest.mark.anyio

BASE = "/v1/convai/tools"


def webhook(name: str = "look_up", **schema: Any) -> JSON:
    api = {"url": "https://crm.example.com/find", **schema}
    return {"type": "webhook", "name": name, "description": "Finds a booking.", "api_schema": api}


async def make(api: ApiClient, config: JSON | None = None) -> str:
    """The id of a new tool."""
    made = await api.send(CreateTool.model_validate({"tool_config": config or webhook()}))
    return made.id


def using(*tool_ids: str) -> JSON:
    return {"agent": {"prompt": {"tool_ids": list(tool_ids)}}}


async def test_a_tool_reads_back_as_it_was_created(wire: AsyncClient) -> None:
    asked = webhook(
        url="https://crm.example.com/{id}",
        method="POST",
        path_params_schema={"id": {"type": "string", "description": "Booking."}},
        request_body_schema={"type": "object", "properties": {"day": {"type": "string", "description": "Day."}}},
        request_headers={"x-team": "desk"},
        newer_field={"kept": True},
    )
    made = await wire.post(BASE, json={"tool_config": asked})
    assert_answer(CreateTool, 200, made.json())
    read = await wire.get(f"{BASE}/{made.json()['id']}")
    assert read.json() == made.json()
    assert read.json() == snapshot(
        {
            "id": "tool_1",
            "tool_config": {
                "response_timeout_secs": 20,
                "disable_interruptions": False,
                "force_pre_tool_speech": False,
                "assignments": [],
                "tool_call_sound": None,
                "tool_call_sound_behavior": "auto",
                "dynamic_variables": {"dynamic_variable_placeholders": {}},
                "execution_mode": "immediate",
                "api_schema": {
                    "method": "POST",
                    "path_params_schema": {"id": {"type": "string", "description": "Booking."}},
                    "query_params_schema": None,
                    "request_body_schema": {
                        "type": "object",
                        "properties": {"day": {"type": "string", "description": "Day."}},
                    },
                    "request_headers": {"x-team": "desk"},
                    "auth_connection": None,
                    "url": "https://crm.example.com/{id}",
                    "newer_field": {"kept": True},
                },
                "name": "look_up",
                "description": "Finds a booking.",
                "type": "webhook",
            },
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "usage_stats": {"total_calls": 0, "avg_latency_secs": 0.0},
        }
    )


async def test_tools_are_listed_newest_first(api: ApiClient, wire: AsyncClient) -> None:
    first = await make(api)
    second = await make(api, {"type": "client", "name": "show_map", "description": "Shows the map."})
    third = await make(api, {"type": "system", "name": "end_call"})
    listed = (await wire.get(BASE)).json()
    assert_answer(ListTools, 200, listed)
    assert [(tool["id"], tool["tool_config"]["type"]) for tool in listed["tools"]] == [
        (third, "system"),
        (second, "client"),
        (first, "webhook"),
    ]
    assert {key: value for key, value in listed.items() if key != "tools"} == {"has_more": False, "next_cursor": None}


async def test_an_update_replaces_the_whole_tool(api: ApiClient, wire: AsyncClient) -> None:
    key = await secret(api)
    made = await make(api, webhook(request_headers={"authorization": {"secret_id": key}}))
    answer = await wire.patch(f"{BASE}/{made}", json={"tool_config": webhook("find", method="POST")})
    assert_answer(UpdateTool, 200, answer.json())
    after = dump(await api.send(GetTool(tool_id=made)))
    assert after == answer.json()
    config = after["tool_config"]
    assert (config["name"], config["api_schema"]["method"], config["api_schema"]["request_headers"]) == (
        "find",
        "POST",
        {},
    )
    assert await api.send(DeleteSecret(secret_id=key)) is None


async def test_deleting_a_tool_in_use_names_the_agents(api: ApiClient) -> None:
    made = await make(api)
    ada = await agent(api, using(made), name="Ada")
    node: JSON = {"type": "override_agent", "label": "n", "additional_tool_ids": [made]}
    await agent(api, workflow=workflow(node), name="Bob")
    error = await refused(api, DeleteTool(tool_id=made))
    assert (error.status, error.code, str(error)) == snapshot(
        (400, "tool_in_use", "Tool 'look_up' is used by 'Ada' (agent_2), 'Bob' (agent_3). Take it out there first.")
    )
    lone = await make(api)
    await change(api, ada, conversation_config=using(lone))
    assert str(await refused(api, DeleteTool(tool_id=made))).count("agent_") == 1
    unused = await make(api)
    assert dump(await api.send(DeleteTool(tool_id=unused))) == {}
    assert isinstance(await refused(api, GetTool(tool_id=unused)), NotFound)


async def test_a_tool_that_a_test_looks_for_is_in_use(api: ApiClient) -> None:
    """Without it the test would fail for ever, whatever the agent does."""

    def looks_for(id: str, kind: str = "webhook") -> JSON:
        return CALL | {"name": "Looks up", "tool_call_parameters": {"referenced_tool": {"id": id, "type": kind}}}

    tool = await make(api)
    test = await a_test(api, looks_for(tool))
    error = await refused(api, DeleteTool(tool_id=tool))
    assert (error.code, str(error)) == (
        "tool_in_use",
        f"Tool 'look_up' is used by 'Looks up' ({test}). Take it out there first.",
    )
    await api.send(UpdateAgentTest.model_validate({"test_id": test, **looks_for("end_call", "system")}))
    assert dump(await api.send(DeleteTool(tool_id=tool))) == {}
    other = await make(api)
    await api.send(DeleteAgentTest(test_id=await a_test(api, looks_for(other, "client"))))
    assert dump(await api.send(DeleteTool(tool_id=other))) == {}


async def test_the_agents_that_use_a_tool_are_listed_page_by_page(api: ApiClient, wire: AsyncClient) -> None:
    made = await make(api)
    users = [await agent(api, using(made), name=name) for name in ("Ada", "Bob", "Cleo")]
    await agent(api, name="Dan")
    first = await wire.get(f"{BASE}/{made}/dependent-agents?page_size=2")
    assert_answer(ListToolDependents, 200, first.json())
    cursor = first.json()["next_cursor"]
    second = await wire.get(f"{BASE}/{made}/dependent-agents", params={"page_size": 2, "cursor": cursor})
    assert [row["id"] for page in (first, second) for row in page.json()["agents"]] == users
    assert (second.json()["has_more"], second.json()["next_cursor"]) == (False, None)
    assert (await wire.get(f"{BASE}/tool_no/dependent-agents")).status_code == 404


async def test_an_agent_takes_only_tools_that_exist(api: ApiClient, wire: AsyncClient) -> None:
    made = await make(api)
    body = {"conversation_config": using(made, "tool_no")}
    assert problems(await wire.post("/v1/convai/agents/create", json=body)) == snapshot(
        ["body.conversation_config.agent.prompt.tool_ids.1: There is no tool 'tool_no'."]
    )
    node = {"type": "override_agent", "label": "n", "additional_tool_ids": ["tool_no"]}
    body = {"conversation_config": {}, "workflow": workflow(node)}
    assert problems(await wire.post("/v1/convai/agents/create", json=body)) == snapshot(
        ["body.workflow.nodes.n.additional_tool_ids.0: There is no tool 'tool_no'."]
    )


async def test_a_secret_in_a_tool_is_in_use(api: ApiClient) -> None:
    key = await secret(api)
    made = await make(api, webhook(request_headers={"authorization": {"secret_id": key}}))
    [row] = (await api.send(ListSecrets())).secrets
    assert dump(row.used_by) == snapshot(
        {
            "tools": [
                {
                    "id": "tool_2",
                    "name": "look_up",
                    "type": "available",
                    "created_at_unix_secs": 1800000000,
                    "access_level": "admin",
                }
            ],
            "agents": [],
            "others": [],
            "phone_numbers": [],
            "mcp_servers": [],
        }
    )
    error = await refused(api, DeleteSecret(secret_id=key))
    assert (error.status, error.code, str(error)) == snapshot(
        (400, "secret_in_use", "Secret 'CRM' is used by tool 'look_up' (tool_2). Take it out there first.")
    )
    await api.send(DeleteTool(tool_id=made))
    assert await api.send(DeleteSecret(secret_id=key)) is None


async def test_an_agent_that_a_tool_hands_over_to_is_in_use(api: ApiClient) -> None:
    ada = await agent(api, name="Ada")
    transfers = [{"agent_id": ada, "condition": "asks for Ada"}]
    await make(api, {"type": "system", "name": "transfer_to_agent", "params": {"transfers": transfers}})
    assert str(await refused(api, DeleteAgent(agent_id=ada))) == snapshot(
        "Agent 'Ada' is handed callers by 'transfer_to_agent' (tool_2). Take that transfer out first."
    )


async def test_a_tool_in_an_editors_dialect_is_stored_in_the_apis(wire: AsyncClient) -> None:
    item = {
        "type": "string",
        "required": True,
        "value_type": "llm_prompt",
        "dynamic_variable": "",
        "constant_value": "",
    }
    asked = webhook(
        url="https://crm.example.com/{ticket}",
        path_params_schema=[{"id": "ticket", "description": "Number.", **item}],
        query_params_schema=[],
        request_body_schema={
            "id": "body",
            "type": "object",
            "description": "",
            "properties": [{"id": "text", "description": "What to add.", **item}],
        },
        request_headers=[{"type": "value", "name": "accept", "value": "application/json"}],
    )
    made = (await wire.post(BASE, json={"tool_config": {"id": "tool_7", **asked}})).json()
    assert made["warnings"] == snapshot(
        [
            "id tool_7 is not read; a new tool gets its own.",
            "api_schema.path_params_schema was a list; it became a map by name.",
            "api_schema.request_headers was a list; it became a map by name.",
            "api_schema.request_body_schema was written in an editor's way; lists of properties became maps by name.",
        ]
    )
    assert made["tool_config"]["api_schema"] == snapshot(
        {
            "method": "GET",
            "path_params_schema": {"ticket": {"type": "string", "description": "Number."}},
            "query_params_schema": None,
            "request_body_schema": {
                "type": "object",
                "required": ["text"],
                "description": "",
                "properties": {"text": {"type": "string", "description": "What to add."}},
            },
            "request_headers": {"accept": "application/json"},
            "auth_connection": None,
            "url": "https://crm.example.com/{ticket}",
        }
    )
    assert "warnings" not in (await wire.get(f"{BASE}/{made['id']}")).json()


REFUSED: dict[str, tuple[JSON, list[str]]] = {
    "a name that models refuse": (
        webhook("look up"),
        snapshot(["body.tool_config.name: A tool's name has 1 to 64 letters, digits, _ and -, as models demand"]),
    ),
    "a secret that is not there": (
        webhook(request_headers={"k": {"secret_id": "YOUR SECRET"}}),
        snapshot(["body.tool_config.api_schema.request_headers.k.secret_id: There is no secret 'YOUR SECRET'."]),
    ),
    "a host to be filled in": (
        webhook(url="https://your-subdomain.crm.example/x"),
        snapshot(["body.tool_config.api_schema.url: The host is a placeholder; put your own in its place"]),
    ),
    "a login that nothing can make": (
        webhook(auth_connection={"auth_connection_id": "auth_1"}),
        snapshot(
            ["body.tool_config.api_schema.auth_connection.auth_connection_id: There is no auth_connection 'auth_1'."]
        ),
    ),
    "a place inside": (
        webhook(url="https://169.254.169.254/latest"),
        snapshot(
            [
                "body.tool_config.api_schema.url: 169.254.169.254 leads to a cloud's metadata service, which is never called."
            ]
        ),
    ),
    "a value that nobody fills in": (
        webhook(query_params_schema={"properties": {"q": {"type": "string"}}}),
        snapshot(
            [
                "body.tool_config.api_schema.query_params_schema.properties.q: Say where the value comes from: description (the model fills it in), dynamic_variable, constant_value or is_system_provided"
            ]
        ),
    ),
    "a value with two sources": (
        webhook(path_params_schema={"q": {"type": "string", "description": "d", "constant_value": "c"}}),
        snapshot(
            [
                "body.tool_config.api_schema.path_params_schema.q: A value comes from one source, not from description and constant_value"
            ]
        ),
    ),
    "a type that is none": (
        webhook(query_params_schema={"properties": {"q": {"type": "text", "description": "d"}}}),
        snapshot(
            [
                "body.tool_config.api_schema.query_params_schema.properties.q.type: Input should be 'boolean', 'string', 'integer' or 'number'"
            ]
        ),
    ),
    "no address": (
        {"type": "webhook", "name": "t", "description": "", "api_schema": {}},
        snapshot(["body.tool_config.api_schema.url: Field required"]),
    ),
    "a kind that is no name": (
        {"type": {"a": 1}, "name": "t"},
        snapshot(["body.tool_config: 'type' must say which kind this is"]),
    ),
    "no kind": ({"name": "t", "description": ""}, snapshot(["body.tool_config: 'type' must say which kind this is"])),
    "a newer kind without a name": (
        {"type": "newer"},
        snapshot(["body.tool_config.name: A tool's name has 1 to 64 letters, digits, _ and -, as models demand"]),
    ),
    "a transfer to nobody": (
        {
            "type": "system",
            "name": "transfer_to_agent",
            "params": {"transfers": [{"agent_id": "agent_no", "condition": "c"}]},
        },
        snapshot(["body.tool_config.params.transfers.0.agent_id: There is no agent 'agent_no'."]),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_tool_that_cannot_work_is_refused(wire: AsyncClient, case: str) -> None:
    config, expected = REFUSED[case]
    assert problems(await wire.post(BASE, json={"tool_config": config})) == expected
    assert (await wire.get(BASE)).json()["tools"] == []


async def test_a_bad_update_changes_nothing(api: ApiClient, wire: AsyncClient) -> None:
    made = await make(api)
    before = (await wire.get(f"{BASE}/{made}")).json()
    answer = await wire.patch(f"{BASE}/{made}", json={"tool_config": webhook(url="http://10.0.0.1/")})
    assert len(problems(answer)) == 1
    assert (await wire.get(f"{BASE}/{made}")).json() == before


async def test_a_variable_in_a_host_needs_a_value_of_the_tools_own(api: ApiClient, wire: AsyncClient) -> None:
    open_host = webhook(url="https://{{shop}}.example.com/find")
    [said] = problems(await wire.post(BASE, json={"tool_config": open_host}))
    assert said.startswith("body.tool_config.api_schema.url: {{shop}} stands in the host")
    fixed = {"dynamic_variables": {"dynamic_variable_placeholders": {"shop": "north"}}}
    assert await make(api, open_host | fixed)
