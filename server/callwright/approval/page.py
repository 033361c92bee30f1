"""Local approval page: a person approves or declines one call, and enters a secret that a model must not see.

The address of the page holds a key that only this server and its replicas can make, and is valid for one answer, in the
browser that opened it first. Programs, requests under other host names, forms of other sites, and frames are refused.
"""

import asyncio
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import AF_INET, SOCK_STREAM, socket

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..clock import now_ms
from ..ledger.ledger import Ledger, Pending
from ..web_server.http_protocol import Patience, bounded
from ..web_server.server import Server
from .browser import Browse
from .forms import Visits, read_form
from .pages import BROWSER_NEEDED, ELSEWHERE, HEADERS, NOTE, decide, over, page, question, told

HOST = "127.0.0.1"
CONNECTIONS = 100
COOKIE = "callwright_approval"
MOST_TABS = 5
"""Unanswered questions that are opened in the browser at a time, so that a model in a loop does not fill it."""
SEEN_SECONDS = 10.0
"""How long a started browser may take to fetch the page."""


@dataclass
class _Tab:
    """A question that was opened in the person's browser. `until`: when it ends, in ms."""

    until: int
    fetched: anyio.Event = field(default_factory=anyio.Event)


class ApprovalPage:
    """The HTTP server of the page. `key` signs the addresses. It listens on a free port from the first address on.

    `browser`: opens an address where the person sits; None: nothing can.
    """

    def __init__(
        self, ledger: Callable[[], Awaitable[Ledger]], key: bytes, account: str, browser: Browse | None = None
    ) -> None:
        self._ledger, self._key, self._account, self._browser = ledger, key, account, browser
        self._listening: socket | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._visits = Visits("")
        self._tabs: dict[str, _Tab] = {}
        self._seen: dict[str, tuple[str, int]] = {}
        """Of each page that a browser has fetched: the cookie of that browser, and until when it is open."""

    def address(self, code: str) -> str:
        """The URL at which the pending approval with this code is answered."""
        if self._listening is None:
            self._listen()
        return f"{self._visits.origin}/approve/{code}.{self._mac('address', code)}"

    async def opened(self, pending: Pending) -> bool:
        """Whether the person's browser has the page. Each question is opened once."""
        self._forget()
        if self._browser and pending.code not in self._tabs and len(self._tabs) < MOST_TABS:
            tab = self._tabs[pending.code] = _Tab(pending.expires_ms)
            if await self._browser(self.address(pending.code)):
                with anyio.move_on_after(SEEN_SECONDS):
                    await tab.fetched.wait()
        return pending.code in self._seen

    async def aclose(self) -> None:
        if self._server and self._serving and self._listening:
            self._server.should_exit = True
            # A session may end by cancellation; the port is released in any case.
            with anyio.CancelScope(shield=True):
                await self._serving
            self._listening.close()
        self._listening = self._server = self._serving = None

    def _listen(self) -> None:
        self._listening = socket(AF_INET, SOCK_STREAM)
        self._listening.bind((HOST, 0))
        self._listening.listen()
        self._visits = Visits(f"http://{HOST}:{self._listening.getsockname()[1]}")
        app = Starlette(routes=[Route("/approve/{ticket}", self._answer, methods=["GET", "POST"])])
        config = uvicorn.Config(
            app, http=bounded(Patience(connections=CONNECTIONS)), log_level="error", access_log=False, log_config=None,
            lifespan="off", ws="none", server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = _Quiet(config)
        # The server runs in a separate task, which must not end with the call that first needs the page.
        self._serving = asyncio.get_running_loop().create_task(self._server.serve([self._listening]))

    def _mac(self, purpose: str, *said: str) -> str:
        digest = hmac.digest(self._key, "\0".join([purpose, *said]).encode(), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def _forget(self) -> None:
        """Drop what is known of questions that have ended."""
        now = now_ms()
        self._tabs = {code: tab for code, tab in self._tabs.items() if tab.until >= now}
        self._seen = {code: seen for code, seen in self._seen.items() if seen[1] >= now}

    async def _answer(self, request: Request) -> Response:
        if not self._visits.is_for_here(request):
            return Response(ELSEWHERE, 421, HEADERS)
        ticket = request.path_params["ticket"]
        code, _, mac = ticket.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac("address", code).encode()):
            return told("This address is not valid", "Copy it whole, as it was given.", 404)
        if not self._visits.is_a_persons(request):
            return told("Not for programs", BROWSER_NEEDED, 403)
        ledger = await self._ledger()
        pending = await ledger.pending(code)
        if pending is None or pending.state != "open":
            return over(pending)
        cookie = request.cookies.get(COOKIE, "")
        if request.method == "POST":
            return await self._decide(request, ledger, pending, cookie)
        if code in self._seen and not hmac.compare_digest(cookie.encode(), self._seen[code][0].encode()):
            return told(
                "Open in another browser", f"Answer there, or by `callwright approve {code}` in a terminal.", 403
            )
        return self._shown(pending, cookie if code in self._seen else secrets.token_urlsafe(24), ticket)

    def _shown(self, pending: Pending, cookie: str, ticket: str) -> Response:
        self._seen[pending.code] = cookie, pending.expires_ms
        if tab := self._tabs.get(pending.code):
            tab.fetched.set()
        where = "embedded platform, on this machine" if self._account == "embedded" else self._account
        asked = question(pending, where, self._mac("form", pending.code, cookie))
        shown = page("Approve?", f"<h1>May your assistant do this?</h1>{asked}{NOTE}")
        shown.set_cookie(COOKIE, cookie, path=f"/approve/{ticket}", httponly=True, samesite="strict")
        return shown

    async def _decide(self, request: Request, ledger: Ledger, pending: Pending, cookie: str) -> Response:
        form = await read_form(request)
        shown = self._mac("form", pending.code, cookie)
        if (
            form is None
            or not self._visits.is_own_form(request)
            or not hmac.compare_digest(form.get("token", "").encode(), shown.encode())
        ):
            return told("Not accepted", "Open the address again, and answer on the page itself.", 403)
        answered = await decide(ledger, pending, form)
        if answered.status_code != 400:
            self._tabs.pop(pending.code, None)
        return answered


class _Quiet(Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Installs no signal handlers: these belong to the MCP server in the same process."""
        yield
