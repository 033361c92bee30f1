"""The handler of the chat page. It shows the page to people who may talk to the agent, and a reason to others.

The reason reveals no more than the WebSocket would. The API key has no effect here: the page talks without a key, so
access is checked without a key too.
"""

import hashlib
import secrets
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ...contract.errors import ApiError, NotFound
from ...contract.merge import Json
from ...contract.paths import at
from ..checks.access import home_of
from ..checks.problems import refuse_unstorable
from ..live.start import check_access
from ..runtime import Engine
from ..schema.tables import agent
from ..store.transaction import RequestOrigin, Tx
from .terms import set_text, terms

_FOLDER = files("callwright").joinpath("engine/chat_page/files")
_KINDS = {
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "line.js": "text/javascript",
    "transcript.js": "text/javascript",
    "words.js": "text/javascript",
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address holds a token
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LABELS = {
    "start_chat": "Start chat",
    "accept_terms": "Accept and start",
    "end_call": "End chat",
    "new_call": "Start again",
    "input_label": "Your message",
    "input_placeholder_text_only": "Write a message",
}
"""Default labels of the page, for those that the agent's `text_contents` leave out."""

_REFUSALS = {
    400: ("This agent is not available", "Ask whoever runs the agent."),
    401: (
        "This agent is open by link only",
        "Open the whole link that you were given; after a reload too. Without one, ask whoever runs the agent.",
    ),
    403: ("You cannot talk with this agent from here", "Ask whoever runs it, or gave you the link."),
    404: ("There is no such agent", "Check the address: part of it may be missing."),
}
_OTHERWISE = "The page cannot be shown", "Check the address, or ask whoever gave it to you."


async def show(engine: Engine, request: Request) -> Response:
    """The page, or a page with the reason for a refusal and its HTTP status."""
    agent_id = request.path_params["agent_id"]
    token = request.query_params.get("conversation_signature") or request.query_params.get("token")
    # The conversation will be started from this page, so it must be among the allowed pages if the agent names any.
    origin = RequestOrigin(page=f"{request.url.scheme}://{request.url.netloc}", has_key=False)
    try:
        refuse_unstorable([agent_id, token], [])
        workspace = await engine.database.read(lambda db: home_of(db, agent_id))
        name, document = await engine.unit(workspace, origin).read(lambda tx: _admitted(tx, agent_id, token))
    except ApiError as refused:
        return _refusal(refused)
    return _page(f"Chat with {name}", _talk(agent_id, name, document), script=True)


def file(version: str, name: str) -> Response:
    """One of the files that the page loads.

    Raises NotFound for another version, so that no file is cached under a wrong version.
    """
    if name not in _KINDS or version != _version():
        raise NotFound(f"No file {name!r}.")
    return Response(_files()[name], media_type=_KINDS[name], headers=_FOREVER)


def _admitted(tx: Tx, agent_id: str, token: str | None) -> tuple[str, Json]:
    check_access(tx, agent_id, token)
    row = tx.one(agent, agent_id)
    return row["name"], row["document"]


def _talk(agent_id: str, name: str, document: Json) -> str:
    widget: Json = document["platform_settings"]["widget"]
    given: Json = widget.get("text_contents") or {}
    labels = {label: str(given.get(label) or own) for label, own in _LABELS.items()}
    demanded, introduction = terms(widget), widget.get("shareable_page_text")
    fields = {
        **labels,
        "agent_id": agent_id,
        "name": name,
        "language": document["conversation_config"]["agent"]["language"],
        "begin": labels["accept_terms" if demanded else "start_chat"],
        "terms_key": widget.get("terms_key") or "",
        "terms_version": hashlib.sha256(demanded.encode()).hexdigest()[:16] if demanded else "",
    }
    escaped = {field: escape(text) for field, text in fields.items()}
    return Template(_read("talk.html")).substitute(
        escaped,
        picture=_picture(at(widget, "avatar", "url"), name),
        introduction=set_text(introduction) if introduction else "",
        terms=set_text(demanded) if demanded else "",
        no_terms="" if demanded else "hidden",
    )


def _picture(url: str | None, name: str) -> str:
    """The uploaded avatar, else the first letter of the name. No picture is fetched from another host."""
    if url and url.startswith("/v1/"):
        return f'<img class="picture" src="../..{escape(url)}" alt="">'
    return f'<span class="picture" aria-hidden="true">{escape(name[:1].upper())}</span>'


def _refusal(refused: ApiError) -> Response:
    title, advice = _REFUSALS.get(refused.status, _OTHERWISE)
    text = f"<h1>{title}</h1><p>{escape(advice)}</p><p class=detail>{escape(str(refused))}</p>"
    return _page(title, f'<main class="card refusal">{text}</main>', refused.status)


def _page(title: str, body: str, status: int = 200, *, script: bool = False) -> Response:
    nonce, version = secrets.token_urlsafe(16), _version()
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self';"
        " img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    loaded = f'<script type="module" nonce="{nonce}" src="../../chat/{version}/chat.js"></script>' if script else ""
    filled = Template(_read("page.html")).substitute(
        title=escape(title), body=body, nonce=nonce, version=version, script=loaded
    )
    return HTMLResponse(filled, status, {**_HEADERS, "Content-Security-Policy": policy})


@cache
def _version() -> str:
    """The version of the files. It changes with their content, so that browsers may cache each file for ever."""
    return hashlib.sha256(b"\0".join(_files().values())).hexdigest()[:16]


@cache
def _files() -> dict[str, bytes]:
    return {name: _FOLDER.joinpath(name).read_bytes() for name in _KINDS}


@cache
def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
