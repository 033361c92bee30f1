"""Sends the spans to a collector, where the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, ...) name one.

The packages are an extra, because most installations have nobody who would look: `callwright[otel]`.
"""

import logging
from collections.abc import Mapping
from importlib import import_module

from .. import __version__

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

SEND_SECONDS = 2.0
"""Instead of ten: where the collector is down, the end of the process waits for that."""

log = logging.getLogger(__name__)


def export_spans(env: Mapping[str, str]) -> None:
    """Set it up where `env` asks for traces. Where that cannot be, the log says so, and the program goes on."""
    if not asks_for_traces(env):
        return
    if trouble := why_no_traces(env):
        log.warning(trouble)
        return
    from .silent import send_all

    told = any(env.get(name) for name in ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"))
    send_all(_resource(env), None if told else SEND_SECONDS)


def asks_for_traces(env: Mapping[str, str]) -> bool:
    chosen = _chosen(env)
    off = chosen == "none" or env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and bool(chosen or any(env.get(name) for name in _ENDPOINTS))


def why_no_traces(env: Mapping[str, str]) -> str | None:
    """What is in the way of traces that `env` asks for; None where nothing is."""
    if _chosen(env) not in ("", "otlp"):
        return "No traces are sent: OTEL_TRACES_EXPORTER may be otlp or none."
    if "grpc" in (env.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), env.get("OTEL_EXPORTER_OTLP_PROTOCOL")):
        return "No traces are sent: over HTTP only, so OTEL_EXPORTER_OTLP_PROTOCOL may not be grpc."
    try:
        import_module(".silent", __package__)
    except ImportError:
        return "No traces are sent, though OTEL_* variables ask for them: install callwright[otel]."
    return None


def _chosen(env: Mapping[str, str]) -> str:
    return env.get("OTEL_TRACES_EXPORTER", "").strip().lower()


def _resource(env: Mapping[str, str]) -> dict[str, str]:
    """What is said here wins over the variables, so a name that they give is left to them."""
    named = env.get("OTEL_SERVICE_NAME") or "service.name=" in env.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {"service.version": __version__} | ({} if named else {"service.name": "callwright"})
