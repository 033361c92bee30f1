"""The page of approvals under the server's own address: each principal signs in, and answers what they asked alone.

A person signs in at the issuer, or by a link for one use that the operator prints. The session is a sealed cookie, so
that each replica reads it. The page works without scripts.
"""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..accounts.principals import Principal
from ..approval.forms import Visits, read_form
from ..approval.outside import SITE_PATH, Site
from ..approval.pages import BROWSER_NEEDED, ELSEWHERE, HEADERS, NOTE, decide, over, page, question, told
from ..approval.seals import Seals
from ..approval.site_links import opened_link
from ..keys import subkey
from ..ledger.ledger import Ledger, Pending
from .limits import Limits
from .login import Login, LoginFailed

SESSION_SECONDS = 1800
LOGIN_SECONDS = 600
LOGIN_COOKIE = "callwright_login"
_BACK = f'<p><a href="{SITE_PATH}">See what waits</a></p>'

log = logging.getLogger(__name__)


class Served(Protocol):
    """What the page uses of the App."""

    @property
    def state_key(self) -> bytes: ...
    def clock(self) -> int: ...
    def account_of(self, principal: Principal) -> str: ...
    async def ledger(self, account: str | None = None) -> Ledger: ...


@dataclass(frozen=True)
class Session:
    """Who is signed in. `by`: their token's name in a link, or the issuer."""

    who: str
    account: str
    by: Literal["link", "issuer"]
    until: int
    id: str


