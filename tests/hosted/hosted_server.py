"""The platform elsewhere: the real engine behind real HTTP on this machine, which looks at everything it is asked.

It runs on an event loop of its own, as another machine would, and serves every test of the session. A test's server
is known by its key.
"""

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message

from callwright.app import App
from callwright.contract import all_operations
from callwright.contract.operation import Operation
from callwright.secrecy import SHORTEST
from callwright.settings import Settings
from tests.homes import put_database_into
from tests.peers import serving

from .recorder import Recorded, recorded

OPERATIONS = sorted(all_operations(), key=lambda op: op.path.count("{"))
"""What is written out goes before what stands for any id."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HostedApp(App):
    """A server whose settings say hosted. With it its platform is closed, whose data stay where they are."""

    tenant: "Tenant"

    async def close(self) -> None:
        await super().close()
        await anyio.to_thread.run_sync(self.tenant.close)


class Tenant:
    """The account of one server: its own engine, what it was asked, and what was wrong with that."""

    def __init__(self, portal: BlockingPortal, key: str, app: App) -> None:
        self.key, self.seen, self.wrong = key, list[tuple[Recorded, type[Operation[Any]]]](), list[str]()
        self._portal, self._app, self._engine = portal, app, None
        self._secrets = {key}

    def close(self) -> None:
        self._engine = None
        self._portal.call(self._app.close)

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        self._engine = engine = self._engine or await self._app.engine(self.key)
        request = Request(scope, receive)
        await request.body()
        self._look_at(await recorded(request))
        await engine(scope, _again(request), send)

    def _look_at(self, request: Recorded) -> None:
        """Notes what is wrong instead of failing, because the answer would turn into one more error of the platform."""
        op = operation_of(request)
        if op is None:
            self.wrong.append(f"{request.method} {request.raw_path} is no route of the contract")
            return
        self.seen.append((request, op))
        if request.keys != [self.key]:
            self.wrong.append(f"{op.__name__} came with {len(request.keys)} keys, and they must be the key, once")
        self._secrets |= secrets_in(op, request)
        query = [value for _, value in request.query]
        if shown := [s for s in self._secrets if any(s in text for text in (request.path, request.raw_path, *query))]:
            self.wrong.append(f"{len(shown)} secrets stand in the URL of {op.__name__}")


class Hosted:
    """Makes servers whose platform is elsewhere."""

    def __init__(self, portal: BlockingPortal, url: str, tenants: dict[str, Tenant]) -> None:
        self._portal, self._url, self._tenants = portal, url, tenants
        self._running, self._twice = list[dict[str, bool]](), list[str]()

    def app(self, chosen: Settings, **rest: Any) -> App:
        key = f"a-key-of-the-test-{next(_KEYS)}"
        elsewhere = replace(chosen, home=chosen.home / "platform", own_database_url=None, api_key=None)
        put_database_into(elsewhere.home)
        tenant = Tenant(self._portal, key, App(elsewhere, "embedded", **rest))
        self._tenants[key] = tenant
        told = replace(chosen, api_url=self._url, api_key=key)
        return HostedApp(told, "hosted", tenant=tenant, **{name: rest[name] for name in rest if name != "ids"})

    @contextmanager
    def one_call(self, tool: str) -> Generator[None]:
        """Within one call of a tool, while no other runs, nothing that acts is sent a second time."""
        before = {key: len(tenant.seen) for key, tenant in self._tenants.items()}
        call = {"alone": not self._running}
        for other in self._running:
            other["alone"] = False
        self._running.append(call)
        try:
            yield
        finally:
            self._running = [other for other in self._running if other is not call]
        for key, tenant in self._tenants.items():
            acts = [request for request, op in tenant.seen[before.get(key, 0) :] if op.effect != "read"]
            if call["alone"] and any(acts.count(act) > 1 for act in acts):
                self._twice.append(f"{tool} sent something that acts twice")

    def close(self) -> list[str]:
        """What was wrong with what the platform was asked."""
        for tenant in self._tenants.values():
            tenant.close()
        wrong = [line for tenant in self._tenants.values() for line in tenant.wrong]
        if not self._tenants:
            wrong.append("no server was made by `transports.server`, so that the test ran against something else")
        self._tenants.clear()
        return wrong + self._twice


_KEYS = count(1)


def operation_of(request: Recorded) -> type[Operation[Any]] | None:
    """The operation whose method and path these are, read as they were sent."""
    segments = request.raw_path.split("/")
    for op in OPERATIONS:
        wanted = op.path.split("/")
        if op.method == request.method and len(wanted) == len(segments):
            pairs = zip(wanted, segments, strict=True)
            if all(want == got or (want.startswith("{") and got.strip(".")) for want, got in pairs):
                return op
    return None


def secrets_in(op: type[Operation[Any]], request: Recorded) -> set[str]:
    """The values of a request that only go in."""
    body: Any = request.json
    if not isinstance(body, dict):
        return set()
    path = {name: "id" for name, place in op.places().items() if place == "path"}
    found = _secrets(op.parse(path, {}, cast(dict[str, Any], body)))
    return {secret for secret in found if len(secret) >= SHORTEST}


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _secrets(inner)
    elif isinstance(value, dict | list):
        inner = cast(dict[object, object], value).values() if isinstance(value, dict) else cast(list[object], value)
        for each in inner:
            yield from _secrets(each)


def _again(request: Request) -> Any:
    """What gives the engine the body that was read already, and then what comes after it."""
    body = [{"type": "http.request", "body": request._body, "more_body": False}]  # pyright: ignore[reportPrivateUsage]

    async def receive() -> Message:
        return body.pop() if body else await request.receive()

    return receive


@asynccontextmanager
async def _served(tenants: dict[str, Tenant]) -> AsyncGenerator[str]:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        key = Request(scope).headers.get("xi-api-key", "")
        if tenant := tenants.get(key):
            await tenant.serve(scope, receive, send)
        else:
            await JSONResponse({"detail": {"status": "no_key", "message": "No such key."}}, 401)(scope, receive, send)

    async with serving(serve) as url:
        yield url


@contextmanager
def hosting() -> Generator[tuple[BlockingPortal, str, dict[str, Tenant]]]:
    """One server for all tests."""
    tenants: dict[str, Tenant] = {}
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_served(tenants)) as url:
        yield portal, url, tenants
