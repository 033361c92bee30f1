"""Spans leave the process where the standard variables say so, and nowhere else."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from callwright import __version__

from ..warm import PYTHON
from .test_logs import said_as, said_by

NO_EXTRA = "import sys; sys.modules['opentelemetry.sdk'] = None"
KANARIE = "kanarie-of-the-collector"


@contextmanager
def collector() -> Generator[tuple[str, list[tuple[str, bytes]]]]:
    """An OTLP collector as far as a sender sees it; gives its URL and what it was sent: path and body."""
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_collector_gets_the_spans_of_a_call(tmp_path: Path) -> None:
    calls = ("create_agent", {"name": "Ada", "prompt": "kanarie"}), ("get_agent", {"agent_id": "kanarie"})
    with collector() as (url, got):
        _, err = said_by(
            tmp_path, *calls, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_HEADERS=f"api-key={KANARIE}"
        )
    assert len(err.splitlines()) == 1, err
    sent = [ExportTraceServiceRequest.FromString(body) for _, body in got]
    groups = [group for request in sent for group in request.resource_spans]
    service = {each.key: each.value.string_value for each in groups[0].resource.attributes}
    assert (service["service.name"], service["service.version"]) == ("callwright", __version__)
    names = {span.name for group in groups for scope in group.scope_spans for span in scope.spans}
    assert {
        "tools/call create_agent", "POST /v1/convai/agents/create",
        "tools/call get_agent", "GET /v1/convai/agents/{agent_id}",
    } <= names  # fmt: skip
    assert {path for path, _ in got} == {"/v1/traces"}
    assert not [body for _, body in got if b"kanarie" in body]


def test_a_name_that_the_environment_gives_is_kept(tmp_path: Path) -> None:
    with collector() as (url, got):
        said_by(tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{url}/mine", OTEL_SERVICE_NAME="desk")
    [path] = {path for path, _ in got}
    assert path == "/mine"
    request = ExportTraceServiceRequest.FromString(got[0][1])
    assert "desk" in {each.value.string_value for each in request.resource_spans[0].resource.attributes}


@pytest.mark.parametrize(
    ("program", "variables", "said"),
    [
        (
            NO_EXTRA,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
            "No traces are sent, though OTEL_* variables ask for them: install callwright[otel].",
        ),
        ("", {"OTEL_TRACES_EXPORTER": "zipkin"}, "No traces are sent: OTEL_TRACES_EXPORTER may be otlp or none."),
        (
            "",
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "No traces are sent: over HTTP only, so OTEL_EXPORTER_OTLP_PROTOCOL may not be grpc.",
        ),
    ],
)
def test_where_it_cannot_be_one_line_says_so_and_the_server_works(
    tmp_path: Path, program: str, variables: dict[str, str], said: str
) -> None:
    out, err = said_as(PYTHON, tmp_path, ("list_agents", {}), program=program, **variables)
    warned, start = err.splitlines()
    assert warned.endswith(f"WARNING callwright.telemetry.exporting: {said}")
    assert start.startswith("callwright ")
    assert '"isError":false' in out


@pytest.mark.parametrize(
    "off",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_unless_it_is_asked_for_nothing_of_the_extra_is_imported(tmp_path: Path, off: dict[str, str]) -> None:
    told = "import atexit, sys; atexit.register(lambda: print('opentelemetry.sdk' in sys.modules, file=sys.stderr))"
    _, err = said_as(PYTHON, tmp_path, ("list_agents", {}), program=told, **off)
    assert err.splitlines()[1:] == ["False"]


def test_the_text_of_an_error_does_not_leave(tmp_path: Path) -> None:
    """The SDK's own span of a message that failed holds it."""
    broken = """
from mcp.server import MCPServer
async def fails(self, ctx, params): raise RuntimeError("kanarie")
MCPServer._handle_call_tool = fails
"""
    with collector() as (url, got):
        said_by(tmp_path, ("list_agents", {}), program=broken, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert [body for _, body in got if b"tools/call list_agents" in body]
    assert not [body for _, body in got if b"kanarie" in body]
