"""Auth connections through the MCP client: made without the model seeing their secret, used, and let go of."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.transports import ERAS, Clock, facts, numbered, reach, server, settings, text

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

SECRET = "canary-4711"
LOGIN = {
    "auth_type": "oauth2_client_credentials", "client_id": "c", "token_url": "https://login.example/token",
    "scopes": ["api"],
}  # fmt: skip


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    return facts(await client.call_tool(tool, arguments))


@pytest.mark.parametrize("era", ERAS)
async def test_a_login_is_stored_used_and_deleted(tmp_path: Path, clock: Clock, era: str) -> None:
    near = settings(tmp_path, toolsets=("all",), secret_env={"CRM": SECRET})
    async with reach(server(near, clock=clock, ids=numbered()), era, "yes") as (client, asked):
        made = await call(client, "create_auth_connection", name="CRM", login=LOGIN, value_env="CRM")
        id = made["auth_connection_id"]
        schema = {"url": "https://crm.example/x", "auth_connection": {"auth_connection_id": id}}
        hook = {"type": "webhook", "name": "crm", "description": "d", "api_schema": schema}
        tool = (await call(client, "create_tool", config=hook))["tool_id"]
        listed = await call(client, "list_auth_connections")
        refused = text(await client.call_tool("delete_auth_connection", {"auth_connection_id": id}))
        await call(client, "delete_tool", tool_id=tool)
        gone = await call(client, "delete_auth_connection", auth_connection_id=id)
        again = text(await client.call_tool("delete_auth_connection", {"auth_connection_id": id}))
    assert listed["auth_connections"] == snapshot(
        [
            {
                "auth_connection_id": "authconn_1",
                "name": "CRM",
                "auth_type": "oauth2_client_credentials",
                "used_by": ["'crm' (tool_2)"],
            }
        ]
    )
    assert (refused, again) == snapshot(
        (
            "Auth connection 'CRM' is used by 'crm' (tool_2). Take it out there first.",
            "No auth connection 'authconn_1'. list_auth_connections shows them.",
        )
    )
    assert gone["name"] == "CRM"
    assert SECRET not in str((made, listed, asked))
    assert asked == snapshot(
        [
            "Store the oauth2_client_credentials login 'CRM', whose secret (11 characters) is sent to https://login.example/token. It sets token_url = 'https://login.example/token'.",
            "Store the webhook tool 'crm' for agents to call. It sets tool_config.api_schema.auth_connection = {auth_connection_id: 'authconn_1'}; tool_config.api_schema.url = 'https://crm.example/x'.",
            "Delete tool 'crm' (tool_2) for good.",
            "Delete the auth connection 'CRM' (authconn_1) for good.",
        ]
    )


@pytest.mark.parametrize(
    ("login", "said"),
    [
        ({}, "login.auth_type must be one of: oauth2_client_credentials (with client_id, token_url;"),
        (LOGIN | {"auth_type": "mtls"}, "login.auth_type must be one of: oauth2_client_credentials"),
        (LOGIN | {"client_secret": SECRET}, "Take client_secret out of login: a name is an argument"),
    ],
)
async def test_a_login_brings_no_secret_and_is_of_a_kind_that_there_is(
    tmp_path: Path, clock: Clock, login: dict[str, Any], said: str
) -> None:
    near = settings(tmp_path, toolsets=("all",), secret_env={"CRM": SECRET})
    async with reach(server(near, clock=clock, ids=numbered()), says="yes") as (client, asked):
        arguments = {"name": "CRM", "login": login, "value_env": "CRM"}
        refused = text(await client.call_tool("create_auth_connection", arguments))
    assert refused.startswith(said)
    assert SECRET not in refused
    assert asked == []
