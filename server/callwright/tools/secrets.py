"""Keep the secrets that agents' tools and webhooks use. Values go in and never come out."""

from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field, SecretStr

from ..api.client import ApiClient
from ..contract.common import Cursor, SecretId
from ..contract.secrets import CreateSecret, DeleteSecret, ListSecrets, SecretInUse, SecretList, UpdateSecret
from .scope import ENTERED
from .text import short
from .toolset import PlatformApi, Toolset
from .users import named, refuse_while_used
from .views import Deleted, Page, View, paged

TOOLS = Toolset("secrets", "Keep the secrets that agents' tools and webhooks use.")

Id = Annotated[SecretId, Field(description="From list_secrets.")]
SecretName = Annotated[str, Field(min_length=1, max_length=200, description="Name.")]
Value = Annotated[
    SecretStr,
    Field(min_length=1, max_length=20_000, description="Seen by this chat. Left out: the person enters it."),
]
Variable = Annotated[str, Field(max_length=200, description="Or a variable that holds it.")]


class SecretLine(View):
    secret_id: str
    name: str
    used_by: list[str] = []


class SecretLines(Page):
    secrets: list[SecretLine]


@TOOLS.tool(ListSecrets, title="List secrets")
async def list_secrets(
    api: PlatformApi, cursor: Annotated[Cursor | None, Field(description="From next_cursor.")] = None
) -> SecretLines:
    """List secrets by name, with what uses each. Values are never shown."""
    found = await api.send(ListSecrets())
    lines = [SecretLine(secret_id=s.secret_id, name=short(s.name), used_by=_users(s)) for s in found.secrets]
    shown, more = paged(lines, lambda line: line.secret_id, cursor)
    return SecretLines(secrets=shown, has_more=more is not None, next_cursor=more)


@TOOLS.tool(CreateSecret, title="Create secret")
async def create_secret(
    api: PlatformApi, name: SecretName, value: Value | None = None, value_env: Variable | None = None
) -> SecretLine:
    """Store a secret. Without value, the person enters it on a page of this server."""
    value = api.secret(value, value_env, "value")
    made = await api.send(CreateSecret(type="new", name=name, value=value))
    return SecretLine(secret_id=made.secret_id, name=made.name)


@TOOLS.tool(UpdateSecret, title="Update secret")
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


@TOOLS.tool(DeleteSecret, ListSecrets, title="Delete secret")
async def delete_secret(api: PlatformApi, secret_id: Id) -> Deleted:
    """Delete a secret for good. Refused while something uses it."""
    name = await _name(api, secret_id)
    await api.send(DeleteSecret(secret_id=secret_id))
    return Deleted(deleted=secret_id, name=name)


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
