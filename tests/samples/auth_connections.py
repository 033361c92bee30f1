"""Sample calls of the operations on auth connections."""

from callwright.contract.auth_connections import (
    CreateAuthConnection,
    DeleteAuthConnection,
    ListAuthConnections,
    UpdateAuthConnection,
)

from . import probing
from .sample import Sample

SAMPLES = [
    Sample(
        ListAuthConnections,
        tool="list_auth_connections",
        lists="auth_connections",
        without_sdk="newer than SDK 2.23.0",
        phrases=["which logins can tools use"],
    ),
    Sample(
        CreateAuthConnection,
        tool="create_auth_connection",
        request={"auth_type": "bearer_auth", "name": "CRM", "provider": "own", "token": "v"},
        makes=("auth_connection_id", "id"),
        without_sdk="newer than SDK 2.23.0",
        calls=[
            {
                "name": "n",
                "login": {
                    "auth_type": "oauth2_client_credentials",
                    "provider": "p",
                    "client_id": "c",
                    "token_url": "https://a.example",
                    "scopes": ["s"],
                    "extra_params": {"a": "b"},
                    "basic_auth_in_header": True,
                    "custom_headers": {"x-a": "b"},
                },
            },
            {"name": "n", "login": {"auth_type": "basic_auth", "username": "u"}},
            {"name": "n", "login": {"auth_type": "custom_header_auth", "header_name": "x-key"}},
        ],
        unreached={**dict.fromkeys(("secret_key", "client_key", "key_passphrase"), probing.KEYS)},
        guarded={
            "token_url": {
                "name": "CRM",
                "login": {
                    "auth_type": "oauth2_client_credentials",
                    "client_id": "c",
                    "token_url": "https://h.example/token",
                },
                "value_env": "CRM",
            }
        },
        phrases=["create an auth connection, so that my tools can log in"],
    ),
    Sample(
        UpdateAuthConnection,
        request={"auth_type": "bearer_auth", "token": "w"},
        without_sdk="newer than SDK 2.23.0",
        arguments={"auth_connection_id": "a", "auth_type": "bearer_auth"},
    ),
    Sample(
        DeleteAuthConnection,
        tool="delete_auth_connection",
        without_sdk="newer than SDK 2.23.0",
        arguments={"auth_connection_id": "a"},
        phrases=["delete a login that no tool uses"],
    ),
]
