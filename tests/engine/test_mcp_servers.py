from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.errors import NotFound
from callwright.contract.mcp_servers import (
    CreateMcpServer,
    CreateMcpToolConfig,
    DeleteMcpServer,
    DeleteMcpToolConfig,
    GetMcpServer,
    GetMcpToolConfig,
    ListMcpServers,
    UpdateMcpServer,
    UpdateMcpToolConfig,
)
from callwright.contract.secrets import DeleteSecret

from .helpers import JSON, agent, change, dump, problems, refused, secret

pytestmark = pytest.mark.anyio

PATH = "/v1/convai/mcp-servers"


async def made(api: ApiClient, **config: Any) -> str:
    """The id of a new server."""
    return (await api.send(CreateMcpServer.model_validate({"config": {**CONFIG, **config}}))).id


async def read(api: ApiClient, id: str) -> JSON:
    return dump(await api.send(GetMcpServer(mcp_server_id=id)))


CONFIG: JSON = {"name": "Calendar", "url": "https://mcp.example.com/mcp"}


async def test_a_server_reads_back_as_it_was_created(api: ApiClient) -> None:
    token = await secret(api)
    created = dump(
        await api.send(
            CreateMcpServer.model_validate(
                {"config": {**CONFIG, "secret_token": {"secret_id": token}, "request_headers": {"X-Team": "desk"}}}
            )
        )
    )
    assert created == snapshot(
        {
            "id": "mcpsrv_2",
            "config": {
                "approval_policy": "require_approval_all",
                "tool_approval_hashes": [],
                "transport": "STREAMABLE_HTTP",
                "url": "https://mcp.example.com/mcp",
                "secret_token": {"secret_id": "secret_1"},
                "request_headers": {"X-Team": "desk"},
                "name": "Calendar",
                "description": "",
                "force_pre_tool_speech": False,
                "disable_interruptions": False,
                "tool_config_overrides": [],
            },
            "access_info": {"is_creator": True, "creator_name": "You", "creator_email": "", "role": "admin"},
            "dependent_agents": [],
            "metadata": {"created_at": 1800000000, "owner_user_id": None},
        }
    )
    assert await read(api, created["id"]) == created
    assert dump(await api.send(ListMcpServers())) == {"mcp_servers": [created]}
    assert isinstance(await refused(api, GetMcpServer(mcp_server_id="mcp_no")), NotFound)


@pytest.mark.parametrize(
    ("address", "transport"),
    [
        ("https://a.example/mcp", "STREAMABLE_HTTP"),
        ("https://a.example/sse", "SSE"),
        ("https://a.example/v1/sse/?k=1", "SSE"),
    ],
)
async def test_the_transport_follows_from_the_address_unless_it_is_said(
    api: ApiClient, address: str, transport: str
) -> None:
    assert (await read(api, await made(api, url=address)))["config"]["transport"] == transport
    assert (await read(api, await made(api, url=address, transport="SSE")))["config"]["transport"] == "SSE"


async def test_an_update_changes_what_it_names_and_null_resets(api: ApiClient) -> None:
    server = await made(api, request_headers={"X-Team": "desk"}, disable_interruptions=True)
    changed = {"request_headers": {"X-New": "1"}, "response_timeout_secs": 30, "disable_interruptions": None}
    answer = dump(await api.send(UpdateMcpServer.model_validate({"mcp_server_id": server, **changed})))
    assert answer == await read(api, server)
    config = answer["config"]
    assert (config["request_headers"], config["response_timeout_secs"]) == ({"X-New": "1"}, 30)
    assert (config["disable_interruptions"], config["approval_policy"]) == (False, "require_approval_all")


async def test_deleting_a_server_in_use_names_the_agents(api: ApiClient) -> None:
    server = await made(api)
    ada = await agent(api, {"agent": {"prompt": {"mcp_server_ids": [server]}}}, name="Ada")
    assert [user["id"] for user in (await read(api, server))["dependent_agents"]] == [ada]
    error = await refused(api, DeleteMcpServer(mcp_server_id=server))
    assert (error.status, error.code) == (400, "mcp_server_in_use")
    assert str(error) == f"MCP server 'Calendar' is used by 'Ada' ({ada}). Take it out there first."
    await change(api, ada, conversation_config={"agent": {"prompt": {"mcp_server_ids": []}}})
    await api.send(DeleteMcpServer(mcp_server_id=server))
    assert isinstance(await refused(api, GetMcpServer(mcp_server_id=server)), NotFound)


