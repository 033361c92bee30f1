"""Both HTTP servers: who gets in, and what they answer."""

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
import uvicorn
from anyio.abc import SocketStream
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from callwright.app import App
from callwright.http_server.serving import Listen, engine_key, http_token, listen_at, mcp_app
from callwright.settings import SettingError

from ..approval.visitor import title
from ..commands.test_cli import environment
from ..peers import free_port, peer, serving
from ..transports import MODERN, facts, settings
from ..warm import callwright
from .tokens_fixture import call_of

pytestmark = pytest.mark.anyio

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}
ACCEPT = {"accept": "application/json, text/event-stream"}


async def post(url: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.post(f"{url}/mcp", json=HELLO, headers={**ACCEPT, **headers})


async def test_only_the_token_opens_the_http_transport(app: App) -> None:
    async with serving(mcp_app(app, Listen()), lifespan="on") as url:
        none = await post(url)
        wrong = await post(url, authorization="Bearer nonsense")
        right = await post(url, authorization=f"Bearer {http_token(app)}")
    assert (none.status_code, wrong.status_code, right.status_code) == (401, 401, 200)
    assert none.headers["www-authenticate"] == "Bearer"
    assert none.json()["message"] == "Send the header Authorization: Bearer <CALLWRIGHT_HTTP_TOKEN>."


def test_an_answer_waits_for_no_acknowledgement() -> None:
    with listen_at(uvicorn.Config("no:app", port=0)) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_the_made_token_is_kept_for_this_user_alone(app: App) -> None:
    made = http_token(app)
    file = app.settings.home / "http.token"
    assert len(made) == 43
    assert file.stat().st_mode & 0o777 == 0o600
    assert http_token(app) == made
    assert engine_key(app) != made


async def test_a_foreign_host_or_origin_is_refused(app: App) -> None:
    async with serving(mcp_app(app, Listen(token=False)), lifespan="on") as url:
        rebound = await post(url, host="evil.example")
        crossed = await post(url, origin="https://evil.example")
        plain = await post(url)
    assert (rebound.status_code, crossed.status_code, plain.status_code) == (421, 403, 200)


async def test_a_network_address_needs_a_token_and_named_hosts(app: App) -> None:
    with pytest.raises(SettingError, match="--no-token is for this machine only"):
        mcp_app(app, Listen(host="0.0.0.0", token=False, allowed_hosts=("x",)))
    with pytest.raises(SettingError, match="needs --allowed-hosts"):
        mcp_app(app, Listen(host="192.168.1.20"))
    named = Listen(host="0.0.0.0", allowed_hosts=("voice.example",))
    async with serving(mcp_app(app, named), lifespan="on") as url:
        token = f"Bearer {http_token(app)}"
        assert (await post(url, host="voice.example", authorization=token)).status_code == 200
        assert (await post(url, host="other.example", authorization=token)).status_code == 421


@pytest.mark.parametrize("era", [MODERN, "legacy"])
async def test_an_mcp_client_with_the_token_works_in_both_eras(app: App, era: str) -> None:
    headers = {"authorization": f"Bearer {http_token(app)}"}
    async with serving(mcp_app(app, Listen()), lifespan="on") as url, httpx2.AsyncClient(headers=headers) as http:
        transport: Any = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=era) as client:
            assert facts(await client.call_tool("get_status", {}))["platform"] == "embedded"


