"""Whose platform, whose log: what a tool call may use when it comes with one of several tokens.

A tenant is a workspace of the embedded platform, or an account of the hosted one. Tenants share the process, the
database, the policy and the bounds; each has a client of its own, and sees of the log what was changed in its place.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api.client import ApiClient
from .ledger.ledger import Ledger
from .principals import LOCAL, Principal

if TYPE_CHECKING:
    from .app import App

KEPT_CLIENTS = 256
"""An issuer may have any number of people; whoever comes back gets a new client."""


class Tenants:
    def __init__(self, app: "App") -> None:
        self._app = app
        self._clients: OrderedDict[tuple[str, str | None], ApiClient] = OrderedDict()

    def of(self, principal: Principal) -> "Tenant":
        return Tenant(self._app, self, principal)

    async def client(self, principal: Principal) -> ApiClient:
        place = (principal.workspace, principal.key)
        if place not in self._clients:
            made = (
                await self._app.embedded_client(principal.workspace)
                if self._app.platform == "embedded"
                else self._app.hosted_client(principal.key)
            )
            # Whoever was quicker meanwhile made the same; the connections of this one were never opened.
            self._clients.setdefault(place, made)
        self._clients.move_to_end(place)
        found = self._clients[place]
        if len(self._clients) > KEPT_CLIENTS:
            self._clients.popitem(last=False)  # not closed: a call of its may be on the way, and it holds no socket
        return found

    async def aclose(self) -> None:
        while self._clients:
            await self._clients.popitem()[1].aclose()


class Tenant:
    """The app, as one principal sees it."""

    def __init__(self, app: "App", tenants: Tenants, principal: Principal) -> None:
        self._app, self._tenants, self._principal = app, tenants, principal
        self.policy, self.bounds, self.state_key, self.meters = app.policy, app.bounds, app.state_key, app.meters
        self.tasks, self.talks = app.tasks, app.talks
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

    async def api(self) -> ApiClient:
        return await self._tenants.client(self._principal)

    async def ledger(self) -> Ledger:
        return await self._app.ledger(self.account)

    async def changed(self, ids: Mapping[str, str]) -> None:
        await self._app.changed(ids, self.account)

    async def status(self) -> dict[str, Any]:
        own = "the account of the key" if self._app.platform == "hosted" else self._principal.workspace
        told = await self._app.status(operator=self.who == LOCAL)
        return {**told, "workspace": own, "data_folder": "on the server"}
