"""A made-up secret, put wherever one goes in, comes out nowhere: results, errors, questions, logs, files.

Places that must hold it, and are not searched: the request to the endpoint whose key it is, the `Authorization` line
that `serve --transport http` shows on stderr to be pasted into a host, and `http.token`, `engine.key`, `state.key` and
`vault.key` where the server itself made them (here the environment gives them).
"""

import base64
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callwright.app import App
from callwright.settings import Settings

from .peers import serving
from .transports import ERAS, Clock, numbered, reach, settings
from .warm import callwright, python

pytestmark = pytest.mark.anyio

CANARY = 'kanarie-7Zq+/"vogel~Tjilp?9x'
KEY32 = b"kanariepiet-kanariepiet-32-bytes"


def forms(secret: str = CANARY) -> dict[str, bytes]:
    """The secret as plain text and as any of its disguises."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "hex": raw.hex().encode(),
        "url-quoted": quote(secret, safe="").encode(),
        "JSON-escaped": json.dumps(secret)[1:-1].encode(),
        "reversed": raw[::-1],
        "utf-16": secret.encode("utf-16-le"),
    }
    for shift in range(3):  # base64 of a longer text holds it at any of three alignments
        inner = base64.b64encode(b"\0" * shift + raw)[4:-4]
        found |= {f"base64+{shift}": inner, f"urlsafe base64+{shift}": inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def test_the_search_finds_every_disguise() -> None:
    around = f"x{CANARY}y"
    for told in (
        json.dumps(around).encode(), around.encode().hex().encode(), quote(around, safe="").encode(),
        around.encode("utf-16"), around[::-1].encode(), around.encode(),
        *(base64.b64encode(b"x" * n + around.encode()) for n in range(5)),
        *(base64.urlsafe_b64encode(b"x" * n + around.encode()) for n in range(5)),
    ):  # fmt: skip
        assert any(form in told for form in forms().values()), told


def assert_absent(what: str, data: bytes) -> None:
    assert [name for name, form in {**forms(), "key": KEY32}.items() if form in data] == [], what


def assert_files_clean(home: Path) -> None:
    for file in home.rglob("*"):
        if file.is_file():
            assert_absent(file.name, file.read_bytes())


def given(home: Path, **more: Any) -> Settings:
    """Every secret setting is the canary."""
    keys: dict[str, Any] = {"vault_key": KEY32, "state_key": KEY32, "llm_api_key": CANARY, "http_token": CANARY}
    return settings(home, engine_api_key=CANARY, **keys, **more)


TRUNK = {"credentials": {"username": "desk", "password": CANARY}, "allowed_addresses": ["192.0.2.1"]}
OUT = {"address": "sip.example", "headers": {"X-Key": CANARY}, "credentials": {"username": "d", "password": CANARY}}
NUMBER = {"phone_number": "+15551234567", "label": "Desk"}

RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("create_secret", {"name": "crm", "value": CANARY}),
    ("update_secret", {"secret_id": "secret_1", "name": "crm", "value": CANARY}),
    ("import_phone_number", {**NUMBER, "twilio_sid": "AC1", "twilio_token": CANARY}),
    (
        "import_phone_number",
        {"phone_number": "+15557654321", "label": "SIP", "sip_outbound": OUT, "sip_inbound": TRUNK},
    ),
    ("update_phone_number", {"phone_number_id": "phnum_3", "sip_outbound": OUT}),
    ("update_phone_number", {"phone_number_id": "phnum_3", "sip_inbound": TRUNK}),
    ("create_agent", {"name": "Ada", "prompt": "p"}),
    (
        "update_agent",
        {
            "agent_id": "agent_4",
            "config": {
                "conversation_config": {
                    "agent": {
                        "prompt": {
                            "custom_llm": {
                                "url": "https://llm.example/v1",
                                "api_key": {"secret_id": "secret_1"},
                                "request_headers": {"X-Key": {"secret_id": "secret_1"}},
                            }
                        }
                    }
                }
            },
        },
    ),
    ("simulate_conversation", {"agent_id": "agent_4", "caller": "Hello"}),
]
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("create_secret", {"name": "crm", "value": CANARY}),  # the name is taken
    ("create_secret", {"name": "x", "valeu": CANARY}),
    ("create_secret", {"name": "x", "value": [CANARY]}),
    ("create_secret", {"name": "x" * 201, "value": CANARY}),
    ("create_secret", {"name": "x", "value": CANARY * 1_000}),
    ("update_secret", {"secret_id": "nope", "name": "x", "value": CANARY}),
    ("import_phone_number", {**NUMBER, "twilio_sid": "AC1", "twilio_token": CANARY}),  # imported already
    ("import_phone_number", {"phone_number": "555", "label": "x", "twilio_sid": "A", "twilio_token": CANARY}),
    ("import_phone_number", {**NUMBER, "twilio_token": CANARY}),
    ("import_phone_number", {**NUMBER, "sip_outbound": CANARY}),
    ("import_phone_number", {**NUMBER, "sip_outbound": {**OUT, "credentials": CANARY}}),
    ("import_phone_number", {**NUMBER, "sip_outbound": {**OUT, "transport": "udp"}}),
    ("import_phone_number", {**NUMBER, "sip_outbound": {**OUT, "headers": [CANARY]}}),
    ("import_phone_number", {**NUMBER, "sip_inbound": {"credentials": {"password": CANARY}}}),
    ("update_phone_number", {"phone_number_id": "phnum_2", "sip_outbound": OUT}),  # a Twilio number
    ("get_agent", {"agent_id": CANARY}),
]
LOOKING: list[tuple[str, dict[str, Any]]] = [
    ("list_secrets", {}),
    ("list_phone_numbers", {}),
    ("get_phone_number", {"phone_number_id": "phnum_2"}),
    ("get_phone_number", {"phone_number_id": "phnum_3"}),
    ("get_agent", {"agent_id": "agent_4", "parts": ["conversation_config.agent.prompt", "$"]}),
    ("list_changes", {"limit": 50}),
    ("get_status", {}),
]


async def told(client: Client, calls: list[tuple[str, dict[str, Any]]], *, fail: bool | None = None) -> bytes:
    """All that the client reads."""
    said: list[str] = []
    for tool, arguments in calls:
        result = await client.call_tool(tool, arguments)
        assert fail is None or result.is_error is fail, (tool, result.content)
        said.append(result.model_dump_json())
        said += [block.text for block in result.content if block.type == "text"]
    return "\n".join(said).encode()


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.parametrize("era", ERAS)
async def test_no_secret_comes_back(
    tmp_path: Path, clock: Clock, era: str, everything_logged: pytest.LogCaptureFixture
) -> None:
    app = App(given(tmp_path), "embedded", clock=clock, ids=numbered())
    async with reach(app, era, says="yes") as (client, asked):
        right = await told(client, RIGHT, fail=False)
        wrong = await told(client, WRONG, fail=True)
        seen = await told(client, LOOKING, fail=False)
        assert (tmp_path / "callwright.db-wal").stat().st_size > 0
        assert_files_clean(tmp_path)
        gone = await told(client, [("delete_phone_number", {"phone_number_id": "phnum_3"})], fail=False)
    for what, data in {"right": right, "wrong": wrong, "seen": seen, "gone": gone}.items():
        assert_absent(what, data)
    assert len(asked) >= 6
    assert_absent("questions", "\n".join(asked).encode())
    assert_absent("log", everything_logged.text.encode())
    assert_absent("log arguments", repr([record.__dict__ for record in everything_logged.records]).encode())
    assert_files_clean(tmp_path)


async def test_a_literal_header_of_an_agent_is_sealed_in_the_log(tmp_path: Path, clock: Clock) -> None:
    """The agent's own document holds it in clear while the agent lives; what was changed and deleted does not."""
    app = App(given(tmp_path), "embedded", clock=clock, ids=numbered())
    model = {"url": "https://llm.example/v1", "request_headers": {"Authorization": f"Bearer {CANARY}"}}
    config = {"conversation_config": {"agent": {"prompt": {"custom_llm": model}}}}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("create_agent", {"name": "Ada", "prompt": "p"}),
        ("update_agent", {"agent_id": "agent_1", "config": config}),
        ("update_agent", {"agent_id": "agent_1", "name": "Bob"}),
        ("delete_agent", {"agent_id": "agent_1"}),
    ]
    async with reach(app, says="yes") as (client, _):
        await told(client, calls, fail=False)
        logged = rows_of(tmp_path / "callwright.db", "ledger_")
        assert len(logged) >= 4
        assert_absent("ledger", repr(logged).encode())
        assert_absent("ledger's bytes", b"".join(cell for row in logged for cell in row if isinstance(cell, bytes)))
        listed: Any = (await client.call_tool("list_changes", {})).structured_content
        [change_id] = [row["change_id"] for row in listed["changes"] if row["tool"] == "delete_agent"]
        restored = await client.call_tool("undo_change", {"change_id": change_id})
        assert not restored.is_error, restored.content
        assert (
            CANARY
            in json.loads(rows_of(tmp_path / "callwright.db", "agent")[0][-1])["conversation_config"]["agent"][
                "prompt"
            ]["custom_llm"]["request_headers"]["Authorization"]
        )


