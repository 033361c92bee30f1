"""Spans: what was called, how it ended, what it waited for; and nothing that somebody said or keeps secret."""

import json
from pathlib import Path
from typing import Any

import pytest
from anyio.abc import SocketStream
from dirty_equals import IsInt, IsStr
from mcp import Client
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.telemetry.silent import Silent

from ..dialogue.llm_peer import Fault, Say, peer, script
from ..http_server.tokens_fixture import call_of, served, token
from ..peers import peer as tcp_peer
from ..transports import MODERN, Clock, facts, numbered, reach, settings

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def only(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    [span] = named(spans, name)
    return span


def under(child: ReadableSpan, parent: ReadableSpan) -> bool:
    return child.parent is not None and parent.context is not None and child.parent.span_id == parent.context.span_id


def everything(spans: InMemorySpanExporter) -> str:
    return "\n".join(span.to_json() for span in spans.get_finished_spans())


async def test_a_call_and_the_request_that_it_makes(app: App, spans: InMemorySpanExporter) -> None:
    async with reach(app) as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
        spans.clear()
        facts(await client.call_tool("get_agent", {"agent_id": made["agent_id"]}))
    tool, request = only(spans, "tools/call get_agent"), only(spans, "GET /v1/convai/agents/{agent_id}")
    assert dict(tool.attributes or {}) == {
        "mcp.method.name": "tools/call", "mcp.protocol.version": MODERN, "jsonrpc.request.id": IsStr,
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_agent",
        "callwright.tool": "get_agent", "callwright.effect": "read", "callwright.outcome": "done", "callwright.approval": "policy",
    }  # fmt: skip
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": "/v1/convai/agents/{agent_id}",
        "server.address": "embedded",
        "http.response.status_code": 200,
    }
    assert under(request, tool)


@pytest.mark.parametrize(
    ("says", "outcome", "approval"),
    [("yes", "done", "person"), ("no", "error", "declined"), (None, "asked", "asked")],
)
async def test_how_the_approval_ended(
    app: App, spans: InMemorySpanExporter, says: Any, outcome: str, approval: str
) -> None:
    async with reach(app, says=says) as (client, _):
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
        await client.call_tool("delete_agent", {"agent_id": made["agent_id"]})
    told = named(spans, "tools/call delete_agent")[-1].attributes or {}
    assert {name: told.get(f"callwright.{name}") for name in ("effect", "outcome", "approval")} == {
        "effect": "delete",
        "outcome": outcome,
        "approval": approval,
    }


async def test_each_attempt_is_a_span(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    """With the host, and how often it was sent before."""
    answers = [b"HTTP/1.1 503 No\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"] * 3
    got: list[bytes] = []

    async def talk(stream: SocketStream) -> None:
        got.append(await stream.receive())
        await stream.send(answers.pop())
        await stream.aclose()

    async with tcp_peer(talk) as url:
        app = App(settings(tmp_path, api_url=url, api_key="sk_canary_of_the_account"), "hosted")
        async with reach(app) as (client, _):
            assert (await client.call_tool("list_agents", {})).is_error
    found = [dict(span.attributes or {}) for span in named(spans, "GET /v1/convai/agents")]
    assert [row.pop("http.request.resend_count", None) for row in found] == [None, 1, 2]
    assert (
        found
        == [
            {
                "http.request.method": "GET",
                "url.template": "/v1/convai/agents",
                "server.address": "127.0.0.1",
                "server.port": IsInt,
                "http.response.status_code": 503,
                "error.type": "503",
            }
        ]
        * 3
    )
    assert "canary" not in everything(spans)
    assert not [request for request in got if b"traceparent" in request.lower()], "it is nobody else's business"


async def test_a_platform_that_does_not_answer_is_named_by_the_error(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    app = App(settings(tmp_path, api_url="http://127.0.0.1:9", api_key="k" * 16), "hosted")
    async with reach(app) as (client, _):
        assert (await client.call_tool("get_agent", {"agent_id": "a"})).is_error
    last = named(spans, "GET /v1/convai/agents/{agent_id}")[-1]
    assert (last.attributes or {})["error.type"] == "ConnectError"
    assert last.status.status_code is StatusCode.ERROR


async def rehearse(app: App, client: Client) -> None:
    agent = {"name": "Ada", "prompt": "You hire out KANARIE canoes.", "first_message": "KANARIE speaking"}
    made = facts(await client.call_tool("create_agent", agent))
    call = {"agent_id": made["agent_id"], "caller": "Ask for +15551234567 KANARIE", "max_turns": 1}
    await client.call_tool("simulate_conversation", call)


async def test_each_request_to_a_model_tells_its_cost_and_no_word(
    tmp_path: Path, clock: Clock, spans: InMemorySpanExporter
) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}}
    async with peer(script(Say("KANARIE canoes cost forty", usage=usage))) as at:
        chosen = settings(tmp_path, llm_base_url=at.base_url, llm_model="m", llm_api_key="sk_canary_of_the_model")
        app = App(chosen, "embedded", clock=clock, ids=numbered())
        async with reach(app) as (client, _):
            await rehearse(app, client)
        assert not [headers for headers in at.headers if "traceparent" in headers]
    first, *_ = named(spans, "chat m")
    assert dict(first.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "peer-1",
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "callwright.usage.estimated": False,
        "server.address": "127.0.0.1",
        "server.port": IsInt,
    }
    tool = only(spans, "tools/call simulate_conversation")
    assert {span.context.trace_id for span in named(spans, "chat m") if span.context} == {
        tool.context and tool.context.trace_id
    }
    said = everything(spans)
    assert not [word for word in ("KANARIE", "canary", "5551234567", "forty") if word in said]


