"""Stored MCP servers: their settings, and their endpoint with its secrets resolved."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

from ...contract.errors import BadRequest
from ...contract.merge import Json
from ..dialogue.variables import Variables, require, written
from ..schema.mcp_servers import mcp_server
from ..store.secrets import reveal
from ..store.transaction import Tx
from .client import Endpoint


def config_of(tx: Tx, server_id: str) -> Json:
    return cast(Json, tx.one(mcp_server, server_id)["document"])


def reached(tx: Tx, server_id: str, variables: Variables | None = None) -> tuple[Json, Endpoint]:
    """The settings of a server, and its endpoint with the secrets in the clear.

    Outside of conversations there are no `variables`, and headers that name a variable are left out. Raises NotFound,
    MissingVariables, and BadRequest for a value that is not allowed in a header.
    """
    config = config_of(tx, server_id)
    given: dict[str, str | Json] = config["request_headers"]
    named: dict[str, str] = {
        name: value["variable_name"]
        for name, value in given.items()
        if isinstance(value, dict) and "variable_name" in value
    }
    headers = {name: clear(tx, value) for name, value in given.items() if name not in named}
    if variables is not None:
        require(variables, names=named.values())
        headers |= {name: _sendable(name, written(variables[variable])) for name, variable in named.items()}
    if config["secret_token"] is not None:
        headers["Authorization"] = f"Bearer {clear(tx, config['secret_token'])}"
    url = clear(tx, config["url"])
    return config, Endpoint(url, config["transport"] == "SSE", headers, tuple(_confidential(config, url, headers)))


def _confidential(config: Json, url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The values of an endpoint that came from the vault."""
    given: dict[str, str | Json] = config["request_headers"]
    yield from (headers[name] for name, value in given.items() if isinstance(value, dict) and "secret_id" in value)
    if config["secret_token"] is not None:
        yield headers["Authorization"].removeprefix("Bearer ")
    if isinstance(config["url"], dict):
        yield from (url, urlsplit(url).hostname or "")


def _sendable(header: str, text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise BadRequest(f"The value for the header {header} has characters that no header may have.")
    return text


def clear(tx: Tx, value: str | Json) -> str:
    return value if isinstance(value, str) else reveal(tx, value["secret_id"])


def tool_config(config: Json, tool_name: str) -> Json | None:
    """The stored configuration of one tool; None if it has none."""
    made: Sequence[Json] = config["tool_config_overrides"]
    return next((one for one in made if one["tool_name"] == tool_name), None)
