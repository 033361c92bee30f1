"""The rules of auth connections: what is kept, what is shown, and what is refused."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.agent_tools import CreateTool, DeleteTool
from callwright.contract.auth_connections import (
    CreateAuthConnection,
    DeleteAuthConnection,
    ListAuthConnections,
    UpdateAuthConnection,
)
from callwright.engine.store.auth_connections import StoredLogin, login_of
from callwright.engine.store.transaction import Tx

from .helpers import JSON, agent, change, dump, problems, refused

pytestmark = pytest.mark.anyio

AT = "/v1/workspace/auth-connections"
CANARY = "canary-9c1d"
OAUTH: JSON = {
    "auth_type": "oauth2_client_credentials", "name": "Salesforce", "provider": "salesforce", "client_id": "id-1",
    "client_secret": CANARY, "token_url": "https://login.example.com/services/oauth2/token", "scopes": ["api", "full"],
    "extra_params": {"grant_type": "client_credentials"}, "custom_headers": {"X-Key": "canary-header"},
}  # fmt: skip


async def connection(api: ApiClient, **fields: Any) -> str:
    found: Any = await api.send(CreateAuthConnection.model_validate(OAUTH | fields))
    return found.id


def tool(connection_id: str) -> JSON:
    login = {"auth_connection_id": connection_id}
    schema = {"url": "https://crm.example.com/", "auth_connection": login}
    return {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": schema}


async def opened(app: App, id: str) -> StoredLogin:
    """The login, by the route that uses it."""
    await app.api()
    engine: Any = await app.host.engine()

    def work(tx: Tx) -> StoredLogin:
        return login_of(tx, id)

    return await engine.unit("default").read(work)


async def test_a_connection_is_listed_without_its_secret(app: App, api: ApiClient, wire: AsyncClient) -> None:
    made = await wire.post(AT, json=OAUTH)
    assert made.json() == snapshot(
        {
            "id": "authconn_1",
            "name": "Salesforce",
            "auth_type": "oauth2_client_credentials",
            "provider": "salesforce",
            "client_id": "id-1",
            "token_url": "https://login.example.com/services/oauth2/token",
            "scopes": ["api", "full"],
            "extra_params": {"grant_type": "client_credentials"},
            "used_by": {"tools": [], "mcp_servers": [], "integration_connections": [], "agents": []},
        }
    )
    assert (await wire.get(AT)).json() == {"auth_connections": [made.json()]}
    login = await opened(app, made.json()["id"])
    assert (login.secret, login.custom_headers) == (CANARY, {"X-Key": "canary-header"})
    assert "canary" not in made.text + repr(login)
    files = [file for file in app.settings.home.rglob("*") if file.is_file()]
    assert files
    assert not any(b"canary" in file.read_bytes() for file in files)


async def test_each_kind_is_kept_with_its_own_settings(app: App, api: ApiClient, wire: AsyncClient) -> None:
    kinds: tuple[JSON, ...] = (
        {"auth_type": "basic_auth", "username": "ann", "password": CANARY},
        {"auth_type": "bearer_auth", "token": CANARY},
        {"auth_type": "custom_header_auth", "header_name": "X-Api-Key", "token": CANARY},
    )
    for kind in kinds:
        made = (await wire.post(AT, json=kind | {"name": kind["auth_type"], "provider": "own"})).json()
        shown = {key: value for key, value in made.items() if key not in ("id", "name", "provider", "used_by")}
        assert shown == {key: value for key, value in kind.items() if value != CANARY}
        assert (await opened(app, made["id"])).secret == CANARY


async def test_what_cannot_log_in_is_refused_with_every_problem(api: ApiClient, wire: AsyncClient) -> None:
    async def said(**fields: Any) -> list[str]:
        body = {"name": "n", "provider": "p", **fields}
        return problems(await wire.post(AT, json=body))

    oauth: JSON = {name: value for name, value in OAUTH.items() if name != "custom_headers"}
    assert {
        "another kind": await said(auth_type="private_key_jwt", issuer="i", audience="a", subject="s", secret_key="k"),
        "nothing": await said(auth_type="oauth2_client_credentials"),
        "of another kind": await said(auth_type="bearer_auth", token="t", username="ann"),
        "inside": await said(**oauth | {"token_url": "https://10.0.0.1/token"}),
        "two lines": await said(auth_type="bearer_auth", token="a\r\nX-Evil: 1"),
        "no header": await said(auth_type="custom_header_auth", token="t", header_name="Host"),
        "a colon": await said(auth_type="basic_auth", username="a:b", password="p"),
        "parameters": await said(**oauth | {"extra_params": {"client_secret": "s", "grant_type": "password"}}),
        "scopes": await said(**oauth | {"scopes": ["a b"]}),
        "headers": await said(**oauth | {"custom_headers": {"Authorization": "x", "X-Two": "a\nb"}}),
    } == snapshot(
        {
            "another kind": [
                "body.auth_type: This platform logs in by oauth2_client_credentials, basic_auth, bearer_auth, custom_header_auth alone."
            ],
            "nothing": [
                "body.client_id: It is needed for this auth_type.",
                "body.token_url: It is needed for this auth_type.",
                "body.client_secret: It is needed for this auth_type.",
            ],
            "of another kind": ["body.username: It is no setting of this auth_type."],
            "inside": [
                "body.token_url: 10.0.0.1 leads into a private network or to this machine. The operator can allow it with CALLWRIGHT_ALLOW_PRIVATE."
            ],
            "two lines": ["body.token: What goes into a header is one line of Latin characters."],
            "no header": ["body.header_name: This header cannot be set."],
            "a colon": ["body.username: A colon would end it."],
            "parameters": [
                "body.extra_params: client_id, client_secret and scope have fields of their own.",
                "body.extra_params: The grant_type of this auth_type is client_credentials.",
            ],
            "scopes": ["body.scopes: Each is one word, without quotation marks and backslashes."],
            "headers": [
                "body.custom_headers: The header 'Authorization' cannot be set.",
                "body.custom_headers: What goes into a header is one line of Latin characters.",
            ],
        }
    )
    assert (await wire.get(AT)).json() == {"auth_connections": []}


async def test_a_name_is_taken_once(api: ApiClient) -> None:
    await connection(api)
    error = await refused(api, CreateAuthConnection.model_validate(OAUTH))
    assert (error.status, str(error)) == snapshot(
        (400, "An auth connection named 'Salesforce' exists (authconn_1). Delete it, or choose another name.")
    )


async def test_an_update_changes_what_it_names(app: App, api: ApiClient, wire: AsyncClient) -> None:
    made = await connection(api)
    changed = await wire.patch(
        f"{AT}/{made}",
        json={"auth_type": OAUTH["auth_type"], "scopes": ["api"], "extra_params": {"grant_type": None, "a": "b"}},
    )
    assert changed.json() == (await wire.get(AT)).json()["auth_connections"][0]
    assert (changed.json()["scopes"], changed.json()["extra_params"]) == (["api"], {"a": "b"})
    login = await opened(app, made)
    assert (login.version, login.secret, login.custom_headers) == (2, CANARY, {"X-Key": "canary-header"})
    await wire.patch(f"{AT}/{made}", json={"auth_type": OAUTH["auth_type"], "client_secret": "new"})
    assert ((await opened(app, made)).version, (await opened(app, made)).secret) == (3, "new")


@pytest.mark.parametrize("fields", [{"auth_type": "bearer_auth", "token": "t"}, {"scopes": ["a b"]}])
async def test_an_update_that_would_not_log_in_changes_nothing(app: App, api: ApiClient, fields: JSON) -> None:
    made = await connection(api)
    op = UpdateAuthConnection.model_validate(
        {"auth_connection_id": made, "auth_type": OAUTH["auth_type"], "client_secret": "new", **fields}
    )
    assert (await refused(api, op)).status in (400, 422)
    assert ((await opened(app, made)).version, (await opened(app, made)).secret) == (1, CANARY)


async def test_an_update_does_not_move_a_secret_to_another_address(app: App, api: ApiClient, wire: AsyncClient) -> None:
    made = await connection(api)
    evil = "https://evil.example.com/token"
    answer = await wire.patch(f"{AT}/{made}", json={"auth_type": OAUTH["auth_type"], "token_url": evil})
    assert problems(answer) == ["body.token_url: It never changes."]
    assert (await opened(app, made)).settings["token_url"] == OAUTH["token_url"]


async def test_a_tool_names_a_connection_that_exists(api: ApiClient) -> None:
    made = await connection(api)
    stored = await api.send(CreateTool.model_validate({"tool_config": tool(made)}))
    kept = dump(stored)["tool_config"]["api_schema"]["auth_connection"]
    assert kept == {"auth_connection_id": made}
    error = await refused(api, CreateTool.model_validate({"tool_config": tool("authconn_no")}))
    assert (error.status, str(error)) == snapshot(
        (
            422,
            "body.tool_config.api_schema.auth_connection.auth_connection_id: There is no auth_connection 'authconn_no'.",
        )
    )
    ada = await agent(api, {"agent": {"prompt": {"tools": [tool(made)]}}}, name="Ada")
    [listed] = (await api.send(ListAuthConnections())).auth_connections
    assert {kind: [user["name"] for user in users] for kind, users in dump(listed)["used_by"].items()} == snapshot(
        {"tools": ["crm"], "agents": ["Ada"], "mcp_servers": [], "integration_connections": []}
    )
    assert ada


async def test_deleting_a_connection_in_use_names_its_users(api: ApiClient) -> None:
    made = await connection(api)
    stored = await api.send(CreateTool.model_validate({"tool_config": tool(made)}))
    ada = await agent(api, {"agent": {"prompt": {"tools": [tool(made)]}}}, name="Ada")
    error = await refused(api, DeleteAuthConnection(auth_connection_id=made))
    assert (error.status, error.code, str(error)) == snapshot(
        (
            400,
            "auth_connection_in_use",
            "Auth connection 'Salesforce' is used by tool 'crm' (tool_2), agent 'Ada' (agent_3). Take it out there first.",
        )
    )
    await change(api, ada, conversation_config={"agent": {"prompt": {"tools": []}}})
    await api.send(DeleteTool(tool_id=stored.id))
    await api.send(DeleteAuthConnection(auth_connection_id=made))
    assert (await api.send(ListAuthConnections())).auth_connections == []
    assert (await refused(api, DeleteAuthConnection(auth_connection_id=made))).status == 404
