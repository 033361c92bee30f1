"""Composition root: settings -> platform -> ApiClient -> MCP server. What `tools/list` does not need comes later."""

import hmac
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.caching import CacheHint
from mcp.server.mcpserver.tools import Tool
from mcp.server.request_state import RequestStateSecurity
from mcp.server.subscriptions import ResourceUpdated
from mcp.types import Icon

from . import __version__
from .bounds import Bounds
from .client_log import ClientLog
from .clock import NewId, NowMs, Sleep, new_id, now_ms
from .guides.apps import Apps, stamped
from .guides.places import changed_by
from .guides.server import GuidedServer
from .guides.skills import Skills
from .introduction import ICON, instructions
from .keys import key_file, subkey
from .settings import Platform, Settings
from .subscriptions import Subscriptions
from .talks.held import Talks
from .tasks.extension import TaskExtension
from .telemetry.redaction import Redactor, secrets_of
from .tools.approval_state import name_question
from .tools.offer import EVERYDAY, Offer, named_prompts, one_page
from .tools.policy import Policy
from .tools.scopes import scopes_of
from .tools.surface import RUNNERS, Entry, built, chosen, lazy

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from .api.client import ApiClient
    from .approval_page import ApprovalPage
    from .db.database import Database
    from .engine.asgi import Engine
    from .engine.models import Models
    from .ledger.ledger import Ledger
    from .meters import Meters
    from .principals import Principal
    from .tasks.task import Owner, Tasks
    from .tenants import Tenant, Tenants

LIST_SECONDS = 300
_LISTS: tuple[Any, ...] = (
    "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"
)  # fmt: skip
_SAME_FOR_ALL = CacheHint(LIST_SECONDS * 1000, "public")
"""Nothing in these answers depends on who asks; whatever filters them by person has to say `private`."""
EMBEDDED_SECONDS = 30.0


