"""Run the HTTP servers: MCP over streamable HTTP behind a bearer token, and the embedded platform's REST API."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.routing import Route
from starlette.types import ASGIApp

from ..accounts.principals import LOCAL, Principal
from ..accounts.scopes import scope_of_each
from ..app import App
from ..approval.outside import SITE_PATH
from ..contract.errors import ApiError
from ..keys import token_file
from ..mcp_server.server import build_server
from ..settings import SettingError, is_loopback
from ..web_server.http_protocol import Patience, bounded
from ..web_server.server import Server, most_connections
from . import discovery, health
from .approvals import Approvals
from .authenticator import Authenticator
from .corked import CorkedWebSocket
from .gate import Challenge, Gate
from .limits import Allowance, Limits
from .router import FrontRouter, MetricsEndpoint, OperatorOnly
from .token_visibility import TokenVisibility
from .tokens import Tokens, digest

if TYPE_CHECKING:
    from .login import Login

Say = Callable[[str], None]

GRACE_SECONDS = 5
"""Seconds for calls in progress to complete once the server is stopped."""
BACKLOG = 512
"""Connections that the system holds until they are accepted. asyncio accepts so many at a time."""
WEBSOCKET_BYTES = 1024 * 1024
"""Maximum size of a client's frame; a larger one closes the connection before it is read."""

WEBSOCKET_PONG_SECONDS = 60.0
"""Timeout of the server's WebSocket pings. The pings keep connections open through proxies and detect clients that are
gone; the engine's own ping events only measure latency. The timeout is long enough for a telephone that changes
networks and for a busy server, and limits how long a client that is gone keeps its slot.
"""


@dataclass(frozen=True)
class Listen:
    """The address at which the MCP server listens, and the clients that it accepts."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: bool = True
    allowed_hosts: tuple[str, ...] = ()
    """Accepted host names besides the host of `public_url` and the names of this machine."""
    stateless: bool = False
    json_answers: bool = False
    """Answer with one JSON document instead of an event stream; a call then has no progress and no questions."""
    public_url: str | None = None
    """Scheme and host under which clients reach the server."""
    tokens: Tokens = field(default_factory=dict[str, Principal])
    """Accepted tokens besides the server's own."""

    @property
    def url(self) -> str:
        if self.public_url:
            return self.public_url
        return f"http://{self.allowed_hosts[0] if self.allowed_hosts else _at(self.host, self.port)}"

    @property
    def names(self) -> list[str]:
        """Accepted values of the headers `Host` and `Origin`."""
        public = [urlsplit(self.public_url).netloc] if self.public_url else []
        return [*public, *self.allowed_hosts, *(f"{name}:*" for name in ("127.0.0.1", "localhost", "[::1]"))]


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def mcp_app(app: App, listen: Listen, server: MCPServer[Any] | None = None) -> ASGIApp:
    """The MCP server as an ASGI app. Raises SettingError if it were open to a network without token and host names.

    `server`: the MCP server of `app` with additions; None: it is built here.
    """
    local = is_loopback(listen.host)
    if not local and not listen.token:
        raise SettingError("--no-token is for this machine only: leave it out, or listen on 127.0.0.1.")
    if not listen.token and (listen.tokens or app.settings.oauth_issuer):
        raise SettingError("--no-token opens the server to all: it goes with no tokens file and no issuer.")
    if not local and not (listen.allowed_hosts or listen.public_url):
        raise SettingError(
            f"--host {listen.host} needs --allowed-hosts or CALLWRIGHT_PUBLIC_URL: the host names under which clients"
            " reach the server, such as callwright.example.com or 192.168.1.20:8000."
        )
    security = TransportSecuritySettings(
        allowed_hosts=listen.names,
        allowed_origins=[f"{scheme}://{name}" for name in listen.names for scheme in ("http", "https")],
    )
    server = server or build_server(app, by_url=True, sessions=not listen.stateless)
    scopes = scope_of_each()
    admission, login = _admission(app, listen, scopes) if listen.token else (None, None)
    if admission and not admission.alone:
        server.middleware.insert(0, TokenVisibility(scopes))
    s = app.settings
    inner = server.streamable_http_app(
        stateless_http=listen.stateless,
        json_response=listen.json_answers,
        transport_security=security,
        host=listen.host,
        max_request_body_size=s.http_body or sys.maxsize,
    )
    limits = Limits(Allowance(s.http_body, s.http_rate, s.http_at_once))
    gate = Gate(
        inner,
        admission,
        limits,
        app.metrics,
        scopes,
        _challenge(app, listen, scopes),
    )
    shown = _shown(app, listen, scopes, MetricsEndpoint(app.metrics, security))
    if app.site and s.approval_page:
        people = {each.name: each for each in (Principal(LOCAL), *listen.tokens.values())}
        shown += Approvals(app, app.site, people, login, limits).routes()
    return FrontRouter(shown, gate, lifespan=inner)