def rows_of(file: Path, prefix: str) -> list[tuple[Any, ...]]:
    """Every row of the tables whose names begin so."""
    with closing(sqlite3.connect(file)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [row for name in names if name.startswith(prefix) for row in db.execute(f"SELECT * FROM {name}")]


async def test_a_token_is_not_repeated(app: App) -> None:
    async with reach(app) as (client, _):
        made = await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"})
        assert not made.is_error
        forged = ("delete_agent", {"agent_id": "agent_1", "approval_token": CANARY})
        assert_absent("error", await told(client, [forged], fail=True))


async def test_no_secret_is_in_what_waits_for_a_person(tmp_path: Path, clock: Clock) -> None:
    app = App(given(tmp_path, approval="always-ask"), "embedded", clock=clock, ids=numbered())
    async with reach(app) as (client, _):
        assert_absent("refusals", await told(client, [RIGHT[0], *RIGHT[2:4]], fail=True))
        waiting = await (await app.ledger()).waiting()
    assert len(waiting) == 3
    assert_absent("waiting", repr(waiting).encode())
    assert_files_clean(tmp_path)


async def echo(request: Request) -> Response:
    """A bad platform, or a bad model endpoint: it tells everything that it was sent."""
    headers = dict(request.headers)
    return JSONResponse({"detail": {"message": json.dumps(headers)}, "error": {"message": str(headers)}}, 400)


async def echoing(scope: Any, receive: Any, send: Any) -> None:
    await (await echo(Request(scope, receive)))(scope, receive, send)


async def test_a_platform_that_echoes_the_key_does_not_give_it_away(
    tmp_path: Path, everything_logged: pytest.LogCaptureFixture
) -> None:
    async with serving(echoing) as url:
        app = App(given(tmp_path, api_key=CANARY, api_url=url), "hosted")
        async with reach(app, says="yes") as (client, _):
            said = await told(client, [("list_agents", {}), ("delete_agent", {"agent_id": "a"})], fail=True)
            assert b"[key]" in said
            said += await told(client, [("get_status", {})], fail=False)
    assert_absent("errors", said)
    assert_absent("log", everything_logged.text.encode())
    assert_absent("repr", repr((app, app.settings)).encode())


async def test_a_model_endpoint_that_echoes_the_key_does_not_give_it_away(
    tmp_path: Path, clock: Clock, everything_logged: pytest.LogCaptureFixture
) -> None:
    async with serving(echoing) as url:
        app = App(given(tmp_path, llm_base_url=f"{url}/v1", llm_model="m"), "embedded", clock=clock, ids=numbered())
        async with reach(app, says="yes") as (client, _):
            made = [("create_agent", {"name": "Ada", "prompt": "p"})]
            said = await told(client, [*made, ("simulate_conversation", {"agent_id": "agent_1", "caller": "Hello"})])
            listed = [("list_conversations", {"include_simulated": True, "with_summary": True})]
            said += await told(client, [*listed, ("get_conversation", {"conversation_id": "conv_2"})])
    assert_absent("results", said)
    assert_absent("log", everything_logged.text.encode())
    assert_files_clean(tmp_path)


def environment(home: Path, **more: str) -> dict[str, str]:
    secret = ("ELEVENLABS_API_KEY", "CALLWRIGHT_LLM_API_KEY", "CALLWRIGHT_HTTP_TOKEN", "CALLWRIGHT_ENGINE_API_KEY")
    keys = dict.fromkeys(("CALLWRIGHT_VAULT_KEY", "CALLWRIGHT_STATE_KEY"), base64.b64encode(KEY32).decode())
    return {
        **os.environ, **dict.fromkeys(secret, CANARY), **keys, "CALLWRIGHT_HOME": str(home),
        "CALLWRIGHT_LOG_LEVEL": "debug", "CALLWRIGHT_APPROVAL": "none", "PYTHONPATH": os.pathsep.join(sys.path), **more,
    }  # fmt: skip


def run(home: Path, *command: str, typed: str = "") -> bytes:
    """Everything that a command writes."""
    done = subprocess.run(
        [*callwright(), *command],
        check=False, input=typed, capture_output=True, text=True, env=environment(home), timeout=60,
    )  # fmt: skip
    return (done.stdout + done.stderr).encode()


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (("call", "create_secret", "--platform", "embedded", "--json", "-"), {"name": "crm", "value": CANARY}),
        (("call", "create_secret", "--platform", "embedded", "--json", "-"), {"name": "crm", "value": [CANARY]}),
        (("call", "create_secret", "--platform", "embedded", "--json", "-"), CANARY),
        (("call", "import_phone_number", "--platform", "embedded", "--json", "-"), {**NUMBER, "sip_outbound": OUT}),
        (("doctor", "--platform", "embedded"), None),
        (("doctor",), None),
        (("tools", "--format", "json"), None),
        (("approve",), None),
    ],
    ids=["right", "wrong-type", "no-object", "trunk", "doctor", "doctor-hosted", "tools", "approve"],
)
def test_no_command_prints_a_secret(tmp_path: Path, command: tuple[str, ...], typed: object) -> None:
    out = run(tmp_path, *command, typed=json.dumps(typed) if typed else "")
    assert out
    assert_absent(" ".join(command), out)
    assert_files_clean(tmp_path)


