"""The rules of workspace secrets. No function here gives a value back to a caller."""

from sqlalchemy import Connection, delete, insert, select, update

from ...contract.dependents import DependentTool, ToolDependent
from ...contract.errors import BadRequest, InUse, NotFound
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
from ...db.database import Database
from ...telemetry.calling import hush
from ..handlers import Handlers, Tx
from ..schema.auth_connections import auth_connection
from ..schema.missing import not_found
from ..schema.tables import phone_number, secret, vault_check
from ..store.uses import User, agents_using, agents_using_each, tools_using, users_of
from ..store.vault import Vault

_CHECK = "vault check"
_SEALED = (secret, phone_number, auth_connection)
"""Tables whose rows hold sealed values."""

secrets = Handlers()


@secrets.implements(CreateSecret, proof="test_a_created_secret_is_listed_without_its_value")
def create_secret(tx: Tx, op: CreateSecret) -> StoredSecret:
    _refuse_taken_name(tx, op.name)
    new = tx.new_id("secret")
    sealed = tx.vault.seal(op.value.get_secret_value(), belongs_to=_row(tx, new))
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
    sealed = tx.vault.seal(op.value.get_secret_value(), belongs_to=_row(tx, op.secret_id))
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


def reveal(tx: Tx, secret_id: str) -> str:
    """The value, for the moment of use inside the engine; it must not be kept or answered."""
    found = select(secret.c.sealed).where(tx.own(secret, id=secret_id))
    sealed = tx.db.execute(found).scalar_one_or_none()
    if sealed is None:
        raise NotFound(f"No secret {secret_id!r}.")
    value = tx.vault.open(sealed, belongs_to=_row(tx, secret_id))
    hush(value)
    return value


def rotate(db: Connection, old: Vault, new: Vault) -> int:
    """Seal everything of every workspace with another key; answers how many values were turned.

    All or nothing: it runs in one transaction, and a value that does not open with `old` stops it (WrongKey).
    """
    turned = 0
    for table in _SEALED:
        rows = db.execute(select(table.c.workspace, table.c.id, table.c.sealed).where(table.c.sealed.is_not(None)))
        for row in rows.all():
            where = f"{row.workspace}/{row.id}"
            sealed = new.seal(old.open(row.sealed, belongs_to=where), belongs_to=where)
            db.execute(
                update(table).where(table.c.workspace == row.workspace, table.c.id == row.id).values(sealed=sealed)
            )
            turned += 1
    if _checked(db, old):
        db.execute(update(vault_check).values(sealed=new.seal(_CHECK, belongs_to=_CHECK)))
    return turned


async def claim(database: Database, vault: Vault) -> None:
    """Let only the key that this database was first used with go on. Raises WrongKey for any other."""
    if not await database.read(lambda db: _checked(db, vault)):
        await database.write(lambda db: _mark(db, vault))


def _checked(db: Connection, vault: Vault) -> bool:
    """Whether the check value is there and opens: False where it is not there. Raises WrongKey."""
    sealed = db.execute(select(vault_check.c.sealed)).scalar_one_or_none()
    if sealed is None:
        return False
    vault.open(sealed, belongs_to=_CHECK)
    return True


def _mark(db: Connection, vault: Vault) -> None:
    check_key(db, vault)  # a database that has secrets already: they must open
    if not _checked(db, vault):  # else another process was quicker
        db.execute(insert(vault_check).values(id=1, sealed=vault.seal(_CHECK, belongs_to=_CHECK)))


def check_key(db: Connection, vault: Vault) -> int:
    """How many values are sealed. Raises WrongKey where one of them does not open."""
    _checked(db, vault)
    count = 0
    for table in _SEALED:
        found = select(table.c.workspace, table.c.id, table.c.sealed).where(table.c.sealed.is_not(None))
        for row in db.execute(found):
            vault.open(row.sealed, belongs_to=f"{row.workspace}/{row.id}")
            count += 1
    return count


def _row(tx: Tx, id: str) -> str:
    return f"{tx.workspace}/{id}"


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
