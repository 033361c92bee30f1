"""The handlers of auth connections. No function here returns a secret to a caller.

The token server alone receives the secret of client credentials. It is set with that secret and never changes, so that
a caller who may only update a connection cannot send the secret elsewhere. All other credentials (fetched tokens,
passwords, bearer tokens, tokens in a header) go to the URL of each tool that names the connection, so callers who may
write tools decide where they go.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from ...contract.auth_connections import (
    CreateAuthConnection,
    DeleteAuthConnection,
    ListAuthConnections,
    UpdateAuthConnection,
)
from ...contract.common import Empty
from ...contract.dependents import DependentTool
from ...contract.errors import BadRequest, InUse, InvalidRequest, Problem, body_problem
from ...contract.merge import Json, merged
from ...net.guard import AllowList, check
from ...net.headers import line, settable
from ..handlers import Handlers
from ..schema.auth_connections import auth_connection
from ..store.auth_connections import Kind, kind_of, opened
from ..store.transaction import Tx
from ..store.uses import agents_using, tools_using

auth_connections = Handlers()

_MISSING = "kinds other than client credentials, a password, a bearer token and a token in a header"


_OWN = frozenset({"auth_connection_id", "auth_type", "name", "provider"})
_DECLARED = frozenset(CreateAuthConnection.model_fields) - _OWN
_FIXED = _DECLARED - UpdateAuthConnection.model_fields.keys()
_GRANT = "client_credentials"
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_LIMIT = 20_000
"""Characters of a secret at most."""


@auth_connections.implements(
    CreateAuthConnection, proof="test_a_connection_is_listed_without_its_secret", missing=_MISSING
)
def create_connection(tx: Tx, op: CreateAuthConnection) -> Json:
    kind, given = kind_of(op.auth_type), _given(op)
    _refuse(_problems(kind, given, tx.allow, wanted=(*kind.needs, kind.secret)))
    taken = select(auth_connection.c.id).where(_named(tx, op.name))
    if (other := tx.db.execute(taken).scalar_one_or_none()) is not None:
        raise BadRequest(f"An auth connection named {op.name!r} exists ({other}). Delete it, or choose another name.")
    new = tx.new_id("authconn")
    row = {"workspace": tx.workspace, "id": new, "name": op.name, "auth_type": op.auth_type, "created_ms": tx.now_ms}
    document = {"provider": op.provider, **_shown(kind, given)}
    tx.db.execute(insert(auth_connection).values(**row, **_stored(tx, new, 1, document, kind, given)))
    return _answer(tx, tx.one(auth_connection, new))


@auth_connections.implements(ListAuthConnections, proof="test_a_connection_is_listed_without_its_secret")
def list_connections(tx: Tx, _: ListAuthConnections) -> Json:
    found = select(auth_connection).where(tx.own(auth_connection))
    rows = tx.db.execute(found.order_by(auth_connection.c.name)).mappings().all()
    return {"auth_connections": [_answer(tx, row) for row in rows]}


@auth_connections.implements(UpdateAuthConnection, proof="test_an_update_changes_what_it_names", missing=_MISSING)
def update_connection(tx: Tx, op: UpdateAuthConnection) -> Json:
    row = tx.one(auth_connection, op.auth_connection_id)
    if op.auth_type != row["auth_type"]:
        raise BadRequest(f"Auth connection {row['name']!r} is of the kind {row['auth_type']}, which never changes.")
    kind, patch = kind_of(row["auth_type"]), _given(op)
    _refuse(body_problem([name], "It never changes.") for name in _FIXED & patch.keys())
    new: Json = merged({**row["document"], **opened(tx, row)}, patch)
    _refuse(
        _problems(kind, {k: v for k, v in new.items() if k in patch or k in kind.needs}, tx.allow, wanted=kind.needs)
    )
    document = {"provider": op.provider or row["document"]["provider"], **_shown(kind, new)}
    changed = _stored(tx, row["id"], row["version"] + 1, document, kind, new)
    tx.db.execute(update(auth_connection).where(_this(tx, row["id"])).values(**changed))
    return _answer(tx, tx.one(auth_connection, row["id"]))


@auth_connections.implements(DeleteAuthConnection, proof="test_deleting_a_connection_in_use_names_its_users")
def delete_connection(tx: Tx, op: DeleteAuthConnection) -> Empty:
    name = tx.one(auth_connection, op.auth_connection_id)["name"]
    tools = [f"tool {shown!r} ({id})" for id, shown, _ in tools_using(tx, "auth_connection", op.auth_connection_id)]
    agents = [f"agent {user.name!r} ({user.id})" for user in agents_using(tx, "auth_connection", op.auth_connection_id)]
    if users := [*tools, *agents]:
        said = f"Auth connection {name!r} is used by {', '.join(users[:10])}. Take it out there first."
        raise InUse("auth_connection_in_use", said)
    tx.db.execute(delete(auth_connection).where(_this(tx, op.auth_connection_id)))
    return Empty()


def _given(op: CreateAuthConnection | UpdateAuthConnection) -> Json:
    """The declared settings of a request. Others are dropped, as they may be secret; null counts as not set."""
    return {name: value for name, value in (op.body() or {}).items() if name in _DECLARED and value is not None}


def _problems(kind: Kind, given: Json, allow: AllowList, *, wanted: tuple[str, ...]) -> Iterator[Problem]:
    yield from (body_problem([name], "It is needed for this auth_type.") for name in wanted if not given.get(name))
    for name in given:
        if name not in (*kind.needs, kind.secret, *kind.may):
            yield body_problem([name], "It is no setting of this auth_type.")
    if len(str(given.get(kind.secret) or "")) > _LIMIT:
        yield body_problem([kind.secret], f"At most {_LIMIT:,} characters.")
    if given.get("token_url"):
        try:
            check(given["token_url"], allow=allow)
        except BadRequest as why:
            yield body_problem(["token_url"], str(why), "url_not_allowed")
    if ":" in given.get("username", ""):
        yield body_problem(["username"], "A colon would end it.")
    if (header := given.get("header_name")) and not settable(header):
        yield body_problem(["header_name"], "This header cannot be set.")
    if kind.secret == "token" and "token" in given:  # noqa: S105  (the name of a field)
        yield from _unsendable("token", "token", given["token"])
    yield from _unfit_for_tokens(given)


def _unfit_for_tokens(given: Json) -> Iterator[Problem]:
    """Problems that would make the request for a token fail."""
    headers: dict[str, str] = given.get("custom_headers") or {}
    for name, value in headers.items():
        if not settable(name) or name.lower() in ("authorization", "content-type"):
            yield body_problem(["custom_headers"], f"The header {name!r:.80} cannot be set.")
        else:
            yield from _unsendable("custom_headers", name, value)
    extra: Json = given.get("extra_params") or {}
    if set(extra) & {"client_id", "client_secret", "scope"}:
        yield body_problem(["extra_params"], "client_id, client_secret and scope have fields of their own.")
    if extra.get("grant_type", _GRANT) != _GRANT:
        yield body_problem(["extra_params"], f"The grant_type of this auth_type is {_GRANT}.")
    scopes: list[str] = given.get("scopes") or []
    if not all(_SCOPE.fullmatch(scope) for scope in scopes):
        yield body_problem(["scopes"], "Each is one word, without quotation marks and backslashes.")


def _unsendable(field: str, header: str, value: str) -> Iterator[Problem]:
    try:
        line(header, value).encode("latin-1")
    except ValueError:
        yield body_problem([field], "What goes into a header is one line of Latin characters.")


def _refuse(problems: Iterator[Problem]) -> None:
    if found := list(problems):
        raise InvalidRequest(found)


def _shown(kind: Kind, given: Json) -> Json:
    """The settings that answers may show. Headers are left out: they may carry keys."""
    return {name: given[name] for name in (*kind.needs, *kind.may) if name in given and name != "custom_headers"}


def _stored(tx: Tx, id: str, version: int, document: Json, kind: Kind, given: Json) -> dict[str, Any]:
    hidden = {name: given[name] for name in (kind.secret, "custom_headers") if name in given}
    sealed = tx.vault.seal(json.dumps(hidden), belongs_to=f"{tx.workspace}/{id}")
    return {"version": version, "updated_ms": tx.now_ms, "document": document, "sealed": sealed}


def _this(tx: Tx, connection_id: str) -> Any:
    return tx.own(auth_connection, id=connection_id)


def _named(tx: Tx, name: str) -> Any:
    return tx.own(auth_connection, name=name)


def _answer(tx: Tx, row: RowMapping) -> Json:
    tools = [
        DependentTool(id=id, name=name, created_at_unix_secs=created, access_level="admin").model_dump()
        for id, name, created in tools_using(tx, "auth_connection", row["id"])
    ]
    agents = [user.shown().model_dump() for user in agents_using(tx, "auth_connection", row["id"])]
    used_by = {"tools": tools, "mcp_servers": [], "integration_connections": [], "agents": agents}
    return {
        "id": row["id"],
        "name": row["name"],
        "auth_type": row["auth_type"],
        **row["document"],
        "used_by": used_by,
    }