def _admission(app: App, listen: Listen, scopes: Mapping[str, str]) -> tuple[Authenticator, "Login | None"]:
    """Who is admitted, and how people sign in at the issuer, if there is one that does so for this server."""
    s, operator = app.settings, {digest(http_token(app)): Principal(LOCAL)}
    if not s.oauth_issuer:
        if s.oauth_client_id:
            raise SettingError("CALLWRIGHT_OAUTH_CLIENT_ID needs CALLWRIGHT_OAUTH_ISSUER: people sign in there.")
        return Authenticator({**listen.tokens, **operator}), None
    if not (listen.public_url or is_loopback(listen.host)):
        raise SettingError("CALLWRIGHT_OAUTH_ISSUER needs CALLWRIGHT_PUBLIC_URL: tokens are issued for that address.")
    from ..net.guard import AllowList
    from .issuer import Issuer, Keys

    allow = AllowList.parse(",".join(s.allow_private))
    keys = Keys(s.oauth_issuer, allow=allow, proxy_url=s.proxy_url, clock=app.clock)
    known = set(scopes.values())
    issuer = Issuer(keys, f"{listen.url}/mcp", s.oauth_workspace_claim, known, app.clock)
    login = None
    if s.oauth_client_id and app.site:
        from .login import Client, Login

        redirect = f"{app.site.url}{SITE_PATH}/callback"
        client = Client(s.oauth_client_id, redirect, f"{listen.url}/mcp", _reading(scopes), s.oauth_client_secret)
        login = Login(issuer, keys, client, allow.with_host_of(s.oauth_issuer), s.proxy_url)
    return Authenticator({**listen.tokens, **operator}, issuer), login


def _challenge(app: App, listen: Listen, scopes: Mapping[str, str]) -> Challenge:
    """The challenge of a request without a token: it names the read scopes; a call that needs others names them."""
    if not app.settings.oauth_issuer:
        return Challenge()
    return Challenge(discovery.resource_metadata_url(listen.url), _reading(scopes))


def _reading(scopes: Mapping[str, str]) -> str:
    """The scopes that only read, as a client asks for them."""
    return " ".join(sorted({scope for scope in scopes.values() if scope.endswith(":read")}))


def _shown(app: App, listen: Listen, scopes: Mapping[str, str], metrics: MetricsEndpoint) -> list[Route]:
    """The routes outside the gate. The metrics are for the operator only, not for holders of other tokens."""
    guarded = OperatorOnly(metrics, digest(http_token(app))) if listen.token else metrics
    shown = [*health.routes(app), *discovery.routes(listen.url, token=listen.token)]
    if issuer := app.settings.oauth_issuer:
        shown += discovery.resource_routes(listen.url, issuer, sorted(set(scopes.values())))
    return [*shown, Route("/metrics", guarded, methods=["GET"])]


def http_token(app: App) -> str:
    return app.settings.http_token or token_file(app.settings.home / "http.token")


def engine_key(app: App) -> str:
    return app.settings.engine_api_key or token_file(app.settings.home / "engine.key")


def serve_http(app: App, listen: Listen, say: Say, server: MCPServer[Any] | None = None) -> int:
    asgi = mcp_app(app, listen, server)
    address = f"{listen.url}/mcp"
    say(f"MCP at {address}")
    if listen.token:
        headers = {"Authorization": f"Bearer {http_token(app)}"}
        cursor = {"mcpServers": {"callwright": {"url": address, "headers": headers}}}
        code = {"servers": {"callwright": {"type": "http", "url": address, "headers": headers}}}
        header = f"Authorization: {headers['Authorization']}"
        say(f'Claude Code:  claude mcp add --transport http callwright {address} --header "{header}"')
        say(f"Cursor:       {json.dumps(cursor)}")
        say(f"VS Code:      {json.dumps(code)}")
    return anyio.run(_serve_mcp, app, _config(app, asgi, listen.host, listen.port))


def serve_engine(app: App, host: str, port: int, say: Say) -> int:
    if not is_loopback(host):
        say("Warning: other machines can reach this port. Put TLS before it, and keep the key to yourself.")
    return anyio.run(_serve_engine, app, host, port, say)


async def _serve_engine(app: App, host: str, port: int, say: Say) -> int:
    try:
        config = _config(app, await app.engine(engine_key(app)), host, port, websockets=True)
        where = (
            "from CALLWRIGHT_ENGINE_API_KEY"
            if app.settings.engine_api_key
            else f"in {app.settings.home / 'engine.key'}"
        )
        listening = listen_at(config)  # port 0 means any free port, which is known only now
        port = listening.getsockname()[1]
        say(f"Embedded platform at http://{_at(host, port)}; header xi-api-key, the key is {where}")
        say(f"Talk to an agent in a browser: http://{_at(host, port)}/agents/AGENT_ID/chat")
        return await _served(config, [listening])
    except ApiError as exc:  # the vault was sealed with another key
        raise SettingError(str(exc)) from None
    finally:
        await app.close()


def listen_at(config: uvicorn.Config) -> socket:
    """The listening socket of a server, with TCP_NODELAY, which asyncio sets only on sockets that it creates itself.

    Without it the body of each answer waits some 40 ms until the client has acknowledged the head.
    """
    listening = config.bind_socket()
    listening.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    listening.listen(config.backlog)  # connections are queued from now on, so the address can be printed
    return listening


async def _serve_mcp(app: App, config: uvicorn.Config) -> int:
    try:
        return await _served(config)
    finally:
        await app.close()


async def _served(config: uvicorn.Config, sockets: list[socket] | None = None) -> int:
    server = Server(config)
    await server.serve(sockets)
    return 0 if server.started else 1


def _config(app: App, asgi: ASGIApp, host: str, port: int, *, websockets: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        asgi,
        host=host,
        port=port,
        backlog=BACKLOG,
        http=bounded(Patience(connections=most_connections(app.settings.http_connections))),
        log_config=None,  # uvicorn's own configuration would bypass the program's log handler, and so the redaction
        log_level="warning",
        server_header=False,
        ws=CorkedWebSocket if websockets else "none",
        ws_max_size=WEBSOCKET_BYTES,
        ws_ping_timeout=WEBSOCKET_PONG_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
