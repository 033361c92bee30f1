"""Liveness and readiness checks for an orchestrator (`/healthz`, `/readyz`). Their answers hold no secrets."""

from collections.abc import Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..contract.agents import ListAgents
from ..contract.errors import ApiError, Forbidden, RateLimited, Unauthorized, Unreachable
from ..db.faults import Damaged, NotOpened, NotWritable
from ..services import Examined

CHECK_SECONDS = 5.0
KEPT_SECONDS = 5.0
"""Seconds for which a result is cached, so that frequent checks do not reach the platform each time."""


class Readiness:
    """Readiness: opens the database and reads one agent from the platform. Results are `ok` or a fixed error text."""

    def __init__(self, app: Examined) -> None:
        self._app = app
        self._lock = anyio.Lock()
        self._found: dict[str, str] = {}
        self._until = 0.0

    async def __call__(self) -> dict[str, str]:
        """Name of the check -> its result."""
        async with self._lock:
            if anyio.current_time() >= self._until:
                self._found = {
                    "database": await _said(self._database, "does not open"),
                    "platform": await _said(self._platform, "fails"),
                }
                self._until = anyio.current_time() + KEPT_SECONDS
            return self._found

    async def _database(self) -> None:
        database = await self._app.database()
        await database.read(lambda db: db.exec_driver_sql("SELECT 1"))
        if database.why_read_only:
            raise NotWritable(database.why_read_only)

    async def _platform(self) -> None:
        await (await self._app.api()).send(ListAgents(page_size=1), deadline=CHECK_SECONDS)


def routes(app: Examined) -> list[Route]:
    ready = Readiness(app)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        checks = await ready()
        good = all(said == "ok" for said in checks.values())
        return JSONResponse({"ready": good, "checks": checks}, 200 if good else 503)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


async def _said(check: Callable[[], Awaitable[None]], otherwise: str) -> str:
    """`ok`, or `otherwise` on an error: its own text may name hosts, folders and keys, and the check is public."""
    try:
        with anyio.fail_after(CHECK_SECONDS):
            await check()
    except (Unauthorized, Forbidden):
        return "refuses the key"
    except RateLimited:
        return "limits the rate"
    except NotWritable:
        return "can only be read"
    except (NotOpened, Damaged):
        return otherwise
    except (Unreachable, TimeoutError):
        return "does not answer"
    except ApiError:
        return "answers with an error"
    except Exception:  # any error means not ready
        return otherwise
    return "ok"
