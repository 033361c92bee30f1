"""The commands, as a person runs them: real processes, real output, exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright import __version__
from callwright.settings import Settings
from callwright.telemetry.redaction import secrets_of
from callwright.tools import WITHOUT_TOOL

from ..warm import STARTED, callwright


def environment(home: Path, **env: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CALLWRIGHT_", "ELEVENLABS_"))}
    return {**clean, "CALLWRIGHT_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), **env}


def run(home: Path, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return run_as(callwright(), home, *args, stdin=stdin, **env)


def run_as(program: list[str], home: Path, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *args],
        env=environment(home, **env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def call(home: Path, tool: str, **arguments: Any) -> dict[str, Any]:
    done = run(home, "call", tool, "--format", "json", "--json", "-", stdin=json.dumps(arguments))
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def test_tools_as_json_carry_hints_approval_and_one_line(tmp_path: Path) -> None:
    listed = json.loads(run(tmp_path, "tools", "--format", "json").stdout)
    rows = listed["tools"]
    assert listed["without_tool"] == WITHOUT_TOOL
    by_name = {row["name"]: row for row in rows}
    assert by_name["delete_agent"] == snapshot(
        {
            "name": "delete_agent",
            "title": "Delete agent",
            "toolset": "agents",
            "operations": ["DELETE /v1/convai/agents/{agent_id}", "GET /v1/convai/agents/{agent_id}"],
            "readOnlyHint": False,
            "destructiveHint": True,
            "idempotentHint": True,
            "openWorldHint": False,
            "approval": "requires_approval",
            "description": "Delete an agent for good; its phone numbers lose their agent, its conversations stay.",
        }
    )
    read_only = json.loads(run(tmp_path, "tools", "--format", "json", "--read-only").stdout)["tools"]
    assert {row["name"] for row in read_only} == {row["name"] for row in rows if row["readOnlyHint"]}
    assert "delete_agent" in run(tmp_path, "tools").stdout


def test_openapi_is_a_document_of_the_contract(tmp_path: Path) -> None:
    document = json.loads(run(tmp_path, "openapi").stdout)
    assert document["openapi"].startswith("3.1")
    assert "get" in document["paths"]["/v1/convai/agents/{agent_id}"]


def test_doctor_says_ready_without_an_llm_and_shows_no_secret(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", CALLWRIGHT_HTTP_TOKEN="canary-token-000000")
    assert done.returncode == 0
    assert "warning  llm" in done.stdout
    assert done.stdout.rstrip().endswith("Ready.")
    assert "CALLWRIGHT_HTTP_TOKEN" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_doctor_fails_where_the_platform_cannot_serve(tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("")
    done = run(file, "doctor")
    assert done.returncode == 1
    assert "MISSING  data folder" in done.stdout
    hosted = run(tmp_path, "doctor", ELEVENLABS_API_KEY="canary-key", CALLWRIGHT_API_URL="http://127.0.0.1:9")
    assert hosted.returncode == 1
    assert "The platform cannot be reached" in hosted.stdout
    assert "canary" not in hosted.stdout + hosted.stderr


def test_a_call_prints_the_result_and_its_status_tells(tmp_path: Path) -> None:
    made = call(tmp_path, "create_agent", name="Ada", prompt="Be brief.")
    shown = run(tmp_path, "call", "get_agent", "--json", json.dumps({"agent_id": made["agent_id"]}))
    assert shown.returncode == 0
    assert "name: Ada" in shown.stdout
    missing = run(tmp_path, "call", "get_agent", "--json", '{"agent_id": "agent_none"}')
    assert (missing.returncode, missing.stdout) == snapshot((1, "No agent 'agent_none'. list_agents shows them.\n"))
    unknown = run(tmp_path, "call", "get_agents")
    assert (unknown.returncode, unknown.stdout) == snapshot((1, "Unknown tool: get_agents. Did you mean get_agent?\n"))
    assert run(tmp_path, "call", "get_agent", "--json", "[1]").returncode == 2
    assert run(tmp_path, "call", "get_agent", "--json", "{").returncode == 2


def at_terminal(home: Path, *args: str, typed: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a terminal, at which somebody types; what they type is not in the output."""
    import termios

    person, terminal = os.openpty()
    try:
        modes = termios.tcgetattr(terminal)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSANOW, modes)
        os.write(person, typed.encode())
        done = subprocess.run(
            [*callwright(), *args],
            env=environment(home, **env),
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        os.set_blocking(person, False)
        shown = os.read(person, 1_000_000)
        return subprocess.CompletedProcess(done.args, done.returncode, shown.decode(), done.stderr.decode())
    finally:
        os.close(person)
        os.close(terminal)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is made with openpty")
def test_a_person_approves_in_a_terminal_what_a_pipeline_could_not_ask(tmp_path: Path) -> None:
    first = call(tmp_path, "create_secret", name="crm", value="s3cret-value")
    assert first["needs_approval"] == "person"
    assert first["approve_with"].startswith(f"CALLWRIGHT_HOME={tmp_path} ")
    code = first["approve_with"].split()[-1]
    assert f"{code}  create_secret" in run(tmp_path, "approve").stdout
    nobody = run(tmp_path, "approve", code, stdin="yes\n")
    assert (nobody.returncode, nobody.stdout.split(":")[0]) == (1, "Approving needs a person")
    approved = at_terminal(tmp_path, "approve", code.lower(), typed="yes\n")
    assert (approved.returncode, approved.stdout) == snapshot(
        (
            0,
            """\
create_secret: Store a secret named 'crm' (12 characters).
Approve? Type yes: Approved. Call create_secret again within 14 minutes, arguments unchanged.
""",
        )
    )
    assert call(tmp_path, "create_secret", name="crm", value="s3cret-value")["name"] == "crm"
    assert at_terminal(tmp_path, "approve", code, typed="yes\n").returncode == 1
    assert run(tmp_path, "approve").stdout == f"Nothing waits for approval in {tmp_path}.\n"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is made with openpty")
def test_whoever_does_not_see_the_question_cannot_approve(tmp_path: Path) -> None:
    code = call(tmp_path, "create_secret", name="crm", value="s3cret-value")["approve_with"].split()[-1]
    person, terminal = os.openpty()
    os.write(person, b"yes\n")
    command, env = [*callwright(), "approve", code], environment(tmp_path)
    unseen = subprocess.run(command, env=env, stdin=terminal, stdout=subprocess.PIPE, timeout=60, check=False)
    untyped = subprocess.run(command, env=env, input=b"yes\n", stdout=terminal, timeout=60, check=False)
    assert (unseen.returncode, untyped.returncode) == (1, 1)
    os.close(person)
    os.close(terminal)
    assert f"{code}  create_secret" in run(tmp_path, "approve").stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is made with openpty")
def test_another_word_than_yes_closes_the_question(tmp_path: Path) -> None:
    code = call(tmp_path, "create_secret", name="crm", value="s3cret-value")["approve_with"].split()[-1]
    refused = at_terminal(tmp_path, "approve", code, typed="y\n")
    assert refused.returncode == 1
    assert refused.stdout.endswith("Approve? Type yes: Not approved; the question is closed.\n")
    told = run(tmp_path, "call", "create_secret", "--json", "-", stdin='{"name": "crm", "value": "s3cret-value"}')
    assert (told.returncode, told.stdout) == (
        1,
        "The user said no. Nothing was done. Do not call this again unless the user asks for it.\n",
    )
    assert call(tmp_path, "create_secret", name="crm", value="s3cret-value")["needs_approval"] == "person"


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("create_secret", {"name": "crm", "value": "s3cret"}, "value"),
        ("import_phone_number", {"sip_outbound": {"credentials": {"password": "s3cret"}}}, "sip_outbound"),
    ],
)
def test_a_secret_is_not_taken_from_the_command_line(
    tmp_path: Path, tool: str, arguments: dict[str, Any], named: str
) -> None:
    done = run(tmp_path, "call", tool, "--json", json.dumps(arguments))
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"{named} is a secret, and other programs can read a command line: send it with --json -.\n"
    )


