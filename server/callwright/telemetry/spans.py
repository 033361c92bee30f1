"""Spans of OpenTelemetry beside the SDK's own, which has one for each message (`tools/call create_agent`).

Nothing happens until somebody sets a tracer provider (`exporting.py`, or a program that embeds this one). Names follow
the semantic conventions. No attribute holds an argument, an id, a text that somebody said, or a secret.

Trace context comes in as the SDK takes it (`_meta`), or by the header `traceparent` of an HTTP request; it reaches the
embedded platform with the task that runs the handler. It goes out to nobody: the hosted platform and the endpoints of
models are other companies', whose spans the operator would not see, and which it does not concern who called whom here.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry.context import attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span, get_tracer, use_span

from .. import __version__

LONGEST_NAME = 100
"""Characters of a model's name: an endpoint may answer any text."""

_tracer = get_tracer("callwright", __version__)


@contextmanager
def upstream_request(method: str, template: str, host: str, port: int | None, resends: int) -> Generator[Span]:
    """One request to the platform, until its answer was read (of a stream: until it began).

    `template`: the path with names instead of ids. `resends`: how often the same was sent before.
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
        except BaseException as exc:  # a deadline, or the client went away: whoever waits is cancelled
            failed(span, type(exc).__name__)
            raise


def answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        failed(span, str(status))


def failed(span: Span, why: str) -> None:
    """`why`: one word, such as a status or the name of an error; never its text."""
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
                "gen_ai.provider.name": "openai",  # whose format it is, says the convention, whoever speaks it
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
    """Adds to the span of the message that is being answered, under `callwright.`."""
    span = get_current_span()
    if span.is_recording():
        span.set_attributes({f"callwright.{name}": value for name, value in said.items()})


@contextmanager
def within_trace(headers: Mapping[str, str]) -> Generator[None]:
    """What happens inside belongs to the trace that the header `traceparent` names, if it is a right one."""
    token = attach(extract(headers))
    try:
        yield
    finally:
        detach(token)
