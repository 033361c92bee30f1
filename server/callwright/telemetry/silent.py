"""The exporter of spans, which exports only the type of an error. Needs the extra `otel`.

The MCP SDK writes the text and the traceback of an error into its span, and both may quote a caller's data.
"""

from collections.abc import Mapping, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status


def send_all(resource: Mapping[str, str], seconds: float | None) -> None:
    """Start exporting to the endpoint in the environment. Pending spans are exported when the process exits.

    `seconds`: timeout of one export, unless the environment sets it.
    """
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(Silent(OTLPSpanExporter(timeout=seconds))))
    trace.set_tracer_provider(provider)


class Silent(SpanExporter):
    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_without_texts(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _without_texts(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        span.attributes,
        [Event(event.name, _kind(event), event.timestamp) for event in span.events],
        span.links,
        span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kind(event: Event) -> dict[str, str]:
    return {name: str(value) for name, value in (event.attributes or {}).items() if name == "exception.type"}
