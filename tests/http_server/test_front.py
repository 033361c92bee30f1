"""What the HTTP face answers beside the protocol: health, numbers, and how clients find it."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from jsonschema import Draft202012Validator, FormatChecker
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

from callwright.app import App
from callwright.http_server.discovery import card
from callwright.http_server.health import Readiness
from callwright.http_server.serving import Listen, http_token, mcp_app
from tests.peers import serving
from tests.transports import MODERN, facts, settings

pytestmark = pytest.mark.anyio

SCHEMA = json.loads((Path(__file__).parent / "mcp-server-card.schema.json").read_text(encoding="utf-8"))
CARD: Any = Draft202012Validator({**SCHEMA, "$ref": "#/$defs/ServerCard"}, format_checker=FormatChecker())


async def get(url: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.get(url, headers=headers)


def operator(app: App) -> str:
    return f"Bearer {http_token(app)}"


async def test_a_server_that_runs_says_so_to_anybody(app: App) -> None:
    async with serving(mcp_app(app, Listen()), lifespan="on") as url:
        up, ready = await get(f"{url}/healthz", host="10.0.0.7"), await get(f"{url}/readyz")
    assert (up.status_code, up.text) == (200, "ok\n")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "checks": {"database": "ok", "platform": "ok"}},
    )


async def test_a_server_without_its_database_is_up_and_not_ready(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    lost = App(settings(tmp_path / "home", own_database_url=f"sqlite:///{tmp_path}/folder"), "embedded")
    async with serving(mcp_app(lost, Listen()), lifespan="on") as url:
        assert (await get(f"{url}/healthz")).status_code == 200
        ready = await get(f"{url}/readyz")
    assert (ready.status_code, ready.json()) == (
        503,
        {"ready": False, "checks": {"database": "does not open", "platform": "fails"}},
    )


async def test_readiness_tells_a_refused_key_from_a_silent_platform_and_names_neither(app: App, tmp_path: Path) -> None:
    async with serving(await app.engine("k" * 20)) as url:
        wrong = App(settings(tmp_path / "wrong", api_url=url, api_key="canary-key-" * 2), "hosted")
        refused = await Readiness(wrong)()
        await wrong.close()
    silent = App(settings(tmp_path / "silent", api_url="http://127.0.0.1:9", api_key="canary-key-" * 2), "hosted")
    gone = await Readiness(silent)()
    await silent.close()
    assert (refused, gone) == (
        {"database": "ok", "platform": "refuses the key"},
        {"database": "ok", "platform": "does not answer"},
    )


async def test_who_asks_often_whether_it_is_ready_does_not_reach_the_platform_each_time(
    app: App, tmp_path: Path
) -> None:
    engine, asked = await app.engine("k" * 20), list[str]()

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await engine(scope, receive, send)

    async with serving(counting) as url:
        hosted = App(settings(tmp_path / "hosted", api_url=url, api_key="k" * 20), "hosted")
        ready = Readiness(hosted)
        assert await ready() == await ready() == {"database": "ok", "platform": "ok"}
        await hosted.close()
    assert asked == ["/v1/convai/agents"]


async def test_only_the_operator_reads_the_numbers(app: App) -> None:
    async with serving(mcp_app(app, Listen()), lifespan="on") as url:
        nobody = await get(f"{url}/metrics")
        known = await get(f"{url}/metrics", authorization=operator(app))
        rebound = await get(f"{url}/metrics", authorization=operator(app), host="evil.example")
    assert (nobody.status_code, known.status_code, rebound.status_code) == (401, 200, 421)
    assert known.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_without_a_token_a_page_that_rebinds_its_name_still_reads_no_numbers(app: App) -> None:
    async with serving(mcp_app(app, Listen(token=False)), lifespan="on") as url:
        assert (await get(f"{url}/metrics")).status_code == 200
        assert (await get(f"{url}/metrics", host="evil.example")).status_code == 421


async def test_calls_approvals_and_the_platforms_answers_are_counted_without_ids(app: App) -> None:
    answers = iter([True, False])

    async def on_ask(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"approve": next(answers)})

    headers = {"authorization": operator(app)}
    async with serving(mcp_app(app, Listen()), lifespan="on") as url, httpx2.AsyncClient(headers=headers) as http:
        transport: Any = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=MODERN, elicitation_callback=on_ask) as client:
            made = [facts(await client.call_tool("create_agent", {"name": n, "prompt": "p"})) for n in ("Ada", "Bob")]
            for agent in made:
                await client.call_tool("delete_agent", {"agent_id": agent["agent_id"]})
            await client.call_tool("get_agent", {"agent_id": made[0]["agent_id"]})
            await client.call_tool("get_agent", {"agent_id": 7})
        text = (await get(f"{url}/metrics", **headers)).text
    counted = [line for line in text.splitlines() if not line.startswith(("#", "callwright_tool_seconds"))]
    assert "\n".join(counted) == snapshot("""\