def test_a_flag_does_not_loosen_the_approval_of_the_environment(tmp_path: Path) -> None:
    done = run(tmp_path, "call", "list_agents", "--approval", "none", CALLWRIGHT_APPROVAL="always-ask")
    assert done.returncode == 2
    assert "--approval none would loosen CALLWRIGHT_APPROVAL=always-ask" in done.stderr
    assert run(tmp_path, "call", "list_agents", "--approval", "none").returncode == 0


def test_a_data_folder_may_be_named_with_any_character(tmp_path: Path) -> None:
    home = tmp_path / "a?b %20 c#d"
    call(home, "create_agent", name="Ada", prompt="p")
    assert (home / "callwright.db").exists()
    assert [p.name for p in tmp_path.iterdir()] == [home.name]


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (["serve"], {"CALLWRIGHT_APPROVAL": "x"}, snapshot("callwright: CALLWRIGHT_APPROVAL must be always-ask, fine-grained or none.\n")),
        (["serve", "--platform", "hosted"], {}, snapshot("callwright: The hosted platform needs ELEVENLABS_API_KEY; or use --platform embedded.\n")),
        (["tools", "--toolsets", "agent"], {}, snapshot("callwright: Unknown toolset 'agent'. Known: agents, conversations, widget, knowledge, phone, secrets, tools, llms, pronunciation, tests, mcp_servers, calls, workspace, server; or default, or all.\n")),
        (["serve", "--transport", "http", "--host", "0.0.0.0", "--no-token"], {}, snapshot("callwright: --no-token is for this machine only: leave it out, or listen on 127.0.0.1.\n")),
        (["serve", "--transport", "http", "--host", "0.0.0.0"], {}, snapshot("callwright: --host 0.0.0.0 needs --allowed-hosts or CALLWRIGHT_PUBLIC_URL: the host names under which clients reach the server, such as callwright.example.com or 192.168.1.20:8000.\n")),
    ],
)  # fmt: skip
def test_a_server_that_cannot_start_says_why_in_one_line(
    tmp_path: Path, args: list[str], env: dict[str, str], said: str
) -> None:
    done = run(tmp_path, *args, **env)
    assert done.returncode == 2
    assert done.stderr.splitlines(keepends=True)[-1] == said
    assert done.stdout == ""


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"callwright {__version__}\n"