async def test_an_agent_is_not_given_a_server_that_does_not_exist_nor_any_under_zero_retention(
    api: ApiClient, wire: AsyncClient
) -> None:
    body = {"conversation_config": {"agent": {"prompt": {"mcp_server_ids": ["mcp_no"]}}}}
    assert problems(await wire.post("/v1/convai/agents/create", json=body)) == [
        "body.conversation_config.agent.prompt.mcp_server_ids.0: There is no mcp_server 'mcp_no'."
    ]
    body = {
        "conversation_config": {"agent": {"prompt": {"mcp_server_ids": [await made(api)]}}},
        "platform_settings": {"privacy": {"zero_retention_mode": True}},
    }
    answer = await wire.post("/v1/convai/agents/create", json=body)
    assert answer.status_code == 400
    assert (
        answer.json()["detail"]["message"] == "Zero retention allows no MCP servers: what they are sent, they may keep."
    )


async def test_a_secret_that_a_server_uses_is_not_deleted(api: ApiClient) -> None:
    token = await secret(api)
    server = await made(api, secret_token={"secret_id": token})
    assert server in str(await refused(api, DeleteSecret(secret_id=token)))
    await api.send(UpdateMcpServer.model_validate({"mcp_server_id": server, "secret_token": None}))
    await api.send(DeleteSecret(secret_id=token))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"url": "http://mcp.example.com"}, "config.url: An address must be https, except on hosts that CALLWRIGHT_ALLOW_PRIVATE names."),
        ({"url": {"secret_id": "secret_1"}}, "config.url: The secret holds no address that may be called."),
        ({"url": {"secret_id": "secret_no"}}, "config.url.secret_id: There is no secret 'secret_no'."),
        ({"secret_token": {"secret_id": "secret_no"}}, "config.secret_token.secret_id: There is no secret 'secret_no'."),
        (
            {"secret_token": {"id": "u", "name": "u", "encrypted_value": "x", "nonce": "y"}},
            'config.secret_token: Point to a workspace secret: {"secret_id": "..."}.',
        ),
        ({"approval_policy": "yolo"}, "config.approval_policy: Allowed: auto_approve_all, require_approval_all, require_approval_per_tool."),
        ({"transport": "STDIO"}, "config.transport: Allowed: SSE, STREAMABLE_HTTP."),
        (
            {"tool_approval_hashes": [{"tool_name": "a", "tool_hash": "h", "approval_policy": "no"}]},
            "config.tool_approval_hashes.0.approval_policy: Allowed: auto_approved, requires_approval.",
        ),
    ],
)  # fmt: skip
async def test_what_could_not_be_called_is_refused_at_its_place(
    api: ApiClient, wire: AsyncClient, config: JSON, said: str
) -> None:
    await secret(api, value="http://169.254.169.254/canary-4711")
    answer = await wire.post(PATH, json={"config": {**CONFIG, **config}})
    assert problems(answer) == [f"body.{said}"]
    assert "4711" not in answer.text
    assert (await wire.get(PATH)).json() == {"mcp_servers": []}


async def test_an_update_leaves_address_and_approvals_alone(api: ApiClient, wire: AsyncClient) -> None:
    server = await made(api)
    before = (await read(api, server))["config"]
    approved = [{"tool_name": "book", "tool_hash": "h", "approval_policy": "auto_approved"}]
    body: JSON = {"url": 1e308, "name": None, "tool_approval_hashes": approved, "tool_config_overrides": [7]}
    assert problems(await wire.patch(f"{PATH}/{server}", json=body)) == snapshot(
        [
            "body.url: It stays as it was created; create a new server.",
            "body.name: It stays as it was created; create a new server.",
            "body.tool_approval_hashes: Approve each tool by itself, as it was shown.",
            "body.tool_config_overrides: Configure each tool by itself.",
        ]
    )
    again = {name: before[name] for name in body}
    assert (await wire.patch(f"{PATH}/{server}", json=again)).json()["config"] == before
    configured = {"config": {**CONFIG, "tool_config_overrides": "x"}}
    assert problems(await wire.post(PATH, json=configured)) == snapshot(
        ["body.config.tool_config_overrides: Configure each tool by itself."]
    )


