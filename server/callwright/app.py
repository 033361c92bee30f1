"""Composition root: settings -> platform -> ApiClient -> what a tool call may use. The MCP server stands on it."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
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
    from .approval.page import ApprovalPage
    from .db.database import Database
    from .ledger.ledger import Ledger
    from .services import Services
    from .tasks.task import Owner, Tasks

    once = property
    # For the type checker a part is read-only, as the Protocols want it; it knows no cached property that is.
else:
    from functools import cached_property as once


@dataclass(frozen=True, eq=False)
class App:
    """Everything that lives as long as the server: what a tool call may use.

    It is made whole from these fields and never set afterwards; each part is made once, most of them when first used.
    Raises SettingError where the policy file cannot be read.
    """

    settings: Settings
    platform: Platform
    _: KW_ONLY
    command: str = "callwright"
    """What a person types to run this program on the same data, for the answers that ask for it."""
    near: bool = False
    """Whether the person is at this machine, so that they can open a page of this process."""
    patience: float | None = None
    """Seconds that a client waits for a long call before it is kept as a task; None: as the settings say."""
    redact: Redactor | None = None
    """Of more secrets than the settings alone tell."""
    clock: NowMs = now_ms
    ids: NewId = new_id
    sleep: Sleep = anyio.sleep

    def __post_init__(self) -> None:
        _ = self.policy  # a mistake in it is said at the start

    # --- what is the same for all who ask

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
        """Counts of what the server does; over stdio nobody looks."""
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
        """Key of approvals in flight, and of the log: its digests, and the values that it keeps."""
        return self.settings.state_key or key_file(self.settings.home / "state.key")

    # --- what is opened

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
        """With what was changed in `account` alone, where one is given."""
        from .ledger.ledger import Ledger

        return Ledger(await self.database(), self.clock, subkey(self.state_key, "ledger"), account)

    async def engine(self, admit_key: str | None = None) -> "Starlette":
        """The embedded platform as an ASGI app; it demands `admit_key` where one is given.

        Raises WrongKey where the vault's key is not the one that this database was first used with.
        """
        return await self.host.app(admit_key)

    async def close(self) -> None:
        """Close what was opened, each before what it stands on; also where the caller is cancelled.

        A part that fails to close does not keep the others open, and each bounds its own waiting. The App opens again
        when it is asked again.
        """
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as closing:
                for each in (self.host, self._clients, self._page):
                    closing.push_async_callback(each.aclose)

    # --- who asks

    def of(self, request: Any) -> "Services":
        """What a call may use that came with this HTTP request (None: over stdio, or in memory)."""
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
        """Where changes are made, for the log and for approvals: `embedded`, or the host and a mark of the key."""
        return "embedded" if self.platform == "embedded" else self._account(self.settings.api_key or "")

    def account_of(self, principal: Principal) -> str:
        if self.platform == "hosted":
            return self._account(principal.key) if principal.key else self.account
        return "embedded" if principal.workspace == "default" else f"embedded {principal.workspace}"

    def _account(self, key: str) -> str:
        mark = hmac.digest(subkey(self.state_key, "account"), key.encode(), "sha256").hex()[:8]
        return f"hosted {urlsplit(self.settings.api_url).netloc} {mark}"

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
    def page(self) -> Callable[[str], Awaitable[str]] | None:
        """Gives the address where a person answers a pending approval; None where they could not open it."""
        return self._page.address if self.near and self.settings.approval_page else None

    async def changed(self, ids: Mapping[str, str], account: str | None = None) -> None:
        """Tell who follows them that resources changed. `ids`: of the operation that changed something, by name.

        `account`: where, if not in the server's own.
        """
        for uri in changed_by(ids):
            await self.subscriptions.publish(ResourceUpdated(uri=uri), account or self.account)

    async def status(self, *, operator: bool = True) -> dict[str, Any]:
        from .status import status

        return status(self.settings, self.platform, self.policy.mode, operator=operator)


class _Page:
    """The page on which a person answers: it listens from the first address that is asked for."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._open: ApprovalPage | None = None

    async def address(self, code: str) -> str:
        if self._open is None:
            from .approval.page import ApprovalPage

            app = self._app
            self._open = ApprovalPage(app.ledger, subkey(app.state_key, "approval page"), app.account)
        return self._open.address(code)

    async def aclose(self) -> None:
        if self._open:
            await self._open.aclose()
            self._open = None