def test_on_stdio_stdout_is_json_rpc_only_and_the_end_of_input_ends_it(tmp_path: Path) -> None:
    hello: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
    }
    ready: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    ask: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "get_status", "arguments": {}},
    }
    with subprocess.Popen(
        [*callwright(), "serve"],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write("".join(json.dumps(message) + "\n" for message in (hello, ready, ask)))
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline()) for _ in range(2)]
        server.stdin.close()
        assert server.wait(timeout=20) == 0
        assert server.stdout.read() == ""
        assert "embedded platform" in server.stderr.read()
    assert answers[0]["result"]["protocolVersion"] == "2024-11-05"
    assert answers[0]["result"]["serverInfo"]["name"] == "callwright"
    assert answers[1]["result"]["structuredContent"]["platform"] == "embedded"


def test_the_doctor_tries_every_route(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({"gpt*": {"base_url": "http://127.0.0.1:9/v1", "api_key": "canary-route-key"}}))
    done = run(tmp_path, "doctor", CALLWRIGHT_LLM_ROUTES=str(file))
    assert "warning  llm          http://127.0.0.1:9/v1 does not answer (ConnectError)." in done.stdout
    assert "No LLM" not in done.stdout
    asked = run(tmp_path, "call", "get_status", "--format", "json", CALLWRIGHT_LLM_ROUTES=str(file))
    status = json.loads(asked.stdout)
    assert (status["llm"], status["missing"]) == (
        "gpt* at http://127.0.0.1:9/v1; others: offline responder (quotes documents, judges nothing)",
        [],
    )
    assert "canary" not in done.stdout + done.stderr


def test_the_doctor_names_a_template_that_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({"gpt-4o": {"template": "grok", "api_key": "canary-route-key"}}))
    done = run(tmp_path, "doctor", CALLWRIGHT_LLM_ROUTES=str(file))
    assert "CALLWRIGHT_LLM_ROUTES: the template of 'gpt-4o' must be one of cloudflare, groq," in done.stdout
    assert "MISSING  llm" in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_a_setting_that_shows_itself_only_in_a_call_is_named(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    file.write_text('{"gpt*": "canary-route-key"}')
    asked = run(tmp_path, "call", "list_agents", CALLWRIGHT_LLM_ROUTES=str(file))
    assert asked.returncode == 1
    assert asked.stdout + asked.stderr == snapshot(
        'CALLWRIGHT_LLM_ROUTES must hold {"<model, or prefix*>": {"base_url": "https://...", "model": "...", "api_key": "..."}}; model and api_key may be left out, and "template": "<name>" may stand for base_url. Mend it, then restart the server.\n'
    )


def test_a_key_of_a_route_is_kept_out_of_the_log(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({"gpt*": {"base_url": "http://127.0.0.1:9/v1", "api_key": "canary-route-key"}, "x": 1}))
    assert secrets_of(Settings(home=tmp_path, llm_routes=file), {}) == ["canary-route-key"]


def test_the_doctor_names_an_extra_that_is_asked_for_and_not_installed(tmp_path: Path) -> None:
    """As where there is no wheel of the driver: the module is there in name only."""
    (tmp_path / "psycopg.py").write_text("raise ImportError('no pq wrapper available')")
    without = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = run_as(STARTED, tmp_path, "doctor", CALLWRIGHT_DATABASE_URL="postgresql://localhost/x", **without)
    assert done.returncode == 1
    assert (
        "MISSING  database     CALLWRIGHT_DATABASE_URL names PostgreSQL, whose driver is not installed" in done.stdout
    )
    assert "install callwright[postgresql]" in done.stdout


def test_the_doctor_says_why_traces_that_are_asked_for_are_not_sent(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", OTEL_TRACES_EXPORTER="zipkin")
    assert done.returncode == 0
    assert "warning  traces       No traces are sent: OTEL_TRACES_EXPORTER may be otlp or none." in done.stdout
    assert "traces" not in run(tmp_path, "doctor").stdout
