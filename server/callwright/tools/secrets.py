"""Tools for the secrets and logins of agents' tools and webhooks. Values are write-only."""

from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field, SecretStr

from ..api.client import ApiClient
from ..approval.call import ENTERED
from ..contract.auth_connections import AuthConnection, CreateAuthConnection, DeleteAuthConnection, ListAuthConnections
from ..contract.common import AuthConnectionId, Cursor, SecretId
from ..contract.secrets import CreateSecret, DeleteSecret, ListSecrets, SecretInUse, SecretList, UpdateSecret
from ..replies.text import short
from ..replies.users import named, refuse_while_used
from ..replies.views import Deleted, Page, View, paged
from ..toolkit.toolset import PlatformApi, Toolset

TOOLS = Toolset("secrets", "Keep the secrets that agents' tools and webhooks use.")

Id = Annotated[SecretId, Field(description="From list_secrets.")]
SecretName = Annotated[str, Field(min_length=1, max_length=200, description="Name.")]
Value = Annotated[
    SecretStr,
    Field(min_length=1, max_length=20_000, description="Seen by this chat. Left out: the person enters it."),
]
Login = Annotated[
    dict[str, Any],
    Field(description="auth_type oauth2_client_credentials with client_id, token_url; or another."),
]
Variable = Annotated[str, Field(max_length=200, description="Or a variable that holds it.")]


class SecretLine(View):
    secret_id: str
    name: str
    used_by: list[str] = []


class SecretLines(Page):
    secrets: list[SecretLine]


class ConnectionLine(View):
    auth_connection_id: str
    name: str
    auth_type: str
    used_by: list[str] = []


class ConnectionLines(Page):
    auth_connections: list[ConnectionLine]


_KINDS = (
    "oauth2_client_credentials (with client_id, token_url; scopes, extra_params, basic_auth_in_header), basic_auth"
    " (username), bearer_auth, custom_header_auth (header_name)"
)
_VALUE_IN = {
    "oauth2_client_credentials": "client_secret",
    "basic_auth": "password",
    "bearer_auth": "token",
    "custom_header_auth": "token",
}
"""Kind of an auth connection -> its secret field."""


@TOOLS.tool(ListSecrets, title="List secrets", words="keys passwords stored", default=False)
async def list_secrets(
    api: PlatformApi, cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None
) -> SecretLines:
    """List secrets by name, with what uses each. Values are never shown."""
    found = await api.send(ListSecrets())
    lines = [SecretLine(secret_id=s.secret_id, name=short(s.name), used_by=_users(s)) for s in found.secrets]
    shown, more = paged(lines, lambda line: line.secret_id, cursor)
    return SecretLines(secrets=shown, has_more=more is not None, next_cursor=more)


@TOOLS.tool(
    CreateSecret,
    title="Create secret",
    words="api key password token credential store keep save passwort speichere enregistre guarda salva",
)
async def create_secret(
    api: PlatformApi, name: SecretName, value: Value | None = None, value_env: Variable | None = None
) -> SecretLine:
    """Store a secret. Without value, the person enters it on a page of this server."""
    value = api.secret(value, value_env, "value")
    made = await api.send(CreateSecret(type="new", name=name, value=value))
    return SecretLine(secret_id=made.secret_id, name=made.name)


@TOOLS.tool(UpdateSecret, title="Update secret", words="rotate new key renew replace change password", default=False)
async def update_secret(
    api: PlatformApi,
    secret_id: Id,
    name: SecretName,
    value: Value | None = None,
    value_env: Variable | None = None,
) -> SecretLine:
    """Replace a secret's name and value; whatever uses it gets the new value at once. The old value is lost."""
    value = api.secret(value, value_env, "value")
    made = await api.send(UpdateSecret(secret_id=secret_id, type="update", name=name, value=value))
    return SecretLine(secret_id=made.secret_id, name=made.name)


@TOOLS.tool(DeleteSecret, ListSecrets, title="Delete secret", words="old key revoke", default=False)
async def delete_secret(api: PlatformApi, secret_id: Id) -> Deleted:
    """Delete a secret for good. Refused while something uses it."""
    name = await _name(api, secret_id)
    await api.send(DeleteSecret(secret_id=secret_id))
    return Deleted(deleted=secret_id, name=name)


@TOOLS.tool(ListAuthConnections, title="List auth connections", default=False)
async def list_auth_connections(
    api: PlatformApi, cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None
) -> ConnectionLines:
    """List the logins that tools can use, with what uses each."""
    found = await api.send(ListAuthConnections())
    shown, more = paged([_line(each) for each in found.auth_connections], lambda line: line.auth_connection_id, cursor)
    return ConnectionLines(auth_connections=shown, has_more=more is not None, next_cursor=more)