class App:
    """Everything that lives as long as the server: what a tool call may use."""

    def __init__(
        self,
        settings: Settings,
        platform: Platform | None = None,
        *,
        command: str = "callwright",
        clock: NowMs = now_ms,
        ids: NewId = new_id,
        redact: Redactor | None = None,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        """`command`: what a person types to run this program on the same data, for the answers that ask for it.

        `redact`: knows more secrets than the settings alone tell.
        """
        self.settings, self.command = settings, command
        self.redact = redact or Redactor(secrets_of(settings, {}))
        self.platform: Platform = platform or settings.platform
        self.policy = _policy(settings)
        self.near = False
        """Whether the person is at this machine, so that they can open a page of this process."""
        self._page: ApprovalPage | None = None
        self.bounds = Bounds(settings.read_only, settings.no_outbound)
        self.subscriptions = Subscriptions(lambda request: self.of(request).account)
        self.meters: Meters | None = None
        """Where the server counts what it does; over stdio nobody looks."""
        self.tenants: Tenants | None = None
        """Where more tokens than one open the server: who sees what."""
        self._tasks: Tasks | None = None
        self.talks = Talks(clock, sleep)
        self.who = "local"
        self.clock, self._ids, self._sleep = clock, ids, sleep
        self._opening, self._database_lock = anyio.Lock(), threading.Lock()
        self._api: ApiClient | None = None
        self._db: Database | None = None
        self._models: Models | None = None
        self._engine: Engine | None = None
        self._inside: Starlette | None = None
        """The engine for all workspaces, each reached by a client of its own."""

    @cached_property
    def state_key(self) -> bytes:
        """Key of approvals in flight, and of the log: its digests, and the values that it keeps."""
        return self.settings.state_key or key_file(self.settings.home / "state.key")

    @property
    def tasks(self) -> "Tasks":
        if self._tasks is None:
            from .tasks.task import Tasks

            self._tasks = Tasks(self.clock, self._ids, self.settings.long_call_seconds)
        return self._tasks

    @property
    def owner(self) -> "Owner":
        return self.who, self.account

    @cached_property
    def account(self) -> str:
        """Where changes are made, for the log and for approvals: `embedded`, or the host and a mark of the key."""
        return "embedded" if self.platform == "embedded" else self._account(self.settings.api_key or "")

    def account_of(self, principal: "Principal") -> str:
        if self.platform == "hosted":
            return self._account(principal.key) if principal.key else self.account
        return "embedded" if principal.workspace == "default" else f"embedded {principal.workspace}"

    def _account(self, key: str) -> str:
        mark = hmac.digest(subkey(self.state_key, "account"), key.encode(), "sha256").hex()[:8]
        return f"hosted {urlsplit(self.settings.api_url).netloc} {mark}"

    def of(self, request: Any) -> "App | Tenant":
        """What a call may use that came with this HTTP request (None: over stdio, or in memory)."""
        if self.tenants is None or request is None:
            return self
        return self.tenants.of(request.scope["user"].principal)

    def may(self, scope: str) -> bool:
        """The person who runs the server may do whatever it offers."""
        return True

    @property
    def file_roots(self) -> tuple[Path, ...]:
        return self.settings.file_roots

    @property
    def secret_variables(self) -> Mapping[str, str]:
        return self.settings.secret_env

    @property
    def page(self) -> "Callable[[str], Awaitable[str]] | None":
        """Gives the address where a person answers a pending approval; None where they could not open it."""
        return self._page_of if self.near and self.settings.approval_page else None

    async def _page_of(self, code: str) -> str:
        if self._page is None:
            from .approval_page import ApprovalPage

            self._page = ApprovalPage(self.ledger, subkey(self.state_key, "approval page"), self.account)
        return self._page.address(code)

    async def api(self) -> "ApiClient":
        if self._api is None:
            database = await self.database() if self.platform == "embedded" else None
            async with self._opening:
                if self._api is None:
                    self._api = self._hosted() if database is None else await self._embedded(database)
        return self._api

    async def ledger(self, account: str | None = None) -> "Ledger":
        """With what was changed in `account` alone, where one is given."""
        from .ledger.ledger import Ledger

        return Ledger(await self.database(), self.clock, subkey(self.state_key, "ledger"), account)

    async def database(self) -> "Database":
        async with self._opening:
            if self._db is None:
                # Off the event loop: the first start of a version migrates, and may wait for another process to do so.
                return await anyio.to_thread.run_sync(self._open_database)
        return self._db

    async def engine(self, admit_key: str | None = None) -> "Starlette":
        """The embedded platform as an ASGI app; it demands `admit_key` where one is given.

        Raises WrongKey where the vault's key is not the one that this database was first used with.
        """
        return await self._engine_app(await self.database(), admit_key)

    async def changed(self, ids: Mapping[str, str], account: str | None = None) -> None:
        """Tell who follows them that resources changed. `ids`: of the operation that changed something, by name.

        `account`: where, if not in the server's own.
        """
        for uri in changed_by(ids):
            await self.subscriptions.publish(ResourceUpdated(uri=uri), account or self.account)

    async def status(self, *, operator: bool = True) -> dict[str, Any]:
        from .status import status

        return await status(self, operator=operator)

    async def close(self) -> None:
        """Closes what was opened, each before what it stands on; also where the caller is cancelled.

        One that fails to close does not keep the others open. Each bounds its own waiting.
        """
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as closing:
                closing.push_async_callback(anyio.to_thread.run_sync, self._close_database)
                for each in (self._models, self._engine, self._api, self.tenants, self._page):
                    if each is not None:
                        closing.push_async_callback(each.aclose)
        self._page = self._api = self._models = self._engine = self._inside = None

    def hosted_client(self, key: str | None) -> "ApiClient":
        """With this account's key, or the server's own. Its caller closes it."""
        return self._hosted(key)

    async def embedded_client(self, workspace: str) -> "ApiClient":
        """Of one workspace. Its caller closes it."""
        from .engine.asgi import build_app, told_inside, within

        database = await self.database()
        async with self._opening:
            if self._inside is None:
                self._engine = self._engine or await self._new_engine(database)
                self._inside = build_app(self._engine, told_inside)
        return self._client_of(within(self._inside, workspace))

    def _hosted(self, own_key: str | None = None) -> "ApiClient":
        from pydantic import SecretStr

        from .api.client import ApiClient

        s = self.settings
        told = own_key or s.api_key
        key = SecretStr(told) if told else None
        observe = self.meters.upstream if self.meters else None
        return ApiClient(s.api_url, key=key, bounds=self.bounds, proxy_url=s.proxy_url, observe=observe)

    async def _embedded(self, database: "Database") -> "ApiClient":
        return self._client_of(await self._engine_app(database, None))

    def _client_of(self, asgi: "ASGIApp") -> "ApiClient":
        from .api.client import ApiClient
        from .net.asgi import ASGITransport

        transport = ASGITransport(asgi)
        observe = self.meters.upstream if self.meters else None
        return ApiClient(
            "http://embedded", transport=transport, bounds=self.bounds, deadline=EMBEDDED_SECONDS, observe=observe
        )

    async def _engine_app(self, database: "Database", admit_key: str | None) -> "Starlette":
        from .engine.asgi import build_app, key_holder

        self._engine = self._engine or await self._new_engine(database)
        return build_app(self._engine, key_holder(admit_key))

    async def _new_engine(self, database: "Database") -> "Engine":
        from .engine.asgi import Engine
        from .engine.live.leases import tend
        from .engine.models import models_of
        from .engine.secrets import claim
        from .engine.vault import Vault
        from .engine.vault_key import vault_key
        from .net.guard import AllowList

        vault = Vault(await anyio.to_thread.run_sync(vault_key, self.settings))
        await claim(database, vault)
        allow = AllowList.parse(",".join(self.settings.allow_private))
        self._models = models_of(self.settings)
        engine = Engine(database, vault, self._models, allow, self.clock, self._ids, sleep=self._sleep)
        await tend(engine)
        return engine

    def _open_database(self) -> "Database":
        """In a thread, which goes on where its caller is cancelled: so it is the thread that says what was opened."""
        from .db.database import Database
        from .engine.tables import SCHEMA as ENGINE
        from .ledger.tables import SCHEMA as LEDGER

        with self._database_lock:
            self._db = self._db or Database(self.settings.database_url, {"engine": ENGINE, "ledger": LEDGER})
            return self._db

    def _close_database(self) -> None:
        """In a thread, because work under way may need the event loop for its end."""
        with self._database_lock:
            if self._db is not None:
                self._db.close()
                self._db = None


def _policy(settings: Settings) -> Policy:
    if settings.policy_file is None:
        return Policy(settings.approval or "fine-grained", unattended=settings.unattended)
    from .tools.policy_file import policy_of

    return policy_of(settings, settings.policy_file)


def build_server(
    app: App, entries: list[Entry] | None = None, *, by_url: bool = False, sessions: bool = True
) -> MCPServer[Any]:
    """The MCP server of `app`. `entries` replaces the shipped surface in tests; `by_url`: a URL may choose toolsets.

    `sessions`: clients of the older revisions keep a connection on which they can be told something.
    """
    surface = built() if entries is None else entries
    search = app.settings.surface == "search"
    tools, middleware = _found(app, surface) if search else _listed(app, surface, by_url=by_url)

    reachable = chosen(surface, _widest(app), app.bounds, app.policy)
    long_calls = _long_calls(app, reachable)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[App]:
        try:
            async with long_calls.running(), app.talks.running():
                yield app
        finally:
            await app.close()

    server = GuidedServer(
        app,
        {entry["tool"]["name"] for entry in reachable},
        "callwright",
        title="Callwright",
        description="Builds, rehearses and watches voice agents.",
        version=__version__,
        instructions=instructions(app.settings, app.platform, app.policy.mode),
        icons=[Icon(src=ICON, mime_type="image/svg+xml", sizes=["any"])],
        lifespan=lifespan,
        tools=tools,
        middleware=[one_page, named_prompts, *middleware],
        extensions=[Skills(), Apps(), long_calls],
        cache_hints=dict.fromkeys(_LISTS, _SAME_FOR_ALL),
        request_state_security=RequestStateSecurity(keys=[subkey(app.state_key, "request state")]),
        subscriptions=app.subscriptions,
        log_level="WARNING",
    )
    server.middleware.insert(0, name_question)
    told = ClientLog(app.redact)
    server.middleware[:0] = [told, app.subscriptions]
    if sessions:
        told.serve(server)
        app.subscriptions.serve(server)
    return server


def _long_calls(app: App, reachable: list[Entry]) -> TaskExtension:
    long = scopes_of([entry for entry in reachable if entry["long"]])
    return TaskExtension(app, long, scopes_of(reachable).get("get_task"), RUNNERS.values())


def _listed(app: App, surface: list[Entry], *, by_url: bool) -> tuple[list[Tool], list[Offer]]:
    """Every offered tool in full, and what bounds a connection by its URL."""
    offer = Offer(surface, app.settings.toolsets, app.bounds, app.policy, by_url=by_url)
    return [stamped(lazy(entry, app.policy)) for entry in offer.tools], [offer]


def _found(app: App, surface: list[Entry]) -> tuple[list[Tool], list[Offer]]:
    """The search surface. It costs the same whatever stands behind it, so nothing is left out where nobody chose."""
    from .tools.search import search_tools

    return [*search_tools(chosen(surface, _widest(app), app.bounds, app.policy), app.policy)], []


def _widest(app: App) -> tuple[str, ...]:
    """The toolsets within the operator's bounds: where nobody chose, the everyday list is a beginning and no bound."""
    return ("all",) if app.settings.toolsets == EVERYDAY else app.settings.toolsets