callwright_tool_calls_total{tool="create_agent",outcome="done"} 2
callwright_tool_calls_total{tool="delete_agent",outcome="asked"} 2
callwright_tool_calls_total{tool="delete_agent",outcome="done"} 1
callwright_tool_calls_total{tool="delete_agent",outcome="error"} 1
callwright_tool_calls_total{tool="get_agent",outcome="error"} 2
callwright_approvals_total{outcome="asked"} 2
callwright_approvals_total{outcome="declined"} 1
callwright_approvals_total{outcome="person"} 1
callwright_upstream_requests_total{status="200"} 9
callwright_upstream_requests_total{status="404"} 1\
""")
    assert made[0]["agent_id"] not in text
    seconds = [line for line in text.splitlines() if "seconds" in line and 'tool="get_agent"' in line]
    assert seconds[-3].startswith('callwright_tool_seconds_bucket{tool="get_agent",le="+Inf"} 2')
    assert seconds[-1] == 'callwright_tool_seconds_count{tool="get_agent"} 2'


async def test_a_client_that_knows_only_the_host_finds_the_endpoint(app: App) -> None:
    public = Listen(host="0.0.0.0", public_url="https://voice.example.com")
    async with serving(mcp_app(app, public), lifespan="on") as url:
        catalogue = await get(f"{url}/.well-known/ai-catalog.json")
        shown = await get(f"{url}/mcp/server-card", origin="https://elsewhere.example")
    assert catalogue.headers["content-type"] == "application/ai-catalog+json"
    assert catalogue.json() == snapshot(
        {
            "specVersion": "1.0",
            "entries": [
                {
                    "identifier": "urn:air:voice.example.com:callwright",
                    "displayName": "Callwright",
                    "type": "application/mcp-server-card+json",
                    "url": "https://voice.example.com/mcp/server-card",
                }
            ],
        }
    )
    CARD.validate(shown.json())
    assert {name: shown.headers[name] for name in ("content-type", "access-control-allow-origin")} == {
        "content-type": "application/mcp-server-card+json",
        "access-control-allow-origin": "*",
    }
    assert {**shown.json(), "version": "-"} == snapshot(
        {
            "$schema": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
            "name": "com.example.voice/callwright",
            "title": "Callwright",
            "description": "Builds, rehearses and watches voice agents.",
            "version": "-",
            "remotes": [
                {
                    "type": "streamable-http",
                    "url": "https://voice.example.com/mcp",
                    "supportedProtocolVersions": ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"],
                    "headers": [
                        {"name": "Authorization", "description": "Bearer <token>", "isRequired": True, "isSecret": True}
                    ],
                }
            ],
        }
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://box:1", "https://a.b.example"])
def test_a_card_is_valid_wherever_the_server_is(url: str) -> None:
    CARD.validate(card(url, token=False))
    assert not CARD.is_valid({**card(url, token=False), "name": "callwright"})