@TOOLS.tool(
    CreateAuthConnection,
    title="Create auth connection",
    default=False,
    words="oauth login log crm basic bearer anmeldung",
)
async def create_auth_connection(
    api: PlatformApi,
    name: SecretName,
    login: Login,
    value_env: Variable | None = None,
) -> ConnectionLine:
    """Store a login for api_schema.auth_connection of tools. The person enters its secret."""
    kind = login.get("auth_type")
    if not isinstance(kind, str) or kind not in _VALUE_IN:
        raise ToolError(f"login.auth_type must be one of: {_KINDS}.")
    if taken := sorted({"name", *_VALUE_IN.values()} & login.keys()):
        raise ToolError(f"Take {', '.join(taken)} out of login: a name is an argument, and secrets are not shown here.")
    field = _VALUE_IN[kind]
    secret = api.secret(None, value_env, field)
    op = CreateAuthConnection.model_validate({"provider": "custom", **login, "name": name, field: secret})
    return _line(await api.send(op))


@TOOLS.tool(DeleteAuthConnection, ListAuthConnections, title="Delete auth connection", default=False)
async def delete_auth_connection(
    api: PlatformApi,
    auth_connection_id: Annotated[AuthConnectionId, Field(description="From list_auth_connections.")],
) -> Deleted:
    """Delete a login for good. Refused while tools use it."""
    name = _line(await _connection(api, auth_connection_id)).name
    await api.send(DeleteAuthConnection(auth_connection_id=auth_connection_id))
    return Deleted(deleted=auth_connection_id, name=name)


@TOOLS.preview(CreateSecret)
async def _what_would_be_kept(_: ApiClient, op: CreateSecret) -> str:
    return f"Store a secret named {short(op.name)!r} ({_length(op.value)})."


@TOOLS.preview(UpdateSecret)
async def _what_would_be_replaced(api: ApiClient, op: UpdateSecret) -> str:
    secret = await _stored(api, op.secret_id)
    return (
        f"Replace secret {short(secret.name)!r} ({op.secret_id}) by {short(op.name)!r} ({_length(op.value)}); the old"
        f" value is lost. {_affected(secret)}"
    )


@TOOLS.preview(DeleteSecret)
async def _what_would_go(api: ApiClient, op: DeleteSecret) -> str:
    secret = await _stored(api, op.secret_id)
    used = secret.used_by
    users = [*map(named, (*used.agents, *used.tools)), *(n.phone_number for n in used.phone_numbers), *used.others]
    refuse_while_used(f"Secret {short(secret.name)!r}", users, "Take it out there first.")
    return f"Delete secret {short(secret.name)!r} ({op.secret_id}) for good."


@TOOLS.preview(CreateAuthConnection)
async def _what_would_log_in(_: ApiClient, op: CreateAuthConnection) -> str:
    value = op.client_secret or op.password or op.token or SecretStr("")
    to = (
        f", whose secret ({_length(value)}) is sent to {short(op.token_url, 200)}"
        if op.token_url
        else f" ({_length(value)})"
    )
    return f"Store the {short(op.auth_type)} login {short(op.name)!r}{to}."


@TOOLS.preview(DeleteAuthConnection)
async def _which_login_would_go(api: ApiClient, op: DeleteAuthConnection) -> str:
    found = await _connection(api, op.auth_connection_id)
    what = f"Auth connection {_line(found).name!r}"
    refuse_while_used(what, _users_of(found), "Take it out there first.")
    return f"Delete the auth connection {_line(found).name!r} ({op.auth_connection_id}) for good."


def _line(connection: AuthConnection) -> ConnectionLine:
    """The row of an auth connection, also for kinds of newer platforms."""
    id, name, kind = (str(getattr(connection, field, "")) for field in ("id", "name", "auth_type"))
    return ConnectionLine(
        auth_connection_id=id, name=short(name), auth_type=short(kind), used_by=_users_of(connection)[:20]
    )


def _users_of(connection: AuthConnection) -> list[str]:
    used: Any = getattr(connection, "used_by", None)
    lists: list[list[Any]] = [getattr(used, field, None) or [] for field in ("tools", "agents", "mcp_servers")]
    return [named(user) for users in lists for user in users]


async def _connection(api: Any, auth_connection_id: str) -> AuthConnection:
    for found in (await api.send(ListAuthConnections())).auth_connections:
        if getattr(found, "id", None) == auth_connection_id:
            return found
    raise ToolError(f"No auth connection {auth_connection_id!r}. list_auth_connections shows them.")


def _length(value: SecretStr) -> str:
    text = value.get_secret_value()
    return "a person enters the value" if text == ENTERED else f"{len(text)} characters"


def _affected(secret: SecretInUse) -> str:
    users = _users(secret)
    return f"Used by {', '.join(users)}." if users else "Nothing uses it."


async def _name(api: Any, secret_id: str) -> str:
    return short((await _stored(api, secret_id)).name)


async def _stored(api: Any, secret_id: str) -> SecretInUse:
    found: SecretList = await api.send(ListSecrets())
    for stored in found.secrets:
        if stored.secret_id == secret_id:
            return stored
    raise ToolError(f"No secret {secret_id!r}. list_secrets shows them.")


def _users(secret: SecretInUse) -> list[str]:
    used = secret.used_by
    named = [*used.agents, *used.tools]
    return [
        *(short(str(getattr(user, "name", "hidden"))) for user in named),
        *(number.phone_number for number in used.phone_numbers),
        *used.others,
        *(f"MCP server {id}" for id in used.mcp_servers),
    ][:20]
