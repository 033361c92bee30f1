"""Status of the server: platform, rules and missing settings; without network requests and without secrets."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import __version__
from .settings import Approval, Platform, SettingError, Settings, is_loopback

if TYPE_CHECKING:
    from .engine.models.routing import Route

WORKSPACE = "default"
_OFFLINE = "offline responder (quotes documents, judges nothing)"


def status(settings: Settings, platform: Platform, mode: Approval, *, operator: bool = True) -> dict[str, Any]:
    """The status as a document. `mode`: the approval mode of the policy in force.

    `operator`: include the endpoints of models and the missing settings, which only the operator may see.
    """
    hosted = platform == "hosted"
    return {
        "version": __version__,
        "platform": platform,
        "host": settings.api_url if hosted else "in this process",
        "workspace": "the account of the key" if hosted else WORKSPACE,
        "approval": mode,
        "unattended": settings.unattended,
        "read_only": settings.read_only,
        "no_outbound": settings.no_outbound,
        "llm": "the hosted platform's" if hosted else llm(settings) if operator else _answering(settings),
        "data_folder": str(settings.home),
        "missing": missing(settings, platform) if operator else _lacking(settings, platform),
    }


def routes(settings: Settings) -> dict[str, "Route"]:
    """Model name, or prefix with `*` -> endpoint. Raises SettingError for a bad routes file."""
    if not settings.llm_base_url and not settings.llm_routes:
        return {}
    from .engine.models.routing import models_of

    return models_of(settings).routes


def llm(settings: Settings) -> str:
    try:
        found = routes(settings)
    except SettingError:
        return "none: CALLWRIGHT_LLM_ROUTES cannot be read"
    if not found:
        return _OFFLINE
    named = [
        f"{name}{f' as {route.model}' if route.model else ''} at {route.base_url}"
        for name, route in found.items()
        if name != "*"
    ]
    if rest := found.get("*"):
        at = f"{rest.model or 'the model that each agent names'} at {rest.base_url}"
        return "; ".join([*named, f"others: {at}"]) if named else at
    return "; ".join([*named, f"others: {_OFFLINE}"])


def _answering(settings: Settings) -> str:
    """As `llm`, without endpoints and the names of models there, which only the operator may see."""
    try:
        names = list(routes(settings))
    except SettingError:
        return "none"
    served = ", ".join("every model" if name == "*" else name for name in names)
    rest = "" if "*" in names else f"; others: {_OFFLINE}"
    return f"this server's, for {served}{rest}" if names else _OFFLINE


def _lacking(settings: Settings, platform: Platform) -> list[str]:
    if platform == "hosted" or "this server's" in _answering(settings):
        return []
    return [
        "No LLM: rehearsals quote documents and judgements are unknown. Whoever runs this server can configure one."
    ]


def missing(settings: Settings, platform: Platform) -> list[str]:
    """Missing settings, each with its benefit and how to set it."""
    found: list[str] = []
    if platform == "embedded":
        try:
            found += _missing_of(routes(settings))
        except SettingError as exc:
            found.append(str(exc))
    elif not settings.api_key:
        found.append("ELEVENLABS_API_KEY is not set: the hosted platform will refuse every call.")
    return found


def _missing_of(found: dict[str, "Route"]) -> list[str]:
    if not found:
        return [
            "No LLM: rehearsals quote documents and judgements are unknown. Set CALLWRIGHT_LLM_BASE_URL (for instance"
            " http://127.0.0.1:11434/v1) and CALLWRIGHT_LLM_MODEL, then restart."
        ]
    keyless = {
        route.base_url
        for route in found.values()
        if not route.api_key.get_secret_value() and not is_loopback(urlsplit(route.base_url).hostname)
    }
    return [
        f"{at} has no key (CALLWRIGHT_LLM_API_KEY, or api_key in CALLWRIGHT_LLM_ROUTES); most endpoints outside this"
        " machine demand one."
        for at in sorted(keyless)
    ]
