"""API clients of one server: its own, and one for each workspace or account of its tenants."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from .accounts.principals import DEFAULT_WORKSPACE
from .bounds import Bounds
from .settings import Platform, Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .accounts.principals import Principal
    from .api.client import ApiClient
    from .engine_host import EngineHost

KEPT_CLIENTS = 256
"""Maximum cached clients, as an issuer may have any number of users; dropped ones are created again when needed."""
EMBEDDED_SECONDS = 30.0


class Clients:
    """Creates API clients when they are first needed. `observe`: gets the status of every answer, or `none`."""

    def __init__(
        self, settings: Settings, platform: Platform, bounds: Bounds, host: "EngineHost", observe: Callable[[str], None]
    ) -> None:
        self._settings, self._platform, self._bounds = settings, platform, bounds
        self._host, self._observe = host, observe
        self._opening = anyio.Lock()
        self._own: ApiClient | None = None
        self._others: OrderedDict[tuple[str, str | None], ApiClient] = OrderedDict()

    async def own(self) -> "ApiClient":
        """The API client of the operator."""
        if self._own is None:
            async with self._opening:
                if self._own is None:
                    self._own = (
                        self._embedded(await self._host.workspace(DEFAULT_WORKSPACE))
                        if self._platform == "embedded"
                        else self._hosted(self._settings.api_key)
                    )
        return self._own

    async def of(self, principal: "Principal") -> "ApiClient":
        """The client for a principal's workspace, or for the account of its key; without a key, for the server's."""
        place = (principal.workspace, principal.key)
        if place not in self._others:
            made = (
                self._embedded(await self._host.workspace(principal.workspace))
                if self._platform == "embedded"
                else self._hosted(principal.key or self._settings.api_key)
            )
            # A concurrent call may have created the same client; this one has opened no connections yet.
            self._others.setdefault(place, made)
        self._others.move_to_end(place)
        found = self._others[place]
        if len(self._others) > KEPT_CLIENTS:
            self._others.popitem(last=False)  # not closed: a call may still use it, and it holds no socket
        return found

    async def aclose(self) -> None:
        while self._others:
            await self._others.popitem()[1].aclose()
        if self._own:
            await self._own.aclose()
        self._own = None

    def _hosted(self, key: str | None) -> "ApiClient":
        from pydantic import SecretStr

        from .api.client import ApiClient

        return ApiClient(
            self._settings.api_url,
            key=SecretStr(key) if key else None,
            bounds=self._bounds,
            proxy_url=self._settings.proxy_url,
            observe=self._observe,
        )

    def _embedded(self, asgi: "ASGIApp") -> "ApiClient":
        from .api.client import ApiClient
        from .net.asgi import ASGITransport

        return ApiClient(
            "http://embedded",
            transport=ASGITransport(asgi),
            bounds=self._bounds,
            deadline=EMBEDDED_SECONDS,
            observe=self._observe,
        )
