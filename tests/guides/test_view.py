"""The view of MCP Apps: found by its tools, and in a real browser shows what they answer, as text and nothing else."""

import json
import shutil
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from callwright.app import App
from callwright.guides.apps import MIME_TYPE, SHOWN, URI, page
from callwright.tools.surface import built
from tests.arms import ERAS, Clock, facts, numbered, reach, settings
from tests.peers import serving

pytestmark = pytest.mark.anyio

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

HOST = """<!doctype html><body><iframe id="view" sandbox="allow-scripts" style="width:640px;height:900px;border:0"></iframe>
<script>
const RESULT = %s, PAGE = %s, THEME = %s;
const frame = document.getElementById("view");
addEventListener("message", event => {
  if (event.source !== frame.contentWindow) return;
  const message = event.data;
  if (message.method === "told") fetch("/told", { method: "POST", body: message.text });
  const answer = data => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...data }, "*");
  if (message.method === "ui/initialize") answer({ id: message.id, result: { protocolVersion: "2026-01-26",
    hostInfo: { name: "test", version: "1" }, hostCapabilities: {}, hostContext: { theme: THEME } } });
  if (message.method === "ui/notifications/initialized") answer({ method: "ui/notifications/tool-result", params: RESULT });
});
frame.srcdoc = PAGE;
</script>"""
"""A host as the extension describes it: a sandboxed frame that is answered by messages."""

SCRIPT = "<img src=x onerror=\"document.body.textContent='run'\">"
TALK: dict[str, Any] = {
    "structuredContent": {
        "conversation_id": "conv_1",
        "turns": 2,
        "started": "2027-01-15 08:00 UTC",
        "secs": 41,
        "ended_because": "the caller hung up",
        "transcript": [
            {"role": "agent", "said": "Hello, this is the bicycle shop.", "tools": [], "at_secs": 0},
            {"role": "user", "said": f"My bicycle {SCRIPT} was stolen.", "tools": ["look_up {}: found"], "at_secs": 4},
        ],
        "analysis": {
            "call_successful": "failure",
            "title": "Stolen bicycle",
            "summary": "The caller reported a theft.",
            "criteria": [{"id": "polite", "result": "success", "rationale": "It was."}],
            "data": [{"id": "brand", "value": "Aurora", "rationale": ""}],
        },
    }
}
RUN: dict[str, Any] = {
    "structuredContent": {
        "passed": 1,
        "failed": 1,
        "pending": 0,
        "runs": [
            {"test_id": "t1", "test": "Greets", "status": "passed", "reason": "It greets.", "checks": [], "reply": []},
            {"test_id": "t2", "test": "Asks for the id", "status": "failed", "reason": "It did not ask.", "checks": ["path id: missing"],
             "reply": [{"role": "agent", "said": "Done.", "tools": [], "at_secs": 1}]},
        ],
    }
}  # fmt: skip


async def shown(tmp_path: Path, result: dict[str, Any], theme: str = "light") -> str:
    """The text that a person sees in the frame. The browser is the real one; it tells this server what is there."""
    assert BROWSER
    told = ""
    arrived = anyio.Event()
    # The frame hands its text to its host, which may not look into it, and the host hands it on.
    reading = "setTimeout(() => send({ method: 'told', text: view.innerText }), 0);"
    telling = page().replace("function show(result) {", "function show(result) { " + reading)
    assert telling != page()
    filled = HOST % tuple(json.dumps(each).replace("</", "<\\/") for each in (result, telling, theme))

    async def host(_: Request) -> Response:
        return HTMLResponse(filled)

    async def hear(request: Request) -> Response:
        nonlocal told
        told = (await request.body()).decode()
        arrived.set()
        return Response()

    asgi = Starlette(routes=[Route("/", host), Route("/told", hear, methods=["POST"])])
    async with serving(asgi) as url:
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", profile, url]
        async with await anyio.open_process(command, stdout=DEVNULL, stderr=DEVNULL) as browser:
            with anyio.fail_after(60):
                await arrived.wait()
            browser.kill()
    return told


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (Debian: apt-get install chromium)")


@needs_browser
async def test_a_conversation_is_shown_with_its_judgement_and_its_words_as_words(tmp_path: Path) -> None:
    assert await shown(tmp_path, TALK) == snapshot("""\
Stolen bicycle

2027-01-15 08:00 UTC · 41 s · 2 turns · ended: the caller hung up

✗ failed The caller reported a theft.

Criteria
✓ passed polite

It was.

Collected
brand: Aurora
Transcript
Agent, 0 s
Hello, this is the bicycle shop.
Caller, 4 s
My bicycle <img src=x onerror="document.body.textContent='run'"> was stolen.
look_up {}: found\
""")


@needs_browser
async def test_a_test_run_is_shown_with_the_reasons(tmp_path: Path) -> None:
    assert await shown(tmp_path, RUN, "dark") == snapshot("""\
Test run

1 passed, 1 failed

✓ passed Greets

It greets.

✗ failed Asks for the id

It did not ask.

Agent, 1 s
Done.
path id: missing\
""")


@needs_browser
async def test_an_error_is_shown_as_one(tmp_path: Path) -> None:
    failed = {"isError": True, "content": [{"type": "text", "text": "No conversation 'conv_9'."}]}
    assert await shown(tmp_path, failed) == "No conversation 'conv_9'."


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_whose_results_it_shows_lead_to_it(tmp_path: Path, clock: Clock, era: str) -> None:
    assert {entry["tool"]["name"] for entry in built()} >= SHOWN
    app = App(settings(tmp_path, toolsets=("all",)), "embedded", clock=clock, ids=numbered())
    async with reach(app, era) as (client, _):
        listed = {tool.name: (tool.meta or {}).get("ui") for tool in (await client.list_tools()).tools}
        [found] = (await client.read_resource(URI)).contents
        made = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
        heard = facts(await client.call_tool("simulate_conversation", {"agent_id": made["agent_id"], "caller": "Hi"}))
    assert {name for name, ui in listed.items() if ui == {"resourceUri": URI}} == SHOWN
    assert found.mime_type == MIME_TYPE
    assert TALK["structuredContent"].keys() - {"started", "secs"} <= heard.keys()
    assert "http" not in page().replace("ui/", "")  # it fetches nothing
