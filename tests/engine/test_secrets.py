"""The rules of secrets: in, used, never out."""

from pathlib import Path

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot
from sqlalchemy import Connection, select, update

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.contract.errors import NotFound
from callwright.contract.mcp_servers import CreateMcpServer
from callwright.contract.phone_numbers import CreatePhoneNumber
from callwright.contract.secrets import DeleteSecret, ListSecrets, UpdateSecret
from callwright.engine.schema.tables import phone_number
from callwright.engine.schema.tables import secret as secrets
from callwright.engine.store.secrets import claim, reveal, rotate
from callwright.engine.store.transaction import Tx
from callwright.engine.store.vault import Vault, WrongKey
from callwright.engine.store.vault_key import vault_key
from callwright.net.guard import NOTHING_PRIVATE

from .helpers import agent, change, dump, refused, secret
from .test_phone_numbers import TWILIO

pytestmark = pytest.mark.anyio

OTHER = Vault(b"o" * 32)


def vault(app: App) -> Vault:
    return Vault(vault_key(app.settings))


async def value(app: App, id: str, key: Vault | None = None) -> str:
    """The value, by the route that uses it."""

    def work(db: Connection) -> str:
        return reveal(Tx(db, "default", key or vault(app), 0, lambda prefix: prefix, NOTHING_PRIVATE), id)

    return await (await app.database()).read(work)


async def test_a_created_secret_is_listed_without_its_value(app: App, api: ApiClient, wire: AsyncClient) -> None:
    made = await secret(api, "CRM", "canary-4711")
    listed = await wire.get("/v1/convai/secrets")
    assert listed.json() == snapshot(
        {
            "secrets": [
                {
                    "type": "stored",
                    "secret_id": "secret_1",
                    "name": "CRM",
                    "used_by": {"tools": [], "agents": [], "others": [], "phone_numbers": [], "mcp_servers": []},
                }
            ]
        }
    )
    assert await value(app, made) == "canary-4711"
    files = [file for file in app.settings.home.rglob("*") if file.is_file()]
    assert Path(app.settings.home / "vault.key") in files
    assert not any(b"canary-4711" in file.read_bytes() for file in files)


async def test_an_updated_secret_opens_to_its_new_value(app: App, api: ApiClient) -> None:
    made = await secret(api)
    op = UpdateSecret.model_validate({"secret_id": made, "type": "update", "name": "CRM 2", "value": "new"})
    assert dump(await api.send(op)) == {"type": "stored", "secret_id": made, "name": "CRM 2"}
    assert await value(app, made) == "new"
    assert [row.name for row in (await api.send(ListSecrets())).secrets] == ["CRM 2"]


async def test_a_name_is_taken_once(api: ApiClient) -> None:
    first, second = await secret(api, "one"), await secret(api, "two")
    op = UpdateSecret.model_validate({"secret_id": second, "type": "update", "name": "one", "value": "v"})
    error = await refused(api, op)
    assert (error.status, str(error)) == snapshot(
        (400, "A secret named 'one' exists (secret_1). Update it, or choose another name.")
    )
    assert [row.name for row in (await api.send(ListSecrets())).secrets] == ["one", "two"]
    same = UpdateSecret.model_validate({"secret_id": first, "type": "update", "name": "one", "value": "v"})
    assert (await api.send(same)).name == "one"


async def test_deleting_a_secret_in_use_names_its_users(api: ApiClient) -> None:
    made = await secret(api)
    headers = {"authorization": {"secret_id": made}}
    schema = {"url": "https://crm.example.com/", "request_headers": headers}
    tool = {"type": "webhook", "name": "t", "description": "", "api_schema": schema}
    ada = await agent(api, {"agent": {"prompt": {"tools": [tool]}}}, name="Ada")
    error = await refused(api, DeleteSecret(secret_id=made))
    assert (error.status, error.code, str(error)) == snapshot(
        (400, "secret_in_use", "Secret 'CRM' is used by agent 'Ada' (agent_2). Take it out there first.")
    )
    assert [
        user for row in (await api.send(ListSecrets())).secrets for user in dump(row.used_by)["agents"]
    ] == snapshot(
        [
            {
                "id": "agent_2",
                "name": "Ada",
                "type": "available",
                "created_at_unix_secs": 1800000000,
                "access_level": "admin",
            }
        ]
    )
    await change(api, ada, conversation_config={"agent": {"prompt": {"tools": []}}})
    assert await api.send(DeleteSecret(secret_id=made)) is None
    assert (await api.send(ListSecrets())).secrets == []
    assert isinstance(await refused(api, DeleteSecret(secret_id=made)), NotFound)


async def test_a_secret_of_an_mcp_server_is_listed_with_it(api: ApiClient) -> None:
    made = await secret(api)
    config = {"name": "Calendar", "url": "https://mcp.example.com/mcp", "secret_token": {"secret_id": made}}
    server = (await api.send(CreateMcpServer.model_validate({"config": config}))).id
    assert [row.used_by.mcp_servers for row in (await api.send(ListSecrets())).secrets] == [[server]]
    assert str(await refused(api, DeleteSecret(secret_id=made))) == (
        f"Secret 'CRM' is used by mcp_server '{server}' ({server}). Take it out there first."
    )


async def test_a_rotated_key_opens_everything_and_the_old_one_nothing(app: App, api: ApiClient) -> None:
    made = await secret(api, value="v1")
    await api.send(CreatePhoneNumber.model_validate(TWILIO))
    await elsewhere(app, made)
    database, old = await app.database(), vault(app)
    assert await database.write(lambda db: rotate(db, old, OTHER)) == 3
    assert await value(app, made, OTHER) == "v1"
    with pytest.raises(WrongKey, match="CALLWRIGHT_VAULT_KEY"):
        await value(app, made)
    with pytest.raises(WrongKey):
        await claim(database, old)
    await claim(database, OTHER)


async def elsewhere(app: App, id: str) -> None:
    """Another workspace of the same engine has a secret of the same id."""
    sealed = vault(app).seal("theirs", belongs_to=f"other/{id}")
    row = {"workspace": "other", "id": id, "name": "CRM", "sealed": sealed, "created_ms": 0}
    await (await app.database()).write(lambda db: db.execute(secrets.insert().values(**row)))


async def test_a_rotation_with_the_wrong_key_changes_nothing(app: App, api: ApiClient) -> None:
    made = await secret(api, value="v1")
    database = await app.database()
    with pytest.raises(WrongKey):
        await database.write(lambda db: rotate(db, OTHER, Vault(b"x" * 32)))
    assert await value(app, made) == "v1"


async def test_a_rotation_that_fails_half_way_changes_nothing(app: App, api: ApiClient) -> None:
    made = await secret(api, value="v1")
    await api.send(CreatePhoneNumber.model_validate(TWILIO))
    database, old = await app.database(), vault(app)
    await database.write(lambda db: db.execute(update(phone_number).values(sealed=b"damaged" * 10)))
    with pytest.raises(WrongKey):
        await database.write(lambda db: rotate(db, old, OTHER))
    assert await value(app, made) == "v1"


async def test_a_value_that_was_moved_to_another_row_does_not_open(app: App, api: ApiClient) -> None:
    one, two = await secret(api, "one", "v1"), await secret(api, "two", "v2")
    database = await app.database()
    mine = select(secrets.c.sealed).where(secrets.c.id == one).scalar_subquery()
    await database.write(lambda db: db.execute(update(secrets).where(secrets.c.id == two).values(sealed=mine)))
    with pytest.raises(WrongKey):
        await value(app, two)
    assert await value(app, one) == "v1"
