"""Exports spans to a collector that the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, ...) name.

The packages are an extra, because most installations have no collector: `callwright[otel]`.
"""

import logging
from collections.abc import Mapping
from importlib import import_module

from .. import __version__

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

SEND_SECONDS = 2.0
"""Shorter than the default of ten seconds, because the process waits for an unreachable collector when it exits."""

log = logging.getLogger(__name__)


def export_spans(env: Mapping[str, str]) -> None:
    """Start the export if `env` asks for traces. If that fails, a warning is logged and the program continues."""
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
    """The reason why traces that `env` asks for cannot be exported; None if they can."""
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
    """Resource attributes here override the environment, so a service name set there is left out."""
    named = env.get("OTEL_SERVICE_NAME") or "service.name=" in env.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {"service.version": __version__} | ({} if named else {"service.name": "callwright"})