async def test_a_model_that_fails_is_named_by_its_status(
    tmp_path: Path, clock: Clock, spans: InMemorySpanExporter
) -> None:
    async with peer(script(Fault(401, {"error": {"message": "KANARIE"}}))) as at:
        chosen = settings(tmp_path, llm_base_url=at.base_url, llm_model="m")
        async with reach(App(chosen, "embedded", clock=clock, ids=numbered())) as (client, _):
            await rehearse(App(chosen, "embedded"), client)
    first, *_ = named(spans, "chat m")
    assert (first.attributes or {})["error.type"] == "401"
    assert "KANARIE" not in everything(spans)


@pytest.mark.parametrize("where", ["_meta", "header"])
@pytest.mark.parametrize("era", [MODERN, "2025-11-25"])
async def test_a_callers_trace_goes_on(app: App, spans: InMemorySpanExporter, era: str, where: str) -> None:
    import httpx2

    body, headers = call_of("list_agents", {}, era)
    if where == "_meta":
        body["params"].setdefault("_meta", {})["traceparent"] = PARENT
    else:
        headers["traceparent"] = PARENT
    headers["authorization"] = f"Bearer {token('mine')}"
    async with served(app, Principal("mine"), stateless=True) as url, httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    tool, request = only(spans, "tools/call list_agents"), only(spans, "GET /v1/convai/agents")
    assert tool.context
    assert request.context
    assert f"{tool.context.trace_id:032x}" == f"{request.context.trace_id:032x}" == TRACE


async def test_a_header_that_is_no_trace_changes_nothing(app: App, spans: InMemorySpanExporter) -> None:
    import httpx2

    body, headers = call_of("list_agents", {}, MODERN)
    headers |= {"traceparent": "nonsense", "authorization": f"Bearer {token('mine')}"}
    async with served(app, Principal("mine")) as url, httpx2.AsyncClient() as http:
        assert (await http.post(f"{url}/mcp", json=body, headers=headers)).status_code == 200
    assert only(spans, "tools/call list_agents").parent is None


def test_what_is_exported_tells_of_an_error_its_kind_alone(spans: InMemorySpanExporter) -> None:
    from opentelemetry import trace

    with pytest.raises(ValueError, match="kanarie"), trace.get_tracer("sdk").start_as_current_span("a"):
        raise ValueError("kanarie")
    kept = InMemorySpanExporter()
    Silent(kept).export(spans.get_finished_spans())
    [span] = kept.get_finished_spans()
    shown = json.loads(span.to_json())
    assert "kanarie" in everything(spans)
    assert "kanarie" not in json.dumps(shown)
    assert shown["status"] == {"status_code": "ERROR"}
    assert [event["attributes"] for event in shown["events"]] == [{"exception.type": "ValueError"}]
