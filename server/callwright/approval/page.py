"""Local approval page: a person approves or declines one call, and enters a secret that a model must not see.

The address of the page holds a key that only this server and its replicas can make, and is valid for one answer. The
page works without scripts. Requests under other host names, forms of other sites, and frames are refused.
"""

import asyncio
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from html import escape
from importlib.resources import files
from socket import AF_INET, SOCK_STREAM, socket
from string import Template
from urllib.parse import parse_qs

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ..clock import now_ms
from ..graceful import Server
from ..ledger.ledger import Ledger, Pending

HOST = "127.0.0.1"
LARGEST_FORM = 200_000
"""Maximum size of a form in bytes: a secret of 20,000 characters with three percent-encoded bytes each."""
LONGEST_VALUE = 20_000
COOKIE = "callwright_approval"
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    # With no-referrer a browser would also hide the origin of the form of this page.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ApprovalPage:
    """The HTTP server of the page. `key` signs the addresses. It listens on a free port from the first address on."""

    def __init__(self, ledger: Callable[[], Awaitable[Ledger]], key: bytes, account: str) -> None:
        self._ledger, self._key, self._account = ledger, key, account
        self._listening: socket | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def address(self, code: str) -> str:
        """The URL at which the pending approval with this code is answered."""
        if self._listening is None:
            self._listen()
        return f"http://{self._host}/approve/{code}.{self._mac('address', code)}"

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
        app = Starlette(routes=[Route("/approve/{ticket}", self._answer, methods=["GET", "POST"])])
        config = uvicorn.Config(
            app, log_level="error", access_log=False, log_config=None, lifespan="off", ws="none",
            server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = _Quiet(config)
        # The server runs in a separate task, which must not end with the call that first needs the page.
        self._serving = asyncio.get_running_loop().create_task(self._server.serve([self._listening]))

    @property
    def _host(self) -> str:
        return f"{HOST}:{self._listening.getsockname()[1]}" if self._listening else ""

    def _mac(self, purpose: str, *said: str) -> str:
        digest = hmac.digest(self._key, "\0".join([purpose, *said]).encode(), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")

    async def _answer(self, request: Request) -> Response:
        if request.headers.get("host") != self._host:
            return Response("Open the address exactly as it was given.\n", 421, _HEADERS)
        ticket = request.path_params["ticket"]
        code, _, mac = ticket.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac("address", code).encode()):
            return _told("This address is not valid", "Copy it whole, as the assistant showed it.", 404)
        ledger = await self._ledger()
        pending = await ledger.pending(code)
        if pending is None or pending.state != "open":
            return _over(pending)
        if request.method == "POST":
            return await self._decide(request, ledger, pending)
        nonce = secrets.token_urlsafe(24)
        page = _page("Approve?", _question(pending, self._account, self._mac("form", code, nonce)))
        page.set_cookie(COOKIE, nonce, path=f"/approve/{ticket}", httponly=True, samesite="strict")
        return page

    async def _decide(self, request: Request, ledger: Ledger, pending: Pending) -> Response:
        form = await _form(request)
        shown = self._mac("form", pending.code, request.cookies.get(COOKIE, ""))
        if (
            form is None
            or not self._own(request)
            or not hmac.compare_digest(form.get("token", "").encode(), shown.encode())
        ):
            return _told("Not accepted", "Open the address again, and answer on the page itself.", 403)
        if form.get("decision") == "decline":
            await ledger.decline(pending.code)
            return _told("Declined", "Nothing is done, and the assistant is told so. You can close this page.")
        value = form.get("value", "")
        if form.get("decision") != "approve" or (pending.needs == "value" and not 0 < len(value) <= LONGEST_VALUE):
            return _told("Nothing was entered", "Go back, enter the value, then store it.", 400)
        if await ledger.approve(pending.code, value if pending.needs == "value" else None) is None:
            return _over(await ledger.pending(pending.code))
        goes_on = _UNTIL.format(_time(pending))
        return _told("Approved", f"Tell the assistant to go on, unless it does so already. {goes_on}")

    def _own(self, request: Request) -> bool:
        """Whether the form was sent from this page. Old browsers send neither header; then the token must do."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        return origin in (None, f"http://{self._host}") and site in (None, "same-origin")


class _Quiet(Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Installs no signal handlers: these belong to the MCP server in the same process."""
        yield


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of the form, each given once; None if the body is not a form of this page."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


_UNTIL = "It is done once, when the assistant calls again, by {} at the latest. You can close this page."


def _over(pending: Pending | None) -> Response:
    """The page for an approval that is already decided or expired, as on a reload or in a second tab."""
    if pending is None:
        text = "Each question takes one answer, and waits a quarter of an hour for it. Let the assistant ask again."
        return _told("Answered or expired", text, 410)
    if pending.state == "declined":
        return _told("Already declined", "Nothing is done. You can close this page.", 410)
    return _told("Already approved", _UNTIL.format(_time(pending)), 410)


def _time(pending: Pending) -> str:
    """The expiry time of the approval, in the local time of this machine, which the person uses."""
    return datetime.fromtimestamp(pending.expires_ms / 1000).astimezone().strftime("%H:%M")


def _question(pending: Pending, account: str, token: str) -> str:
    minutes = (pending.expires_ms - now_ms()) // 60_000 + 1
    entry, verb = "", "Approve"
    if pending.needs == "value":
        verb = "Store"
        entry = (
            '<label for="value">Value</label>'
            '<p class="hint" id="hint">It is kept encrypted. The assistant does not see it.</p>'
            f'<input id="value" name="value" type="password" maxlength="{LONGEST_VALUE}" autocomplete="off"'
            ' aria-describedby="hint" required autofocus spellcheck="false">'
        )
    where = "embedded platform, on this machine" if account == "embedded" else account
    origin = f"<dt>Asked by</dt><dd>{escape(pending.who)}</dd>" if pending.who != "local" else ""
    # No button has the focus when the page opens, so that a key meant for another window approves nothing.
    return (
        "<h1>May your assistant do this?</h1>"
        f'<p class="facts">{escape(pending.question)}</p>'
        f"<dl><dt>Tool</dt><dd>{escape(pending.tool)}</dd><dt>Acts on</dt><dd>{escape(where)}</dd>{origin}"
        f"<dt>Code</dt><dd>{escape(pending.code)}</dd>"
        f"<dt>Answer by</dt><dd>{_time(pending)} ({minutes} min)</dd></dl>"
        f'<form method="post"><input type="hidden" name="token" value="{token}">{entry}<p class="answers">'
        f'<button name="decision" value="approve">{verb}</button>'
        '<button name="decision" value="decline" class="no" formnovalidate>Decline</button></p></form>'
        '<p class="note">Approve only what you asked for. Your answer holds for this one call, as it is shown here.'
        " Without an answer nothing is done.</p>"
    )


def _told(title: str, text: str, status: int = 200) -> Response:
    return _page(title, f'<h1>{title}</h1><p class="facts" role="status">{text}</p>', status)


def _page(title: str, main: str, status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    template = files("callwright").joinpath("approval", "page.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    filled = Template(template).substitute(title=title, main=main, nonce=nonce)
    return HTMLResponse(filled, status, {**_HEADERS, "Content-Security-Policy": policy})
