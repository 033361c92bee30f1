"""Secret values, sealed in their rows with the vault's key."""

from sqlalchemy import Connection, insert, select, update

from ...contract.errors import NotFound
from ...db.database import Database
from ...telemetry.calling import hush
from ..schema.auth_connections import auth_connection
from ..schema.tables import phone_number, secret, vault_check
from .transaction import Tx
from .vault import Vault

_CHECK = "vault check"


_SEALED = (secret, phone_number, auth_connection)
"""Tables whose rows hold sealed values."""


def reveal(tx: Tx, secret_id: str) -> str:
    """A secret's value, for use inside the engine. Callers must not store or answer it."""
    found = select(secret.c.sealed).where(tx.own(secret, id=secret_id))
    sealed = tx.db.execute(found).scalar_one_or_none()
    if sealed is None:
        raise NotFound(f"No secret {secret_id!r}.")
    value = tx.vault.open(sealed, belongs_to=sealed_at(tx, secret_id))
    hush(value)
    return value


def rotate(db: Connection, old: Vault, new: Vault) -> int:
    """Seal every value of every workspace with the key of `new`. Returns the number of values.

    Callers run it in one transaction, so that it changes all values or none. Raises WrongKey if a value does not open
    with `old`.
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
    """Bind the database to the key of its first use. Raises WrongKey for any other key."""
    if not await database.read(lambda db: _checked(db, vault)):
        await database.write(lambda db: _mark(db, vault))


def _checked(db: Connection, vault: Vault) -> bool:
    """Whether the check value exists. Raises WrongKey if it does not open with this vault."""
    sealed = db.execute(select(vault_check.c.sealed)).scalar_one_or_none()
    if sealed is None:
        return False
    vault.open(sealed, belongs_to=_CHECK)
    return True


def _mark(db: Connection, vault: Vault) -> None:
    check_key(db, vault)  # the secrets of an older database must open
    if not _checked(db, vault):  # otherwise another process wrote it first
        db.execute(insert(vault_check).values(id=1, sealed=vault.seal(_CHECK, belongs_to=_CHECK)))


def check_key(db: Connection, vault: Vault) -> int:
    """The number of sealed values. Raises WrongKey if one of them does not open."""
    _checked(db, vault)
    count = 0
    for table in _SEALED:
        found = select(table.c.workspace, table.c.id, table.c.sealed).where(table.c.sealed.is_not(None))
        for row in db.execute(found):
            vault.open(row.sealed, belongs_to=f"{row.workspace}/{row.id}")
            count += 1
    return count


def sealed_at(tx: Tx, id: str) -> str:
    return f"{tx.workspace}/{id}"
