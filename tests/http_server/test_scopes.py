"""What a token is for: the tools it lists, the calls it makes, and the answer where that is not enough."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot

from callwright.accounts.principals import Principal
from callwright.accounts.scopes import scope_of_each, scopes_of
from callwright.app import App
from callwright.http_server.serving import Listen, http_token, mcp_app
from callwright.http_server.token_visibility import TokenVisibility
from callwright.mcp_server.server import build_server
from callwright.settings import SettingError
from callwright.surface import built
from tests.peers import serving
from tests.transports import ERAS, MODERN, Clock, facts, server, settings, text

from .identity import Identity, identity
from .tokens_fixture import call_of, entering, served, token

pytestmark = pytest.mark.anyio

READER = Principal("reader", frozenset({"agents:read", "server:read"}))


@pytest.fixture
async def everything(tmp_path: Path, clock: Clock) -> AsyncGenerator[App]:
    app = server(settings(tmp_path / "home", toolsets=("all",)), clock=clock)
    yield app
    await app.close()


def test_every_tool_has_one_scope_and_only_what_reads_has_one_that_reads() -> None:
    scopes, entries = scopes_of(built()), built()
    assert len(scopes) == len(entries)
    for entry in entries:
        name, (toolset, verb) = entry["tool"]["name"], scopes[entry["tool"]["name"]].split(":")
        assert toolset == entry["toolset"]
        assert (verb == "read") == (entry["effect"] == "read"), name
        assert (verb == "dial") == (entry["effect"] == "dial"), name
        assert (verb == "grant") == (entry["effect"] == "grant"), name
    assert sorted(set(scopes.values())) == snapshot(
        [
            "agents:grant",
            "agents:read",
            "agents:write",
            "calls:dial",
            "calls:read",
            "calls:write",
            "conversations:grant",
            "conversations:read",
            "conversations:write",
            "knowledge:read",
            "knowledge:write",
            "llms:read",
            "mcp_servers:read",
            "mcp_servers:write",
            "phone:read",
            "phone:write",
            "pronunciation:read",
            "pronunciation:write",
            "secrets:read",
            "secrets:write",
            "server:read",
            "server:write",
            "tests:read",
            "tests:write",
            "tools:read",
            "tools:write",
            "widget:read",
            "widget:write",
            "workspace:read",
            "workspace:write",
        ]
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_lists_the_tools_and_resources_of_its_scopes(everything: App, era: str) -> None:
    async with (
        served(everything, READER) as url,
        entering(url, token("reader"), era) as reader,
        entering(url, http_token(everything), era) as operator,
    ):
        listed = await reader.list_tools()
        scopes = scope_of_each()
        assert {tool.name for tool in listed.tools} == {name for name, scope in scopes.items() if READER.may(scope)}
        assert len((await operator.list_tools()).tools) == len(scopes)
        if era == MODERN:
            assert listed.cache_scope == "private"
        shown = {str(row.uri) for row in (await reader.list_resources()).resources}
        assert {uri for uri in shown if uri.startswith("callwright://")} == {
            "callwright://agents",
            "callwright://changes",
        }
        templates = (await reader.list_resource_templates()).resource_templates
        assert [row.name for row in templates] == ["agent", "agent_prompt"]


@pytest.mark.parametrize("era", [MODERN, "2025-11-25"])
async def test_a_call_beyond_the_scopes_is_forbidden_and_says_which_is_wanted(everything: App, era: str) -> None:
    async with served(everything, READER) as url, httpx2.AsyncClient() as http:
        body, headers = call_of("create_agent", {"name": "Ada", "prompt": "p"}, era)
        answer = await http.post(
            f"{url}/mcp", json=body, headers={**headers, "authorization": f"Bearer {token('reader')}"}
        )
        operator = {"authorization": f"Bearer {http_token(everything)}"}
        numbers = (await http.get(f"{url}/metrics", headers=operator)).text
    assert (answer.status_code, answer.headers["www-authenticate"], answer.json()) == (
        403,
        'Bearer error="insufficient_scope", scope="agents:write"',
        {"error": "insufficient_scope", "message": "This call needs the scope agents:write."},
    )
    assert 'callwright_http_refused_total{reason="insufficient_scope"} 1' in numbers


async def test_a_call_that_passes_the_gate_unseen_is_refused_by_the_tool(
    everything: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a request looks like from outside, the tool itself asks whether the token is for it."""
    monkeypatch.setattr("callwright.http_server.gate._called", _nothing)
    async with served(everything, READER) as url, entering(url, token("reader")) as reader:
        refused = await reader.call_tool("create_agent", {"name": "Ada", "prompt": "p"})
        assert refused.is_error
        assert "create_agent needs the scope agents:write" in text(refused)


