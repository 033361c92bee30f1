"""The handlers of workspace secrets. No function here returns a secret's value to a caller."""

from sqlalchemy import delete, insert, select, update

from ...contract.dependents import DependentTool, ToolDependent
from ...contract.errors import BadRequest, InUse
from ...contract.secrets import (
    CreateSecret,
    DeleteSecret,
    ListSecrets,
    SecretInUse,
    SecretList,
    SecretUse,
    StoredSecret,
    UpdateSecret,
)
from ..handlers import Handlers
from ..schema.missing import not_found
from ..schema.tables import secret
from ..store.secrets import sealed_at
from ..store.transaction import Tx
from ..store.uses import User, agents_using, agents_using_each, tools_using, users_of

secrets = Handlers()


@secrets.implements(CreateSecret, proof="test_a_created_secret_is_listed_without_its_value")
def create_secret(tx: Tx, op: CreateSecret) -> StoredSecret:
    _refuse_taken_name(tx, op.name)
    new = tx.new_id("secret")
    sealed = tx.vault.seal(op.value.get_secret_value(), belongs_to=sealed_at(tx, new))
    row = {"workspace": tx.workspace, "id": new, "name": op.name, "sealed": sealed, "created_ms": tx.now_ms}
    tx.db.execute(insert(secret).values(**row))
    return StoredSecret(type="stored", secret_id=new, name=op.name)


@secrets.implements(ListSecrets, proof="test_a_created_secret_is_listed_without_its_value")
def list_secrets(tx: Tx, _: ListSecrets) -> SecretList:
    found = select(secret.c.id, secret.c.name).where(tx.own(secret)).order_by(secret.c.name)
    rows = tx.db.execute(found).all()
    users = agents_using_each(tx, "secret", (row.id for row in rows))
    return SecretList(
        secrets=[
            SecretInUse(type="stored", secret_id=row.id, name=row.name, used_by=_used_by(tx, row.id, users[row.id]))
            for row in rows
        ]
    )


@secrets.implements(UpdateSecret, proof="test_an_updated_secret_opens_to_its_new_value")
def update_secret(tx: Tx, op: UpdateSecret) -> StoredSecret:
    old = _name(tx, op.secret_id)
    if op.name != old:
        _refuse_taken_name(tx, op.name)
    sealed = tx.vault.seal(op.value.get_secret_value(), belongs_to=sealed_at(tx, op.secret_id))
    tx.db.execute(update(secret).where(tx.own(secret, id=op.secret_id)).values(name=op.name, sealed=sealed))
    return StoredSecret(type="stored", secret_id=op.secret_id, name=op.name)


@secrets.implements(DeleteSecret, proof="test_deleting_a_secret_in_use_names_its_users")
def delete_secret(tx: Tx, op: DeleteSecret) -> None:
    name = _name(tx, op.secret_id)
    if users := users_of(tx, "secret", op.secret_id):
        named = [*agents_using(tx, "secret", op.secret_id), *tools_using(tx, "secret", op.secret_id)]
        names = {id: shown for id, shown, _ in named}
        said = [f"{kind} {names.get(id, id)!r} ({id})" for kind, ids in users.items() for id in ids]
        raise InUse("secret_in_use", f"Secret {name!r} is used by {', '.join(said[:10])}. Take it out there first.")
    tx.db.execute(delete(secret).where(tx.own(secret, id=op.secret_id)))


def _name(tx: Tx, secret_id: str) -> str:
    found = select(secret.c.name).where(tx.own(secret, id=secret_id))
    if (name := tx.db.execute(found).scalar_one_or_none()) is None:
        raise not_found(secret, secret_id)
    return name


def _refuse_taken_name(tx: Tx, name: str) -> None:
    found = select(secret.c.id).where(tx.own(secret, name=name))
    if (taken := tx.db.execute(found).scalar_one_or_none()) is not None:
        raise BadRequest(f"A secret named {name!r} exists ({taken}). Update it, or choose another name.")


def _used_by(tx: Tx, secret_id: str, users: list[User]) -> SecretUse:
    tools: list[ToolDependent] = [
        DependentTool(type="available", id=id, name=name, created_at_unix_secs=created, access_level="admin")
        for id, name, created in tools_using(tx, "secret", secret_id)
    ]
    rest = users_of(tx, "secret", secret_id)
    others = ["conversation_initiation_webhook"] if "workspace" in rest else []
    shown, servers = [user.shown() for user in users], rest.get("mcp_server", [])
    return SecretUse(tools=tools, agents=shown, others=others, phone_numbers=[], mcp_servers=servers)