async def test_an_update_is_checked_like_a_new_server(api: ApiClient, wire: AsyncClient) -> None:
    server = await made(api)
    body = {
        "auth_connection": {"auth_connection_id": "auth_1"},
        "request_headers": {"X-Key": {"env_var_label": "KEY"}, "X-Id": {"variable_name": "id"}},
        "request_meta": {"key": {"env_var_label": "KEY"}, "team": {"variable_name": "team"}, "plain": 1},
        "approval_policy": "yolo",
    }
    assert problems(await wire.patch(f"{PATH}/{server}", json=body)) == snapshot(
        [
            "body.approval_policy: Allowed: auto_approve_all, require_approval_all, require_approval_per_tool.",
            "body.auth_connection: MCP servers take no auth connection here; use secret_token.",
            'body.request_headers.X-Key: This platform sends texts, secrets ({"secret_id": "..."}) and variables ({"variable_name": "..."}) here.',
            "body.request_meta.key: This platform has no environment variables.",
        ]
    )
    assert (await read(api, server))["config"]["request_headers"] == {}


async def test_a_tool_is_configured_and_reads_back(api: ApiClient) -> None:
    server = await made(api)
    body = {"tool_name": "book", "execution_mode": "async", "input_overrides": {"at": {"source": "constant", "constant_value": "09:00"}}}  # fmt: skip
    asked = CreateMcpToolConfig.model_validate({"mcp_server_id": server, **body})
    answer = dump(await api.send(asked))
    one = GetMcpToolConfig(mcp_server_id=server, tool_name="book")
    config = dump(await api.send(one))
    assert answer["config"]["tool_config_overrides"] == [config]
    assert config == snapshot(
        {
            "tool_name": "book",
            "force_pre_tool_speech": None,
            "pre_tool_speech": None,
            "disable_interruptions": None,
            "interruption_mode": None,
            "tool_call_sound": None,
            "tool_call_sound_behavior": None,
            "execution_mode": "async",
            "response_timeout_secs": None,
            "assignments": [],
            "input_overrides": {"at": {"source": "constant", "constant_value": "09:00"}},
            "response_mocks": None,
        }
    )
    assert "configured already" in str(await refused(api, asked))
    gone = dump(await api.send(DeleteMcpToolConfig(mcp_server_id=server, tool_name="book")))
    assert gone["config"]["tool_config_overrides"] == []
    assert isinstance(await refused(api, one), NotFound)


async def test_an_update_of_a_tool_keeps_what_it_leaves_out(api: ApiClient, wire: AsyncClient) -> None:
    server = await made(api)
    ids = {"mcp_server_id": server, "tool_name": "book"}
    await api.send(CreateMcpToolConfig.model_validate({**ids, "execution_mode": "async", "response_timeout_secs": 30}))
    await api.send(UpdateMcpToolConfig.model_validate({**ids, "response_timeout_secs": None, "pre_tool_speech": "off"}))
    config = dump(await api.send(GetMcpToolConfig(mcp_server_id=server, tool_name="book")))
    assert {k: v for k, v in config.items() if v not in (None, [])} == {
        "tool_name": "book", "execution_mode": "async", "pre_tool_speech": "off",
    }  # fmt: skip
    missing = UpdateMcpToolConfig.model_validate({**ids, "tool_name": "none", "execution_mode": "async"})
    assert isinstance(await refused(api, missing), NotFound)
    path = f"{PATH}/{server}/tool-configs/book"
    mocks = {"response_mocks": [{"mock_result": "x", "parameter_conditions": [{"path": "a", "eval": {"type": "regex", "pattern": "("}}]}]}  # fmt: skip
    [problem] = problems(await wire.patch(path, json=mocks))
    assert problem.startswith("body.response_mocks.0.parameter_conditions.0.eval.pattern: ")
    elsewhere = await wire.patch(f"{path}?environment=staging", json={"execution_mode": "async"})
    assert elsewhere.status_code == 400
