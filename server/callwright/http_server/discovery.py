"""Discovery documents: the server card, the catalogue that names it, and the protected resource metadata (RFC 9728).

With them a client that knows only the host finds the MCP endpoint, and a client that was refused finds the issuer of
tokens. All are public and static: identity, address and protocol versions. A server's tools are listed only after a
client has connected.
"""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from mcp.types.version import KNOWN_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import __version__

CARD_PATH, CATALOGUE_PATH = "/mcp/server-card", "/.well-known/ai-catalog.json"
RESOURCE_PATH = "/.well-known/oauth-protected-resource/mcp"
CARD_TYPE, CATALOGUE_TYPE = "application/mcp-server-card+json", "application/ai-catalog+json"
PUBLIC = {"access-control-allow-origin": "*", "cache-control": "public, max-age=3600"}

_TITLE = "Callwright"


def card(public_url: str, *, token: bool) -> dict[str, Any]:
    """The server card for the server at `public_url` (scheme and host); `token`: clients send a bearer token."""
    remote: dict[str, Any] = {
        "type": "streamable-http",
        "url": f"{public_url}/mcp",
        "supportedProtocolVersions": list(KNOWN_PROTOCOL_VERSIONS),
    }
    if token:
        remote["headers"] = [
            {"name": "Authorization", "description": "Bearer <token>", "isRequired": True, "isSecret": True}
        ]
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
        "name": f"{'.'.join(reversed(_domain(public_url)))}/callwright",
        "title": _TITLE,
        "description": "Builds, rehearses and watches voice agents.",
        "version": __version__,
        "remotes": [remote],
    }


def catalogue(public_url: str) -> dict[str, Any]:
    entry = {
        "identifier": f"urn:air:{'.'.join(_domain(public_url))}:callwright",
        "displayName": _TITLE,
        "type": CARD_TYPE,
        "url": f"{public_url}{CARD_PATH}",
    }
    return {"specVersion": "1.0", "entries": [entry]}


def routes(public_url: str, *, token: bool) -> list[Route]:
    return [
        _route(CARD_PATH, CARD_TYPE, card(public_url, token=token)),
        _route(CATALOGUE_PATH, CATALOGUE_TYPE, catalogue(public_url)),
    ]


def resource_metadata_url(public_url: str) -> str:
    return f"{public_url}{RESOURCE_PATH}"


def resource_routes(public_url: str, issuer: str, scopes: list[str]) -> list[Route]:
    """The routes of the endpoint's protected resource metadata: at the well-known path with and without its path."""
    document = {
        "resource": f"{public_url}/mcp",
        "resource_name": _TITLE,
        "authorization_servers": [issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
    }
    paths = (RESOURCE_PATH, RESOURCE_PATH.removesuffix("/mcp"))
    return [_route(path, "application/json", document) for path in paths]


def _route(path: str, media_type: str, document: dict[str, Any]) -> Route:
    async def show(_: Request) -> Response:
        return JSONResponse(document, media_type=media_type, headers=PUBLIC)

    return Route(path, show, methods=["GET"])


def _domain(public_url: str) -> list[str]:
    """The labels of the host; `localhost` for an IP address, because a card's name needs a domain and has no colon."""
    host = urlsplit(public_url).hostname or "localhost"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.split(".")
    return ["localhost"]
