"""Where the server works, under which rules, and what is missing; without a network request and without secrets."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import __version__
from .settings import is_loopback

if TYPE_CHECKING:
    from .app import App

WORKSPACE = "default"


async def status(app: "App") -> dict[str, Any]:
    s = app.settings
    hosted = app.platform == "hosted"
    return {
        "version": __version__,
        "platform": app.platform,
        "host": s.api_url if hosted else "in this process",
        "workspace": "the account of the key" if hosted else WORKSPACE,
        "approval": s.approval,
        "unattended": s.unattended,
        "read_only": s.read_only,
        "no_outbound": s.no_outbound,
        "llm": "the hosted platform's" if hosted else llm(app),
        "data_folder": str(s.home),
        "missing": missing(app),
    }


def llm(app: "App") -> str:
    s = app.settings
    if not s.llm_base_url:
        return "offline responder (quotes documents, judges nothing)"
    return f"{s.llm_model or 'the model that each agent names'} at {s.llm_base_url}"


def missing(app: "App") -> list[str]:
    """What would make more possible, each with how to get it."""
    s = app.settings
    found: list[str] = []
    if app.platform == "embedded" and not s.llm_base_url:
        found.append(
            "No LLM: rehearsals quote documents and judgements are unknown. Set CALLWRIGHT_LLM_BASE_URL (for instance"
            " http://127.0.0.1:11434/v1) and CALLWRIGHT_LLM_MODEL, then restart."
        )
    if s.llm_base_url and not s.llm_api_key and not is_loopback(urlsplit(s.llm_base_url).hostname):
        found.append("CALLWRIGHT_LLM_API_KEY is not set; most endpoints outside this machine demand a key.")
    if app.platform == "hosted" and not s.api_key:
        found.append("ELEVENLABS_API_KEY is not set: the hosted platform will refuse every call.")
    return found