async def test_the_hosted_platform_is_the_same_api_behind_a_key(app: App, tmp_path: Path) -> None:
    """A second server, hosted, whose platform is the first one's engine over real HTTP."""
    async with serving(await app.engine("k" * 20)) as url:
        chosen = settings(tmp_path / "other", api_url=url, api_key="k" * 20)
        hosted = App(chosen, "hosted")
        from ..transports import reach

        async with reach(hosted) as (client, _):
            made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
            status = facts(await client.call_tool("get_status", {}))
        wrong = App(settings(tmp_path / "third", api_url=url, api_key="wrong" * 4), "hosted")
        async with reach(wrong) as (client, _):
            refused = await client.call_tool("list_agents", {})
    async with reach(app) as (client, _):
        assert facts(await client.call_tool("get_agent", {"agent_id": made["agent_id"]}))["name"] == "Ada"
    assert (status["platform"], status["host"], status["llm"]) == ("hosted", url, "the hosted platform's")
    assert refused.is_error
    assert "xi-api-key is missing or wrong. Check ELEVENLABS_API_KEY" in str(refused.content)


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a process without asking it")
async def test_an_engine_that_waits_for_a_silent_model_ends_when_told(tmp_path: Path) -> None:
    asked = anyio.Event()

    async def silent(stream: SocketStream) -> None:
        await stream.receive()
        asked.set()
        await anyio.sleep_forever()

    key = "k" * 20
    async with peer(silent) as model:
        env = environment(
            tmp_path, CALLWRIGHT_ENGINE_API_KEY=key, CALLWRIGHT_LLM_BASE_URL=f"{model}/v1", CALLWRIGHT_LLM_MODEL="m"
        )
        command = [*callwright(), "engine", "--port", "0"]
        async with await anyio.open_process(command, env=env, stderr=subprocess.PIPE) as engine:
            assert engine.stderr
            said = (await engine.stderr.receive()).decode()
            url = said.split(";")[0].split()[-1]
            async with httpx2.AsyncClient(base_url=url, headers={"xi-api-key": key}, timeout=60) as http:
                made = await http.post("/v1/convai/agents/create", json={"conversation_config": {}})
                simulate = f"/v1/convai/agents/{made.json()['agent_id']}/simulate-conversation"
                user = {"prompt": {"prompt": "Ask for the hours."}}

                async def rehearse() -> None:
                    body = {"simulation_specification": {"simulated_user_config": user}}
                    with pytest.raises(httpx2.HTTPError):
                        (await http.post(simulate, json=body)).raise_for_status()

                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(rehearse)
                    with anyio.fail_after(30):
                        await asked.wait()
                    engine.send_signal(signal.SIGTERM)
                    with anyio.fail_after(20):
                        assert await engine.wait() == 0


async def test_the_engine_says_where_a_person_can_talk_to_an_agent(tmp_path: Path) -> None:
    command = [*callwright(), "engine", "--port", "0"]
    async with await anyio.open_process(command, env=environment(tmp_path), stderr=subprocess.PIPE) as engine:
        assert engine.stderr
        said = ""
        with anyio.fail_after(30):
            while not said.endswith("/chat\n"):
                said += (await engine.stderr.receive()).decode()
        address = said.split()[-1]
        async with httpx2.AsyncClient(timeout=60) as anybody:
            answer = await anybody.get(address)
        assert (answer.status_code, "There is no such agent" in answer.text) == (404, True)
        engine.terminate()


async def test_the_command_serves_the_approvals_of_its_public_url(tmp_path: Path) -> None:
    """And opens no page here for people who may sit elsewhere."""
    port = free_port()
    here, local = f"http://voice.example.com:{port}", f"http://127.0.0.1:{port}"
    body, headers = call_of("create_secret", {"name": "crm", "value": "abc"}, MODERN)
    command = [*callwright(), "serve", "--transport", "http", "--port", str(port)]
    env = environment(tmp_path, CALLWRIGHT_PUBLIC_URL=here, CALLWRIGHT_HTTP_TOKEN="operator-0123456789")
    async with (
        await anyio.open_process(command, env=env, stdout=None, stderr=None) as process,
        httpx2.AsyncClient(headers={"Host": urlsplit(here).netloc}) as http,
    ):
        with anyio.fail_after(60):
            while not (shown := await asked(http, f"{local}/approvals")):
                pass
        headers["authorization"] = "Bearer operator-0123456789"
        refused = await http.post(f"{local}/mcp", json=body, headers=headers)
        process.send_signal(signal.SIGTERM)
    assert title(shown) == (200, "Sign in to answer")
    assert f"open {here}/approvals in a browser" in refused.text
    assert "127.0.0.1" not in refused.text


async def asked(http: httpx2.AsyncClient, url: str) -> httpx2.Response | None:
    try:
        return await http.get(url)
    except httpx2.ConnectError:
        return None
