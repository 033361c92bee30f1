"""Tenants: the services of a tool call for one principal, on a server with several tokens.

A tenant is a workspace of the embedded platform, or an account of the hosted one. Tenants share the process, the
database, the policy and the bounds. Each has a separate API client, and sees only its own entries of the change log.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .principals import LOCAL, Principal

if TYPE_CHECKING:
    from ..api.client import ApiClient
    from ..ledger.ledger import Ledger
    from ..services import Shared


class Tenant:
    """The services of the App, limited to one principal."""

    def __init__(self, app: "Shared", principal: Principal) -> None:
        self._app, self._principal = app, principal
        self.policy, self.bounds, self.state_key, self.metrics = app.policy, app.bounds, app.state_key, app.metrics
        self.tasks, self.open_conversations = app.tasks, app.open_conversations
        self.who = principal.name
        self.account = app.account_of(principal)
        self.owner = (self.who, self.account)
        self.command = None
        """A client over HTTP is on another machine; only the operator can run the program on the server's data."""
        self.file_roots: tuple[Path, ...] = ()
        """Only clients on the same machine (stdio) may use files."""
        self.page = app.shared_page
        """The client is on another machine, and not alone here: its person signs in."""
        self.secret_variables: Mapping[str, str] = {}
        """Secrets in the operator's environment are only for the operator's own clients."""

    def may(self, scope: str) -> bool:
        return self._principal.may(scope)

    async def api(self) -> "ApiClient":
        return await self._app.api_of(self._principal)

    async def ledger(self) -> "Ledger":
        return await self._app.ledger(self.account)

    async def changed(self, ids: Mapping[str, str]) -> None:
        await self._app.changed(ids, self.account)

    async def status(self) -> dict[str, Any]:
        own = "the account of the key" if self._app.platform == "hosted" else self._principal.workspace
        told = await self._app.status(operator=self.who == LOCAL)
        return {**told, "workspace": own, "data_folder": "on the server"}
