"""Every refusal reaches a model behind the TypeScript SDK 1.x, which checks results against the tools' output schemas.

That SDK checks the structured part of an error too, once the tools were listed. A refusal with such a part reaches no
model: all that a host gets is "-32602: Structured content does not match the tool's output schema".
"""

import json
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from callwright.app import App
from callwright.approval.policy import ASKING
from callwright.contract.agents import UpdateAgent
from callwright.http_server.serving import mcp_app
from callwright.surface import built
from tests.commands.test_cli import environment
from tests.peers import serving
from tests.tools.asking_calls import NEAR, calls, furnished
from tests.transports import Clock, listening, numbered, settings
from tests.warm import callwright

from .typescript_client import CANCELLED, DECLINED, NO, YES, Json, TypeScriptClient, typescript

pytestmark = pytest.mark.anyio

FORM: Json = {"form": {}}
EFFECTS = {entry["tool"]["name"]: entry["effect"] for entry in built()}
PLANNING = {entry["tool"]["name"] for entry in built() if "dry_run" in entry["tool"]["inputSchema"]["properties"]}


@pytest.fixture(scope="module")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    home = tmp_path_factory.mktemp("furnished")
    return home, anyio.run(furnished, home, Clock())


@pytest.fixture
def world(model_home: tuple[Path, dict[str, str]], tmp_path: Path) -> dict[str, str]:
    """A data folder of the test's own, with something of each kind."""
    home, ids = model_home
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    return ids


@asynccontextmanager
async def connected(
    home: Path, clock: Clock, *, elicits: Json | None = None, near: bool = False, **chosen: Any
) -> AsyncGenerator[tuple[TypeScriptClient, App]]:
    """The client at a server on this data folder. `near`: its person can open a page of the server."""
    app = App(settings(home, **{**NEAR, **chosen}), "embedded", near=near, clock=clock, ids=numbered())
    async with (
        serving(mcp_app(app, listening("http")), lifespan="on") as url,
        typescript("http", f"{url}/mcp", elicits=elicits) as client,
    ):
        yield client, app


def said(seen: Json) -> str:
    """The text of a refusal, which holds whatever its facts for programs hold."""
    assert "text" in seen, seen
    assert (seen["isError"], seen["structured"]) == (True, False)
    facts = [value for name, value in seen["meta"].items() if name != "callwright/needs_approval"]
    assert [fact for fact in facts if isinstance(fact, str) and fact not in seen["text"]] == []
    return seen["text"]


def token_in(text: str) -> str:
    """As a model finds it."""
    return re.findall(r"approval_token='([^']+)'", text)[0]


async def rename(app: App, agent_id: str, name: str) -> None:
    await (await app.api()).send(UpdateAgent(agent_id=agent_id, name=name))


# --- who cannot be asked


