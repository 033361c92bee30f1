"""The server opens the page itself: in a real little program, which the variable BROWSER names."""

import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from callwright.app import App
from callwright.approval import ask, page
from callwright.approval.browser import browse

from ..commands.test_cli import environment
from ..transports import ERAS, MODERN, facts, numbered, reach, refusal_facts, settings, text
from ..warm import callwright
from .test_approval_page import SECRET, log

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.name != "posix", reason="the browser here is a script with a first line that names Python"),
]

PROGRAM = '''#!{python}
"""A browser that does at once what its person would."""
import re, sys, time, urllib.parse, urllib.request
from pathlib import Path

here, does = Path(__file__).parent, "{does}"
url = sys.argv[1]
print('{{"jsonrpc": "2.0", "id": 1, "result": "of a browser"}}', flush=True)
print("noise", file=sys.stderr, flush=True)
with (here / "opened").open("a") as file:
    file.write(url + "\\n")
says = {{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}}
if does == "nothing":
    sys.exit()
with urllib.request.urlopen(urllib.request.Request(url, headers=says)) as shown:
    token = re.findall('name="token" value="([^"]+)"', shown.read().decode())[0]
    cookie = shown.headers["Set-Cookie"].partition(";")[0]
if does == "wait":
    while not (here / "answer").exists():
        time.sleep(0.01)
if does != "look":
    parts = urllib.parse.urlsplit(url)
    says |= {{"Sec-Fetch-Site": "same-origin", "Origin": f"{{parts.scheme}}://{{parts.netloc}}", "Cookie": cookie}}
    decision = "decline" if does == "decline" else "approve"
    sent = urllib.parse.urlencode({{"token": token, "decision": decision}}).encode()
    urllib.request.urlopen(urllib.request.Request(url, sent, says)).close()
'''


def little_browser(folder: Path, does: str) -> str:
    """A program that opens addresses. `does`: approve, decline, wait (for a file `answer`), look, or nothing."""
    folder.mkdir(exist_ok=True)
    program = folder / "browser"
    program.write_text(PROGRAM.format(python=sys.executable, does=does))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def opened(folder: Path) -> list[str]:
    file = folder / "opened"
    return file.read_text().splitlines() if file.exists() else []


@asynccontextmanager
async def stdio(tmp_path: Path, era: str = MODERN, **env: str) -> AsyncGenerator[Client]:
    """A client that cannot ask, at a server in a process of its own, whose log is the file `log`."""
    command, *args = callwright()
    given = environment(tmp_path / "home", CALLWRIGHT_LOG_LEVEL="debug", **env)
    with (tmp_path / "log").open("w") as said:
        parameters = StdioServerParameters(command=command, args=[*args, "serve"], env=given)
        async with Client(stdio_client(parameters, errlog=said), mode=era) as client:
            yield client


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_at_a_desktop_approves_within_the_call_and_the_address_reaches_nobody_else(
    tmp_path: Path, era: str
) -> None:
    async with stdio(tmp_path, era, BROWSER=little_browser(tmp_path / "desk", "approve")) as client:
        done = await client.call_tool("create_secret", SECRET)
        assert facts(done)["name"] == "crm"
        assert await log(client) == [("create_secret", "done", "person")]
    [url] = opened(tmp_path / "desk")
    logged = (tmp_path / "log").read_text()
    assert "create_secret" in logged
    for part in (url, url.rpartition("/")[2], url.split("/")[2]):  # the whole, the ticket, host and port
        assert part not in f"{done} {logged}"


async def test_a_no_there_is_a_no(tmp_path: Path) -> None:
    async with stdio(tmp_path, BROWSER=little_browser(tmp_path / "desk", "decline")) as client:
        assert refusal_facts(await client.call_tool("create_secret", SECRET)) == {"declined": True}


async def test_without_a_browser_the_person_is_sent_to_a_terminal(tmp_path: Path) -> None:
    async with stdio(tmp_path, TERM="xterm") as client:  # nor is one for terminals tried
        refused = await client.call_tool("create_secret", SECRET)
    code = refusal_facts(refused)["approve_with"].split()[-1]
    assert f"approve {code}` in a terminal and answer there within 15 minutes. When they have agreed" in text(refused)
    assert "http" not in text(refused)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[App]:
    """A server in this process, whose calls wait for nobody."""
    monkeypatch.setattr(ask, "WAIT_SECONDS", 0.0)
    app = App(settings(tmp_path / "home"), "embedded", near=True, browser=browse, ids=numbered())
    yield app
    await app.close()


async def test_other_calls_go_on_while_a_person_thinks(
    tmp_path: Path, desk: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "WAIT_SECONDS", 60.0)
    monkeypatch.setenv("BROWSER", little_browser(tmp_path / "desk", "wait"))
    done: list[str] = []
    async with reach(desk) as (client, _), anyio.create_task_group() as tasks:

        async def store() -> None:
            done.append(facts(await client.call_tool("create_secret", SECRET))["name"])

        tasks.start_soon(store)
        while not opened(tmp_path / "desk"):
            facts(await client.call_tool("list_secrets", {}))
        assert done == []
        (tmp_path / "desk" / "answer").touch()
    assert done == ["crm"]


async def test_a_page_that_is_open_is_not_opened_again(
    tmp_path: Path, desk: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", little_browser(tmp_path / "desk", "look"))
    async with reach(desk) as (client, _):
        first = await client.call_tool("create_secret", SECRET)
        assert text(first) == (
            "Not done yet. Store a secret named 'crm' (3 characters). This needs a person (secret), and this client cannot"
            " ask one. Ask the user to answer on the page that has opened in their browser (closed? `callwright approve`"
            " in a terminal shows what waits) within 15 minutes. When they have agreed, call create_secret again with the"
            " same arguments."
        )
        assert refusal_facts(first)["approve_with"] == "callwright approve"
        assert text(await client.call_tool("create_secret", SECRET)) == text(first)
    assert len(opened(tmp_path / "desk")) == 1


async def test_a_model_in_a_loop_does_not_fill_the_browser(
    tmp_path: Path, desk: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", little_browser(tmp_path / "desk", "look"))
    async with reach(desk) as (client, _):
        for number in range(page.MOST_TABS):
            refusal_facts(await client.call_tool("create_secret", {"name": f"{number}", "value": "abc"}))
        last = await client.call_tool("create_secret", SECRET)
    assert len(opened(tmp_path / "desk")) == page.MOST_TABS
    assert "in a terminal and answer there" in text(last)


async def test_a_browser_that_never_comes_leaves_the_terminal(
    tmp_path: Path, desk: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SEEN_SECONDS", 0.0)
    monkeypatch.setenv("BROWSER", little_browser(tmp_path / "desk", "nothing"))
    async with reach(desk) as (client, _):
        assert "in a terminal and answer there" in text(await client.call_tool("create_secret", SECRET))
    assert len(opened(tmp_path / "desk")) == 1