@pytest.mark.parametrize("name", ["ELEVENLABS_API_KEY", "CALLWRIGHT_HTTP_TOKEN", "CALLWRIGHT_STATE_KEY"])
def test_a_setting_that_is_wrong_is_named_without_its_value(tmp_path: Path, name: str) -> None:
    env = {**os.environ, "CALLWRIGHT_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*callwright(), "tools"],
        check=False, capture_output=True, text=True, env={**env, name: f"{CANARY} with a space"},
    )  # fmt: skip
    assert done.returncode == 2
    assert name in done.stderr
    assert_absent("stderr", (done.stdout + done.stderr).encode())


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_on_stdio_logs_no_secret(tmp_path: Path, form: str) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
    }  # fmt: skip
    asked = {"name": "create_secret", "arguments": {"name": "crm", "value": CANARY}}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked}
    server = subprocess.Popen(
        [*callwright(), "serve", "--platform", "embedded"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(tmp_path, CALLWRIGHT_LOG_FORMAT=form),
    )  # fmt: skip
    assert server.stdin
    assert server.stdout
    for message in (hello, {"jsonrpc": "2.0", "method": "notifications/initialized"}, call):
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
    lines = [server.stdout.readline(), server.stdout.readline()]
    rest, errors = server.communicate(timeout=30)
    assert '"isError":false' in lines[1]
    assert_absent("stdout", ("".join(lines) + rest).encode())
    assert "create_secret done" in errors
    assert_absent("stderr", errors.encode())
    if form == "json":
        assert all(json.loads(line)["timestamp"] for line in errors.splitlines())
    assert_files_clean(tmp_path)


UNKNOWN = "parkiet-that-no-setting-holds"
LEAK = f"""
import callwright.engine.rules.agents as agents
def fails(*_, **__):
    headers = {{"xi-api-key": {CANARY!r}, "authorization": "Bearer {UNKNOWN}"}}
    raise RuntimeError(f"sent {{headers}} to https://user:{UNKNOWN}@x.example/?token={UNKNOWN}")
agents.Paged.page = fails
import sys; from callwright.cli import main; main()
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_http_server_that_crashes_logs_no_secret(tmp_path: Path, form: str) -> None:
    """The web server's own log lines go through the same handler."""
    server = subprocess.Popen(
        [*python(), "-c", LEAK, "engine", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path, CALLWRIGHT_LOG_FORMAT=form),
    )  # fmt: skip
    assert server.stderr
    port = re.search(r"127\.0\.0\.1:(\d+)", server.stderr.readline())
    assert port
    url = f"http://127.0.0.1:{port[1]}/v1/convai/agents"
    assert httpx2.get(url, headers={"xi-api-key": CANARY}).status_code == 500
    server.terminate()
    out, errors = server.communicate(timeout=30)
    assert "RuntimeError: sent {" in errors
    assert "uvicorn" in errors
    assert_absent("log", (out + errors).encode())
    assert UNKNOWN not in out + errors
    if form == "json":
        lines = [json.loads(line) for line in errors.splitlines()]
        assert {"callwright.engine.http.app", "uvicorn.error"} <= {
            line["logger"] for line in lines if "exception" in line
        }