class Approvals:
    """`people`: the principals of the operator's tokens by name. `login`: at the issuer; None: it signs nobody in."""

    def __init__(
        self, app: Served, site: Site, people: Mapping[str, Principal], login: Login | None, limits: Limits
    ) -> None:
        self._app, self._people, self._login, self._limits = app, people, login, limits
        self._visits = Visits(site.url)
        self._secure = urlsplit(site.url).scheme == "https"
        # With this prefix no other host of the domain can set the cookie.
        self._cookie = "__Host-callwright" if self._secure else "callwright_session"
        self._sessions = Seals(app.state_key, "approvals session")
        self._logins = Seals(app.state_key, "approvals login")
        self._forms = subkey(app.state_key, "approvals form")

    def routes(self) -> list[Route]:
        shown: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", "", self._list),
            ("GET", "/login", self._begin),
            ("GET", "/callback", self._signed_in),
            ("GET", "/link/{link}", self._offer),
            ("POST", "/link/{link}", self._enter),
            ("POST", "/leave", self._leave),
            ("POST", "/{code}", self._decide),
        ]
        return [Route(f"{SITE_PATH}{path}", self._admitting(act), methods=[method]) for method, path, act in shown]

    def _admitting(self, act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Refuse what no person's browser sends, before anything is looked at."""

        async def admitted(request: Request) -> Response:
            if not self._visits.is_for_here(request):
                return Response(ELSEWHERE, 421, HEADERS)
            if wait := self._limits.wait(f"approvals {(request.client or ('unknown',))[0]}"):
                return told("Too many requests", f"Wait {wait} s, then open the page again.", 429)
            if not self._visits.is_a_persons(request):
                return told("Not for programs", BROWSER_NEEDED, 403)
            if request.method == "POST" and not self._visits.is_own_form(request):
                return _refused()
            return await act(request)

        return admitted

    # --- what waits

    async def _list(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            # A browser that comes from another site keeps the cookie back until a page of this one leads it on.
            if request.headers.get("sec-fetch-site") == "cross-site":
                return told("One moment", "This page goes on by itself.", more=_BACK, onward=SITE_PATH)
            return self._sign_in()
        ledger = await self._app.ledger()
        waiting = await ledger.waiting(who=session.who)
        asked = [
            f"<section><h2>{number} of {len(waiting)}</h2>{self._question(session, each)}</section>"
            for number, each in enumerate(waiting, 1)
        ]
        title = "May your assistant do this?" if waiting else "Nothing waits for your answer"
        note = NOTE if waiting else '<p class="facts" role="status">What your assistant asks next is shown here.</p>'
        leave = (
            f'<form method="post" action="{SITE_PATH}/leave" class="who"><p>Signed in as {escape(session.who)}.'
            f' <a href="{SITE_PATH}">Look again</a></p>'
            f'<input type="hidden" name="token" value="{self._token(session, "leave")}">'
            '<button class="no">Sign out</button></form>'
        )
        return page("Approvals", f"<h1>{title}</h1>{''.join(asked)}{note}{leave}")

    def _question(self, session: Session, pending: Pending) -> str:
        token = self._token(session, pending.code)
        where = "embedded platform, on this server" if session.account == "embedded" else session.account
        return question(pending, where, token, at=f"{SITE_PATH}/{pending.code}")

    async def _decide(self, request: Request) -> Response:
        session, form, code = self._session(request), await read_form(request), request.path_params["code"]
        if session is None:
            return self._sign_in(401)
        if form is None or not self._is_of(session, code, form):
            return _refused()
        ledger = await self._app.ledger()
        pending = await ledger.pending(code)
        if pending is None or pending.who != session.who or pending.state != "open":
            return over(pending if pending and pending.who == session.who else None, more=_BACK)
        return await decide(ledger, pending, form, who=session.who, more=_BACK)

    # --- signing in and out

    def _sign_in(self, status: int = 200) -> Response:
        own = f'<p><a class="button" href="{SITE_PATH}/login">Sign in</a></p>' if self._login else ""
        text = "Here people answer what their assistants ask. Each sees their own questions alone."
        way = "Or open" if self._login else "Open"
        link = f"{way} the link for one use that whoever runs this server prints: callwright approve --link NAME"
        return told("Sign in to answer", text, status, more=f'{own}<p class="note">{link}</p>')

    async def _begin(self, request: Request) -> Response:
        del request
        if self._login is None:
            return self._sign_in(404)
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        try:
            to = await self._login.address(state, verifier)
        except LoginFailed as exc:
            return told("Not signed in", str(exc), 502, more=_BACK)
        until = self._app.clock() + 1000 * LOGIN_SECONDS
        leading = RedirectResponse(to, 302, HEADERS)
        # Lax, because the issuer's page leads back; it opens nothing but the answer to this very question.
        self._set(leading, LOGIN_COOKIE, self._logins.seal([state, verifier, until]), LOGIN_SECONDS, samesite="lax")
        return leading

    async def _signed_in(self, request: Request) -> Response:
        said = request.query_params
        if self._login is None:
            return self._sign_in(404)
        verifier = self._verifier(request.cookies.get(LOGIN_COOKIE), said.get("state", ""))
        if verifier is None:
            return told("Not signed in", "This login was begun elsewhere, or long ago.", 403, more=_BACK)
        if "code" not in said:
            error = said.get("error", "")
            why = f" ({error})" if re.fullmatch("[a-z_]{1,40}", error) else ""
            return told("Not signed in", f"The issuer did not sign you in{why}.", 403, more=_BACK)
        try:
            principal = await self._login.principal(said["code"], verifier, said.get("iss"))
        except LoginFailed as exc:
            return told("Not signed in", str(exc), 403, more=_BACK)
        entered = self._entered(principal, "issuer")
        entered.delete_cookie(LOGIN_COOKIE, path=SITE_PATH)
        return entered

    def _verifier(self, cookie: str | None, said_state: str) -> str | None:
        """The secret of the login that this browser has begun; None if it has begun none with this state."""
        try:
            state, verifier, until = self._logins.open(cookie)
        except ValueError:
            return None
        own = hmac.compare_digest(state.encode(), said_state.encode())
        return verifier if own and until >= self._app.clock() else None

    async def _offer(self, request: Request) -> Response:
        """A link is only looked at by this, because programs that preview links open them, too."""
        principal, _ = self._of_link(request)
        if principal is None:
            return self._no_link()
        form = '<form method="post"><p class="answers"><button>Sign in</button></p></form>'
        return told("Sign in to answer", f"This link signs you in as {principal.name}, once.", more=form)

    async def _enter(self, request: Request) -> Response:
        principal, id = self._of_link(request)
        ledger = await self._app.ledger()
        if principal is None or not await ledger.spend_once(hashlib.sha256(id.encode()).hexdigest(), seconds=86_400):
            return self._no_link()
        return self._entered(principal, "link")

    def _of_link(self, request: Request) -> tuple[Principal | None, str]:
        name, id = opened_link(request.path_params["link"], self._app.state_key, self._app.clock())
        return self._people.get(name), id

    def _no_link(self) -> Response:
        text = "It was used, or is older than a quarter of an hour. Ask whoever runs this server for another."
        return told("This link does not sign in", text, 403)

    def _entered(self, principal: Principal, by: Literal["link", "issuer"]) -> Response:
        until = self._app.clock() + 1000 * SESSION_SECONDS
        session = Session(principal.name, self._app.account_of(principal), by, until, secrets.token_hex(16))
        log.info("%s signed in to answer (%s).", session.who, by)
        # A page and no redirect: the cookie is sent where a page of this site leads, and not where another one does.
        text = f"You are {session.who} here for {SESSION_SECONDS // 60} minutes."
        entered = told("Signed in", text, more=_BACK, onward=SITE_PATH)
        self._set(entered, self._cookie, self._sessions.seal(asdict(session)), SESSION_SECONDS)
        return entered

    async def _leave(self, request: Request) -> Response:
        session, form = self._session(request), await read_form(request)
        if session is None:
            return self._sign_in()
        if form is None or not self._is_of(session, "leave", form):
            return _refused()
        left = told("Signed out", "You can close this page.", more=_BACK)
        left.delete_cookie(self._cookie, path=self._path(self._cookie), secure=self._secure, httponly=True)
        return left

    # --- sessions

    def _session(self, request: Request) -> Session | None:
        """Who is signed in; nobody whose token was taken out of the file, or whose issuer signs nobody in any more."""
        try:
            claims: dict[str, Any] = self._sessions.open(request.cookies.get(self._cookie))
            session = Session(**claims)
        except (ValueError, TypeError):
            return None
        known = session.who in self._people if session.by == "link" else self._login is not None
        return session if known and session.until >= self._app.clock() else None

    def _token(self, session: Session, purpose: str) -> str:
        return hmac.digest(self._forms, f"{session.id} {purpose}".encode(), "sha256").hex()

    def _is_of(self, session: Session, purpose: str, form: Mapping[str, str]) -> bool:
        return hmac.compare_digest(form.get("token", "").encode(), self._token(session, purpose).encode())

    def _path(self, cookie: str) -> str:
        return "/" if cookie.startswith("__Host-") else SITE_PATH

    def _set(
        self, answer: Response, name: str, value: str, seconds: int, *, samesite: Literal["strict", "lax"] = "strict"
    ) -> None:
        answer.set_cookie(
            name, value, seconds, path=self._path(name), secure=self._secure, httponly=True, samesite=samesite
        )


def _refused() -> Response:
    return told("Not accepted", "Open the page again, and answer on the page itself.", 403, more=_BACK)
