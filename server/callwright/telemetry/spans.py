"""OpenTelemetry spans in addition to those of the MCP SDK, which has one per message (`tools/call create_agent`).

Spans are not recorded until a tracer provider is set (by `exporting.py`, or by a program that embeds this one). Names
follow the semantic conventions. No attribute holds an argument, an id, conversation text, or a secret.

Trace context arrives through the SDK (`_meta`) or the header `traceparent` of an HTTP request; it reaches the embedded
platform in the task that runs the handler. It is not sent to other parties: the hosted platform and the endpoints of
models belong to other companies, whose spans the operator could not see, and which need not know the caller.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span, get_tracer, use_span

from .. import __version__

LONGEST_NAME = 100
"""Maximum length of a model's name in a span: an endpoint may return any text."""

_tracer = get_tracer("callwright", __version__)


@contextmanager
def upstream_request(method: str, template: str, host: str, port: int | None, resends: int) -> Generator[Span]:
    """The span of one request to the platform, until its response was read (for a stream: until it began).

    `template`: the path with parameter names instead of ids. `resends`: number of earlier attempts.
    """
    span = _tracer.start_span(
        f"{method} {template}",
        kind=SpanKind.CLIENT,
        attributes={
            "http.request.method": method,
            "url.template": template,
            "server.address": host,
            **({"server.port": port} if port else {}),
            **({"http.request.resend_count": resends} if resends else {}),
        },
    )
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as exc:  # a deadline, or the client disconnected, which cancels the request
            failed(span, type(exc).__name__)
            raise


def answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        failed(span, str(status))


def failed(span: Span, why: str) -> None:
    """`why`: one word, such as a status or the name of an error; never the error's text."""
    span.set_attribute("error.type", why)
    span.set_status(StatusCode.ERROR)


class LLMRequest:
    """One request to a model. Not the current span: its reader runs between two pieces, and in other tasks."""

    def __init__(self, model: str, host: str, port: int | None, resends: int) -> None:
        self._span = _tracer.start_span(
            f"chat {model[:LONGEST_NAME]}",
            kind=SpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",  # the convention names the wire format's provider, not the host
                "gen_ai.request.model": model[:LONGEST_NAME],
                "server.address": host,
                **({"server.port": port} if port else {}),
                **({"http.request.resend_count": resends} if resends else {}),
            },
        )

    def answered(self, model: str, tokens_in: int, tokens_out: int, *, cached: int, estimated: bool) -> None:
        self._span.set_attributes(
            {
                "gen_ai.response.model": model[:LONGEST_NAME],
                "gen_ai.usage.input_tokens": tokens_in,
                "gen_ai.usage.output_tokens": tokens_out,
                "gen_ai.usage.cache_read.input_tokens": cached,
                "callwright.usage.estimated": estimated,
            }
        )

    def failed(self, status: int | None) -> None:
        failed(self._span, str(status) if status else "llm_failed")

    def end(self) -> None:
        self._span.end()


def described(**said: str) -> None:
    """Add attributes to the span of the current message, under `callwright.`."""
    span = get_current_span()
    if span.is_recording():
        span.set_attributes({f"callwright.{name}": value for name, value in said.items()})


@contextmanager
def within_trace(headers: Mapping[str, str]) -> Generator[None]:
    """Makes spans inside part of the trace in the header `traceparent`, if that is valid."""
    token = attach(extract(headers))
    try:
        yield
    finally:
        detach(token)