async def test_resources_and_completions_ask_for_the_scope_of_the_tool_that_shows_the_same(everything: App) -> None:
    from mcp.shared.exceptions import MCPError
    from mcp.types import ResourceTemplateReference

    async with served(everything, READER) as url, entering(url, token("reader")) as reader:
        assert (await reader.read_resource("callwright://agents")).contents
        with pytest.raises(MCPError, match="needs the scope workspace:read"):
            await reader.read_resource("callwright://workspace")
        async with entering(url, http_token(everything)) as operator:
            made = facts(await operator.call_tool("create_text_document", {"name": "Hours", "text": "Open."}))
            document = ResourceTemplateReference(uri="callwright://documents/{document_id}")
            argument = {"name": "document_id", "value": ""}
            assert (await operator.complete(document, argument)).completion.values == [made["document_id"]]
            assert (await reader.complete(document, argument)).completion.values == []


async def test_who_may_undo_still_needs_the_scope_of_what_made_the_change(everything: App) -> None:
    undoing = Principal("undoing", frozenset({"server:read", "server:write"}))
    async with served(everything, undoing) as url:
        async with entering(url, http_token(everything)) as operator:
            agent = facts(await operator.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
            await operator.call_tool("update_agent", {"agent_id": agent["agent_id"], "name": "Eve"})
        async with entering(url, token("undoing")) as client:
            change, _ = facts(await client.call_tool("list_changes", {}))["changes"]
            refused = await client.call_tool("undo_change", {"change_id": change["change_id"]})
    assert "taking it back needs the scope agents:write too" in text(refused)


async def test_the_search_surface_keeps_to_the_scopes_too(tmp_path: Path) -> None:
    app = App(settings(tmp_path / "home", surface="search"), "embedded")
    async with served(app, READER) as url, entering(url, token("reader")) as reader, httpx2.AsyncClient() as http:
        found = text(await reader.call_tool("find", {"query": "create an agent"}))
        body, headers = call_of("run_changing", {"tool": "create_agent", "arguments": {"name": "A", "prompt": "p"}})
        answer = await http.post(
            f"{url}/mcp", json=body, headers={**headers, "authorization": f"Bearer {token('reader')}"}
        )
    assert "list_agents" in found
    assert "create_agent" not in found
    assert (answer.status_code, answer.json()["message"]) == (403, "This call needs the scope agents:write.")


def _nothing(_: bytes) -> None:
    return None


@pytest.fixture
async def issuer() -> AsyncGenerator[Identity]:
    async with identity() as issuer:
        yield issuer


async def test_a_client_without_a_token_learns_where_to_get_one(issuer: Identity, tmp_path: Path) -> None:
    app = App(settings(tmp_path / "home", oauth_issuer=issuer.url), "embedded")
    async with serving_for(app) as url, httpx2.AsyncClient() as http:
        refused = await http.post(f"{url}/mcp", json={})
        wrong = await http.post(f"{url}/mcp", json={}, headers={"authorization": "Bearer a.b.c"})
        told = refused.headers["www-authenticate"]
        metadata = await http.get(f"{url}/.well-known/oauth-protected-resource/mcp")
    assert refused.status_code == wrong.status_code == 401
    assert told == snapshot(
        'Bearer resource_metadata="https://voice.example.com/.well-known/oauth-protected-resource/mcp", scope="agents:read calls:read conversations:read knowledge:read llms:read mcp_servers:read phone:read pronunciation:read secrets:read server:read tests:read tools:read widget:read workspace:read"'
    )
    assert wrong.headers["www-authenticate"].startswith('Bearer error="invalid_token", ')
    assert metadata.headers["access-control-allow-origin"] == "*"
    found = metadata.json()
    assert found.pop("scopes_supported") == sorted(set(scope_of_each().values()))
    assert {**found, "authorization_servers": found["authorization_servers"] == [issuer.url]} == snapshot(
        {
            "resource": "https://voice.example.com/mcp",
            "resource_name": "Callwright",
            "authorization_servers": True,
            "bearer_methods_supported": ["header"],
        }
    )


def serving_for(app: App) -> Any:
    return served(app, public_url="https://voice.example.com")


async def test_the_issuers_people_work_each_in_a_place_of_their_own(issuer: Identity, tmp_path: Path) -> None:
    app = App(settings(tmp_path / "home", oauth_issuer=issuer.url), "embedded")
    here = "https://voice.example.com/mcp"
    async with serving_for(app) as url:
        scope = "agents:read agents:write server:read"
        async with entering(url, issuer.token(here, sub="alice", scope=scope)) as alice:
            await alice.call_tool("create_agent", {"name": "Ada", "prompt": "p"})
            assert len(facts(await alice.call_tool("list_agents", {}))["agents"]) == 1
            [change] = facts(await alice.call_tool("list_changes", {}))["changes"]
            assert change["who"] == f"{issuer.url} alice"
        async with entering(url, issuer.token(here, sub="bob", scope=scope)) as bob:
            assert facts(await bob.call_tool("list_agents", {}))["agents"] == []
            assert facts(await bob.call_tool("list_changes", {}))["changes"] == []
            assert facts(await bob.call_tool("get_status", {}))["workspace"] == f"{issuer.url} sub bob"


async def test_an_issuer_needs_the_address_that_its_tokens_are_for(tmp_path: Path) -> None:
    app = App(settings(tmp_path / "home", oauth_issuer="https://id.example"), "embedded")
    with pytest.raises(SettingError, match="needs CALLWRIGHT_PUBLIC_URL"):
        mcp_app(app, Listen(host="0.0.0.0", allowed_hosts=("voice.example",)))
    with pytest.raises(SettingError, match="--no-token opens the server to all"):
        mcp_app(app, Listen(token=False))


async def test_a_session_is_closed_to_every_other_token(everything: App) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
    }
    body, headers = call_of("get_status", {})
    del headers["mcp-protocol-version"]
    async with served(everything, READER) as url, httpx2.AsyncClient() as http:
        reader = {**headers, "authorization": f"Bearer {token('reader')}"}
        opened = await http.post(f"{url}/mcp", json=hello, headers=reader)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        other = {"authorization": f"Bearer {http_token(everything)}"}
        stolen = await http.post(f"{url}/mcp", json=body, headers={**headers, **other, **session})
        own = await http.post(f"{url}/mcp", json=body, headers={**reader, **session})
    assert (stolen.status_code, own.status_code) == (404, 200)


async def test_a_request_that_has_passed_no_gate_is_nobodys(everything: App) -> None:
    """Of a server that several tokens open; elsewhere it is of the person who runs the server."""
    mcp = build_server(everything)
    mcp.middleware.insert(0, TokenVisibility(scope_of_each()))
    body, headers = call_of("get_status", {}, MODERN)
    asgi = mcp.streamable_http_app(stateless_http=True)
    async with serving(asgi, lifespan="on") as url, httpx2.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp", json=body, headers=headers)
    assert "Internal server error" in answer.text
    assert "platform" not in answer.text