async def test_whoever_must_be_asked_first_is_named(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    """A delete by token, and everything else at the command line: the text alone says how to go on."""
    assert {EFFECTS[tool] for tool in calls(world)} >= {*ASKING}
    async with connected(tmp_path, clock) as (client, _):
        assert client.checked >= {*calls(world)}
        for tool, arguments in calls(world).items():
            text = said(await client.call(tool, arguments))
            if EFFECTS[tool] == "delete":
                assert "Ask the user. If they agree, call " in text, (tool, text)
                assert token_in(text)
            else:
                assert re.search(r"needs a person \(.+\).+ approve [2-9A-Z]{8}`", text), (tool, text)


@pytest.mark.parametrize(
    ("chosen", "begins"),
    [
        ({"approval": "always-ask"}, r"Not done yet\. .+ This needs a person \(every call asks\)"),
        ({"unattended": "token"}, r"Not done yet\. .+ If they agree, call "),
        ({"unattended": "refuse"}, r"Not done: .+ the server refuses such calls"),
    ],
    ids=["always-ask", "token", "refuse"],
)
async def test_the_refusals_of_every_policy_arrive(
    tmp_path: Path, clock: Clock, world: dict[str, str], chosen: Json, begins: str
) -> None:
    asking = calls(world) | ({"list_agents": {}, "get_status": {}} if "approval" in chosen else {})
    async with connected(tmp_path, clock, **chosen) as (client, _):
        for tool, arguments in asking.items():
            seen = await client.call(tool, arguments)
            if tool == "get_status":  # the server's own notes ask nobody
                assert seen["structured"]
            else:
                assert re.match(begins, said(seen)), (tool, seen)


async def test_a_token_is_redeemed_from_the_text_and_a_wrong_one_is_explained(
    tmp_path: Path, clock: Clock, world: dict[str, str]
) -> None:
    agent = {"agent_id": world["agent"]}
    async with connected(tmp_path, clock) as (client, app):
        token = {"approval_token": token_in(said(await client.call("delete_agent", agent)))}
        wrong = said(await client.call("delete_agent", {**agent, "approval_token": "nonsense"}))
        assert wrong == "This approval_token is not valid. Call without it to get a new preview."
        lent = said(await client.call("delete_agent_test", {"test_id": world["test"], **token}))
        assert lent.startswith("This approval_token was given for other arguments.")
        await rename(app, world["agent"], "Bob")
        changed = said(await client.call("delete_agent", {**agent, **token}))
        assert changed.startswith("Not done: what this affects has changed since it was asked.")
        again = {"approval_token": token_in(said(await client.call("delete_agent", agent)))}
        gone = await client.call("delete_agent", {**agent, **again})
        assert (gone["isError"], gone["structured"]) == (False, True)
        assert "No agent" in said(await client.call("delete_agent", {**agent, **again}))


async def test_a_refusal_arrives_over_stdio(tmp_path: Path) -> None:
    command = [*callwright(), "serve"]
    async with typescript("stdio", *command, env=environment(tmp_path)) as client:
        text = said(await client.call("create_secret", {"name": "crm", "value": "abc"}))
    assert "callwright approve" in text


# --- who can be asked


@pytest.mark.parametrize("answer", [NO, DECLINED], ids=["no", "declined"])
async def test_a_persons_no_arrives(tmp_path: Path, clock: Clock, world: dict[str, str], answer: Json) -> None:
    every = calls(world)
    asking = (
        every if answer == NO else {tool: every[tool] for tool in ("delete_agent", "create_secret", "update_agent")}
    )
    async with connected(tmp_path, clock, elicits=FORM) as (client, _):
        for tool, arguments in asking.items():
            text = said(await client.call(tool, arguments, answer=answer))
            assert (text, len(client.asked)) == (
                "The user said no. Nothing was done. Do not call this again unless the user asks for it.",
                1,
            ), tool


async def test_a_question_that_nobody_answered_leads_on(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    every = calls(world)
    async with connected(tmp_path, clock, elicits=FORM) as (client, _):
        for tool in ("delete_agent", "create_secret", "update_agent"):
            text = said(await client.call(tool, every[tool], answer=CANCELLED))
            assert "nobody answered here" in text, tool
            assert "callwright approve" in text, tool


async def test_what_changed_while_a_person_thought_arrives(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    agent = {"agent_id": world["agent"]}
    async with connected(tmp_path, clock, elicits=FORM) as (client, app):

        async def meanwhile() -> None:
            await rename(app, world["agent"], "Bob")

        text = said(await client.call("delete_agent", agent, answer=YES, meanwhile=meanwhile))
        assert text.startswith("Not done: what this affects has changed since it was asked.")
        gone = await client.call("delete_agent", agent, answer=YES)
    assert (gone["isError"], gone["structured"]) == (False, True)


async def test_a_no_on_the_page_arrives(tmp_path: Path, clock: Clock) -> None:
    async with connected(tmp_path, clock) as (client, app):
        secret = {"name": "crm", "value": "abc"}
        code = re.findall("approve ([2-9A-Z]{8})", said(await client.call("create_secret", secret)))[0]
        await (await app.ledger()).decline(code)
        assert (
            said(await client.call("create_secret", secret))
            == "The user said no. Nothing was done. Do not call this again unless the user asks for it."
        )


async def test_a_client_that_shows_addresses_is_told_the_address(tmp_path: Path, clock: Clock) -> None:
    """An error of the protocol, which that revision wants; it is about the address, and not about a schema."""
    async with connected(tmp_path, clock, elicits={"url": {}}, near=True) as (client, _):
        seen = await client.call("create_secret", {"name": "crm", "value": "abc"})
    assert seen["code"] == -32042
    assert seen["message"].endswith("A person approves on a page that the client shows.")  # hosts show it to models


# --- who need not be asked


async def test_what_the_bounds_forbid_is_told(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    hook = {"conversation_config": {"agent": {"prompt": {"custom_llm": {"url": "https://llm.example/v1"}}}}}
    async with connected(tmp_path, clock, approval="none", no_outbound=True) as (client, _):
        text = said(await client.call("update_agent", {"agent_id": world["agent"], "config": hook}))
        assert text.startswith("This server sets no outside address (no-outbound)")
        hidden = await client.call("place_call", {})
        assert hidden == {
            "code": -32602,
            "message": "MCP error -32602: Unknown tool: place_call. It is of the toolset calls, which is not offered here.",
        }
    async with connected(tmp_path, clock, approval="none", read_only=True) as (client, _):
        hidden = await client.call("delete_agent", {"agent_id": world["agent"]})
        assert hidden == {
            "code": -32602,
            "message": "MCP error -32602: Unknown tool: delete_agent. It is of the toolset agents, which is not offered here.",
        }


async def test_what_the_policy_file_forbids_or_caps_is_told(
    tmp_path: Path, clock: Clock, world: dict[str, str]
) -> None:
    file = tmp_path / "policy.json"
    tools = {"delete_agent": "disabled", "get_agent": "requires_approval"}
    file.write_text(json.dumps({"tools": tools, "caps": {"calls_a_day": 1, "recipients_a_batch": 1}}))
    async with connected(tmp_path, clock, policy_file=file) as (client, _):
        hidden = await client.call("delete_agent", {"agent_id": world["agent"]})
        assert hidden["message"].startswith("MCP error -32602: Unknown tool: delete_agent. It is of the toolset agents")
        text = said(await client.call("get_agent", {"agent_id": world["agent"]}))
        assert "This needs a person (the policy says so for get_agent)" in text
        text = said(await client.call("submit_batch_call", calls(world)["submit_batch_call"]))
        assert "policy" in text


async def test_a_plan_arrives_and_fits(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    """A dry run is an answer: it stands in the output schema beside the tool's own view."""
    others = {
        "update_document": {"document_id": world["document"], "name": "Hours"},
        "update_agent_test": {"test_id": world["test"], "name": "Kind"},
    }
    planned = {tool: given for tool, given in {**calls(world), **others}.items() if tool in PLANNING}
    async with connected(tmp_path, clock) as (client, _):
        for tool, given in planned.items():
            seen = await client.call(tool, {**given, "dry_run": True})
            assert "text" in seen, (tool, seen)
            assert (seen["isError"], seen["structured"]) == (False, True), (tool, seen)
            assert "would: " in seen["text"], (tool, seen)
        text = said(await client.call("update_agent", {"agent_id": world["agent"], "nam": "Bob", "dry_run": True}))
    assert text == "Unknown argument 'nam'; did you mean 'name'?"
    assert len(planned) > 20


async def test_the_search_surface_hands_refusals_on(tmp_path: Path, clock: Clock, world: dict[str, str]) -> None:
    async with connected(tmp_path, clock, surface="search") as (client, _):
        agent = {"agent_id": world["agent"]}
        token = token_in(said(await client.call("run_changing", {"tool": "delete_agent", "arguments": agent})))
        wrong = said(await client.call("run_reading", {"tool": "delete_agent", "arguments": agent}))
        assert wrong == "delete_agent is not for run_reading: run it with run_changing."
        redeemed = {"tool": "delete_agent", "arguments": {**agent, "approval_token": token}}
        assert not (await client.call("run_changing", redeemed))["isError"]
