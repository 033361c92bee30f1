"""Whose platform, whose log: what a tool call may use when it comes with one of several tokens.

A tenant is a workspace of the embedded platform, or an account of the hosted one. Tenants share the process, the
database, the policy and the bounds; each has a client of its own, and sees of the log what was changed in its place.
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
    """The app, as one principal sees it."""

    def __init__(self, app: "Shared", principal: Principal) -> None:
        self._app, self._principal = app, principal
        self.policy, self.bounds, self.state_key, self.metrics = app.policy, app.bounds, app.state_key, app.metrics
        self.tasks, self.open_conversations = app.tasks, app.open_conversations
        self.who = principal.name
        self.account = app.account_of(principal)
        self.owner = (self.who, self.account)
        self.command = None
        """Who reads this sits elsewhere: only whoever runs the server can run the program on its data."""
        self.file_roots: tuple[Path, ...] = ()
        """Files are for clients on the same machine (stdio)."""
        self.page = None
        """A page of this process would open on the client's machine, and that is another one."""
        self.secret_variables: Mapping[str, str] = {}
        """What the operator keeps in the environment is for the operator's own clients."""

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
