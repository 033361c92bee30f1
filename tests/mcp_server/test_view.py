"""The view of MCP Apps: found by its tools, and in a real browser shows what they answer, as text and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from callwright.app import App
from callwright.mcp_server.apps import MIME_TYPE, SHOWN, URI, page
from callwright.surface import built
from tests.browser import FLAWS, axe, browser, needs_browser
from tests.peers import serving
from tests.transports import ERAS, Clock, facts, numbered, reach, settings

pytestmark = pytest.mark.anyio

HOST = """<!doctype html><body><iframe id="view" sandbox="allow-scripts" style="width:640px;height:900px;border:0"></iframe>
<script>
const RESULT = %s, PAGE = %s, THEME = %s;
let tell;
const told = new Promise(done => { tell = done; });
const frame = document.getElementById("view");
addEventListener("message", event => {
  if (event.source !== frame.contentWindow) return;
  const message = event.data;
  if (message.method === "told") tell(message.what);
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


WORDS = "view.innerText"
HOLD = f"axe.run().then({FLAWS})"


async def shown(
    tmp_path: Path, result: dict[str, Any], theme: str = "light", *, reading: str = WORDS, scheme: str = "light"
) -> Any:
    """What a person sees in the frame, or another JavaScript expression inside of it. `scheme`: their own colours."""
    # The frame tells its host, which may not look into it.
    telling = f"setTimeout(async () => send({{ method: 'told', what: await {reading} }}), 0);"
    view = page().replace("function show(result) {", "function show(result) { " + telling)
    assert view != page()
    if reading == HOLD:
        view = view.replace("<body>", f"<body><script>{axe()}</script>")
    filled = HOST % tuple(json.dumps(each).replace("</", "<\\/") for each in (result, view, theme))

    async def host(_: Request) -> Response:
        return HTMLResponse(filled)

    async with serving(Starlette(routes=[Route("/", host)])) as url, browser(tmp_path / "profile") as tab:
        await tab.shown(scheme=scheme)
        await tab.open(url)
        return await tab.read("told")


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
    assert await shown(tmp_path, FAILED) == "It did not work\n\nNo conversation 'conv_9'."


FAILED: dict[str, Any] = {"isError": True, "content": [{"type": "text", "text": "No conversation 'conv_9'."}]}
COLOURS = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
LIGHT, DARK = ["rgb(255, 255, 255)", "rgb(20, 34, 43)"], ["rgb(22, 35, 43)", "rgb(230, 238, 242)"]


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("result", [TALK, RUN, FAILED], ids=["conversation", "test run", "error"])
async def test_everybody_can_read_it(tmp_path: Path, result: dict[str, Any], theme: str) -> None:
    """By the rules of axe-core: contrast in both themes, order of headings, lists, names."""
    assert await shown(tmp_path, result, theme, reading=HOLD) == []


@needs_browser
@pytest.mark.parametrize(
    ("theme", "scheme", "colours"),
    [("", "light", LIGHT), ("", "dark", DARK), ("light", "dark", LIGHT), ("dark", "light", DARK)],
)
async def test_the_hosts_theme_goes_before_the_persons_own(
    tmp_path: Path, theme: str, scheme: str, colours: list[str]
) -> None:
    assert await shown(tmp_path, TALK, theme, reading=COLOURS, scheme=scheme) == colours


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
