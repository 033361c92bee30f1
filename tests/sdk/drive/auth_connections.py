# pyright: basic
"""Auth connections, which only the newer version knows."""

from .sdk import Sdk

OF = "workspace.auth_connections"
OAUTH = {
    "auth_type": "oauth2_client_credentials", "name": "CRM", "provider": "own", "client_id": "id-1",
    "client_secret": "hush", "token_url": "https://login.example.com/token", "scopes": ["api"],
    "basic_auth_in_header": True,
}  # fmt: skip
OTHERS = (
    {"auth_type": "basic_auth", "name": "Basic", "provider": "own", "username": "ann", "password": "hush"},
    {"auth_type": "bearer_auth", "name": "Bearer", "provider": "own", "token": "hush"},
    {"auth_type": "custom_header_auth", "name": "Key", "provider": "own", "header_name": "x-key", "token": "hush"},
)


def sweep(sdk: Sdk) -> None:
    if not sdk.has(f"{OF}.create"):
        return
    login = sdk.call(f"{OF}.create", request=OAUTH)
    others = [sdk.call(f"{OF}.create", request=other).id for other in OTHERS]
    sdk.call(f"{OF}.update", login.id, request={"auth_type": OAUTH["auth_type"], "scopes": ["api", "full"]})
    named = {"auth_connection_id": login.id}
    schema = {"url": "https://crm.example.com/", "auth_connection": named}
    hook = {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": schema}
    tool = sdk.call("tools.create", request={"tool_config": hook}).id
    listed = sdk.call(f"{OF}.list").auth_connections
    sdk.saw("who uses a connection", {row.name: [user.name for user in row.used_by.tools] for row in listed})
    sdk.call("tools.delete", tool)
    for id in (login.id, *others):
        sdk.call(f"{OF}.delete", id)
