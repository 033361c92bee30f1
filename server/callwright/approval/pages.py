"""The pages on which a person answers: plain HTML that works without scripts and reads well without styles."""

import secrets
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template

from starlette.responses import HTMLResponse, Response

from ..clock import now_ms
from ..ledger.ledger import Ledger, Pending

LONGEST_VALUE = 20_000
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    # With no-referrer a browser would also hide the origin of the form of this page.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BROWSER_NEEDED = "A person opens this page in a browser. Programs are not answered here."
ELSEWHERE = "Open the address exactly as it was given.\n"
_UNTIL = "It is done once, when the assistant calls again, by {} at the latest. You can close this page."


def page(title: str, main: str, status: int = 200, *, onward: str | None = None) -> Response:
    """`main`: HTML. `onward`: a path of this origin to which the browser goes on by itself."""
    nonce = secrets.token_urlsafe(16)
    template = files("callwright").joinpath("approval", "page.html").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    head = f'<meta http-equiv="refresh" content="0; url={escape(onward)}">' if onward else ""
    filled = Template(template).substitute(title=escape(title), main=main, nonce=nonce, head=head)
    return HTMLResponse(filled, status, {**HEADERS, "Content-Security-Policy": policy})


def told(title: str, text: str, status: int = 200, *, more: str = "", onward: str | None = None) -> Response:
    """A page with one message. `more`: HTML below it."""
    main = f'<h1>{escape(title)}</h1><p class="facts" role="status">{escape(text)}</p>{more}'
    return page(title, main, status, onward=onward)


def over(pending: Pending | None, *, more: str = "") -> Response:
    """The page for an approval that is already decided or expired, as on a reload or in a second tab."""
    if pending is None:
        text = "Each question takes one answer, and waits a quarter of an hour for it. Let the assistant ask again."
        return told("Answered or expired", text, 410, more=more)
    if pending.state == "declined":
        return told("Already declined", "Nothing is done. You can close this page.", 410, more=more)
    return told("Already approved", _UNTIL.format(_time(pending)), 410, more=more)


async def decide(
    ledger: Ledger, pending: Pending, form: dict[str, str], *, who: str | None = None, more: str = ""
) -> Response:
    """Take the answer of a form that is the page's own. `who`: the principal that answers; None: whoever asked."""
    if form.get("decision") == "decline":
        if not await ledger.decline(pending.code, who=who):
            return over(await ledger.pending(pending.code), more=more)
        return told("Declined", "Nothing is done, and the assistant is told so. You can close this page.", more=more)
    value = form.get("value", "")
    if form.get("decision") != "approve" or (pending.needs == "value" and not 0 < len(value) <= LONGEST_VALUE):
        return told("Nothing was entered", "Go back, enter the value, then store it.", 400)
    if await ledger.approve(pending.code, value if pending.needs == "value" else None, who=who) is None:
        return over(await ledger.pending(pending.code), more=more)
    goes_on = _UNTIL.format(_time(pending))
    return told("Approved", f"Tell the assistant to go on, unless it does so already. {goes_on}", more=more)


def question(pending: Pending, where: str, token: str, *, at: str | None = None) -> str:
    """HTML: the facts of one approval, and the form that answers it.

    `where`: what the call acts on. `token`: shows that the form is the page's. `at`: the path that takes the answer;
    None: the page's own address.
    """
    minutes = (pending.expires_ms - now_ms()) // 60_000 + 1
    code, entry, verb = pending.code, "", "Approve"
    if pending.needs == "value":
        verb = "Store"
        # Where several questions wait, none takes the focus from the others.
        focus = "" if at else " autofocus"
        entry = (
            f'<label for="value-{code}">Value</label>'
            f'<p class="hint" id="hint-{code}">It is kept encrypted. The assistant does not see it.</p>'
            f'<input id="value-{code}" name="value" type="password" maxlength="{LONGEST_VALUE}" autocomplete="off"'
            f' aria-describedby="hint-{code}" required{focus} spellcheck="false">'
        )
    origin = f"<dt>Asked by</dt><dd>{escape(pending.who)}</dd>" if pending.who != "local" else ""
    action = f' action="{escape(at)}"' if at else ""
    facts = f'aria-describedby="facts-{code}"'
    # No button has the focus when the page opens, so that a key meant for another window approves nothing.
    return (
        f'<p class="facts" id="facts-{code}">{escape(pending.question)}</p>'
        f"<dl><dt>Tool</dt><dd>{escape(pending.tool)}</dd><dt>Acts on</dt><dd>{escape(where)}</dd>{origin}"
        f"<dt>Code</dt><dd>{code}</dd>"
        f"<dt>Answer by</dt><dd>{_time(pending)} ({minutes} min)</dd></dl>"
        f'<form method="post"{action}><input type="hidden" name="token" value="{token}">{entry}<p class="answers">'
        f'<button name="decision" value="approve" {facts}>{verb}</button> '
        f'<button name="decision" value="decline" class="no" formnovalidate {facts}>Decline</button></p></form>'
    )


NOTE = (
    '<p class="note">Approve only what you asked for. Your answer holds for this one call, as it is shown here.'
    " Without an answer nothing is done.</p>"
)


def _time(pending: Pending) -> str:
    """The expiry time of the approval, with the time zone of this machine: the person may be in another one."""
    return datetime.fromtimestamp(pending.expires_ms / 1000).astimezone().strftime("%H:%M %Z")
