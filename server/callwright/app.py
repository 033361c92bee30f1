"""Composition root: build the services of tool calls from the settings. The MCP server is built on the App."""

import hmac
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
from mcp.server.subscriptions import ResourceUpdated

from .accounts.principals import LOCAL, Principal
from .approval.policy import Policy
from .bounds import Bounds
from .client_conversations.open_conversations import OpenConversations
from .clients import Clients
from .clock import NewId, NowMs, Sleep, new_id, now_ms
from .engine_host import EngineHost
from .keys import key_file, subkey
from .mcp_server.resources import changed_by
from .mcp_server.subscriptions import Subscriptions
from .settings import Platform, Settings
from .telemetry.metrics import Metrics
from .telemetry.redaction import Redactor, secrets_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from .api.client import ApiClient
    from .approval.browser import Browse
    from .approval.outside import Page, Site
    from .approval.page import ApprovalPage
    from .db.database import Database
    from .ledger.ledger import Ledger, Pending
    from .services import Services
    from .tasks.task import Owner, Tasks

    once = property
    # For the type checker parts are read-only, as the Protocols require; it treats no cached_property as read-only.
else:
    from functools import cached_property as once


@dataclass(frozen=True, eq=False)
class App:
    """All services with the lifetime of the server, for tool calls to use.

    The fields are set once, at creation. Each part is created once, most of them when first used.
    Raises SettingError if the policy file cannot be read.
    """

    settings: Settings
    platform: Platform
    _: KW_ONLY
    command: str = "callwright"
    """Command line with which a person runs this program on the same data; texts that require it name it."""
    near: bool = False
    """Whether the user is at this machine, and so can open a page of this process."""
    browser: "Browse | None" = None
    """Opens an address in the browser of a user at this machine; None: there is none."""
    site: "Site | None" = None
    """Where principals answer who reach this server over HTTP; None: over stdio."""
    patience: float | None = None
    """Seconds after which a long call continues as a task; None: the value of the settings."""
    redact: Redactor | None = None
    """Redacts more secrets than those of the settings; None: only those."""
    clock: NowMs = now_ms
    ids: NewId = new_id
    sleep: Sleep = anyio.sleep

    def __post_init__(self) -> None:
        _ = self.policy  # a mistake in the policy file is reported at the start

    # --- shared by all principals

    @once
    def policy(self) -> Policy:
        if self.settings.policy_file is None:
            return Policy(self.settings.approval or "fine-grained", unattended=self.settings.unattended)
        from .approval.policy_file import policy_of

        return policy_of(self.settings, self.settings.policy_file)

    @once
    def bounds(self) -> Bounds:
        return Bounds(self.settings.read_only, self.settings.no_outbound)

    @once
    def redactor(self) -> Redactor:
        return self.redact or Redactor(secrets_of(self.settings, {}))

    @once
    def metrics(self) -> Metrics:
        """Metrics of the server; over stdio they are counted but not served."""
        return Metrics()

    @once
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(lambda request: self.of(request).account)

    @once
    def open_conversations(self) -> OpenConversations:
        return OpenConversations(self.clock, self.sleep)

    @once
    def tasks(self) -> "Tasks":
        from .tasks.task import Tasks

        patience = self.settings.long_call_seconds if self.patience is None else self.patience
        return Tasks(self.clock, self.ids, patience)

    @once
    def state_key(self) -> bytes:
        """Key of pending approvals, and of the digests and stored values of the change log."""
        return self.settings.state_key or key_file(self.settings.home / "state.key")

    # --- opened resources

    @once
    def host(self) -> EngineHost:
        return EngineHost(self.settings, self.clock, self.ids, self.sleep)

    @once
    def _clients(self) -> Clients:
        return Clients(self.settings, self.platform, self.bounds, self.host, self.metrics.upstream)

    @once
    def _page(self) -> "_Page":
        return _Page(self)

    async def api(self) -> "ApiClient":
        return await self._clients.own()

    async def api_of(self, principal: Principal) -> "ApiClient":
        return await self._clients.of(principal)

    async def database(self) -> "Database":
        return await self.host.database()

    async def ledger(self, account: str | None = None) -> "Ledger":
        """The change log; limited to the changes in `account`, if one is given."""
        from .ledger.ledger import Ledger

        return Ledger(await self.database(), self.clock, subkey(self.state_key, "ledger"), account)

    async def engine(self, admit_key: str | None = None) -> "Starlette":
        """The embedded platform as an ASGI app, which requires the key `admit_key`, if one is given.

        Raises WrongKey if the vault's key is not the one with which this database was first used.
        """
        return await self.host.app(admit_key)

    async def close(self) -> None:
        """Close the opened resources, each before those it depends on; also if the caller is cancelled.

        If one fails to close, the others are closed nevertheless, and each limits its waiting time. The App opens
        resources again when they are used again.
        """
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as closing:
                for each in (self.host, self._clients, self._page):
                    closing.push_async_callback(each.aclose)

    # --- principals and accounts

    def of(self, request: Any) -> "Services":
        """The services of a call by its HTTP request (None: over stdio, or in memory)."""
        user = None if request is None else request.scope.get("user")
        if user is None or user.alone:
            return self
        from .accounts.tenants import Tenant

        return Tenant(self, user.principal)

    @property
    def who(self) -> str:
        return LOCAL

    @property
    def owner(self) -> "Owner":
        return self.who, self.account

    @once
    def account(self) -> str:
        """Account of changes and approvals in the log: `embedded`, or the platform's host and a digest of its key."""
        return "embedded" if self.platform == "embedded" else self._account(self.settings.api_key or "")

    def account_of(self, principal: Principal) -> str:
        if self.platform == "hosted":
            return self._account(principal.key) if principal.key else self.account
        return "embedded" if principal.workspace == "default" else f"embedded {principal.workspace}"

    def _account(self, key: str) -> str:
        mark = hmac.digest(subkey(self.state_key, "account"), key.encode(), "sha256").hex()[:8]
        return f"hosted {urlsplit(self.settings.api_url).netloc} {mark}"

    def may(self, scope: str) -> bool:
        """True: the operator has all scopes."""
        return True

    @property
    def file_roots(self) -> tuple[Path, ...]:
        return self.settings.file_roots

    @property
    def secret_variables(self) -> Mapping[str, str]:
        return self.settings.secret_env

    @property
    def page(self) -> "Page | None":
        """Where the operator answers; None if they could not open a page."""
        return self._page if self.near and self.settings.approval_page else self.shared_page

    @property
    def shared_page(self) -> "Page | None":
        """Where each principal answers for themselves."""
        return self.site if self.settings.approval_page else None

    async def changed(self, ids: Mapping[str, str], account: str | None = None) -> None:
        """Notify subscribers of changed resources. `ids`: the ids of the operation that made the change, by name.

        `account`: the account of the change; None: the server's own.
        """
        for uri in changed_by(ids):
            await self.subscriptions.publish(ResourceUpdated(uri=uri), account or self.account)

    async def status(self, *, operator: bool = True) -> dict[str, Any]:
        from .status import status

        return status(self.settings, self.platform, self.policy.mode, operator=operator)


class _Page:
    """The local approval page; it listens from the first address on."""

    told = None
    """The address is enough to answer."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: ApprovalPage | None = None

    async def address(self, code: str) -> str:
        return self._listening().address(code)

    async def opened(self, pending: "Pending") -> bool:
        return self._app.browser is not None and await self._listening().opened(pending)

    def _listening(self) -> "ApprovalPage":
        if self._open is None:
            from .approval.page import ApprovalPage

            app = self._app
            key = subkey(app.state_key, "approval page")
            self._open = ApprovalPage(app.ledger, key, app.account, app.browser)
        return self._open

    async def aclose(self) -> None:
        if self._open:
            await self._open.aclose()
            self._open = None
