"""Two tenants at one server: nothing of the one is seen or touched with the token of the other."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp.shared.exceptions import MCPError
from mcp.types import ResourceTemplateReference
from starlette.requests import Request

from callwright.accounts.principals import Principal
from callwright.app import App
from callwright.http_server.serving import http_token
from callwright.mcp_server.completions import SOURCES
from callwright.mcp_server.resources import PLACES
from callwright.net.asgi import ASGITransport
from callwright.surface import built
from tests.dialogue.llm_peer import Fault, Say, peer
from tests.engine.test_workspaces import everything
from tests.laws.test_answers import furnished
from tests.peers import serving
from tests.samples import SAMPLES
from tests.transports import ERAS, Clock, facts, numbered, refusal_facts, server, settings, text

from .tokens_fixture import entering, served, token

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

MINE, THEIRS = Principal("mine", workspace="mine"), Principal("theirs", workspace="theirs")
ALIASES = {"document_id": "documentation_id", "invocation_id": "test_invocation_id", "index_id": "rag_index_id"}
"""What the tools call what the API calls otherwise."""
MORE = {row.tool: row.beside_ids for row in SAMPLES if row.beside_ids}
NO_FILES = ("save_conversation_audio", "upload_avatar")
"""They take paths, which over HTTP nobody may give."""

OWN_IDS = ("change_id", "task_id")
"""Of what the server itself knows; other tests are about these."""
FILTERED = ("list_test_invocations",)
"""The id only chooses among the rows of the workspace."""


def tools() -> dict[str, Json]:
    """The input schema of every tool."""
    return {entry["tool"]["name"]: entry["tool"]["inputSchema"] for entry in built()}


def reaching(ids: dict[str, str]) -> dict[str, Json]:
    """For every tool that takes ids: a call that gives it these."""
    calls: dict[str, Json] = {}
    for tool, schema in tools().items():
        known = {name: ids.get(ALIASES.get(name, str(name))) for name in schema["properties"]}
        if "required" in schema and any(name.endswith("_id") for name in schema["required"] if name not in OWN_IDS):
            given = {name: id for name, id in known.items() if id and name in schema["required"]}
            calls[tool] = {**given, **MORE.get(tool, {})}
    return calls


@asynccontextmanager
async def inside(app: App, workspace: str) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = ASGITransport(await app.host.workspace(workspace))
    async with httpx2.AsyncClient(transport=transport, base_url="http://embedded") as wire:
        yield wire


@pytest.fixture
async def open_app(tmp_path: Path, clock: Clock) -> AsyncGenerator[App]:
    """Every tool, and nobody is asked: what keeps tenants apart must not be the question."""
    app = server(
        settings(tmp_path / "home", toolsets=("all",), approval="none", http_rate=0), clock=clock, ids=numbered()
    )
    yield app
    await app.close()


async def test_no_tool_reaches_what_another_tenant_has(open_app: App) -> None:
    async with served(open_app, MINE, THEIRS) as url, entering(url, token("mine")) as mine:
        await mine.call_tool("list_agents", {})
        async with inside(open_app, "theirs") as wire:
            theirs = await furnished(wire)
            before = await everything(wire)
            said: set[str] = set()
            calls = reaching(theirs)
            for tool, arguments in calls.items():
                answer = await mine.call_tool(tool, arguments)
                if tool in FILTERED:
                    assert facts(answer) == {"has_more": False, "invocations": []}
                    continue
                assert answer.is_error, (tool, answer.structured_content)
                if tool not in NO_FILES:
                    said.add(_plain(text(answer), theirs))
            assert await everything(wire) == before
    assert len(calls) == snapshot(62)
    assert sorted(said) == snapshot(
        [
            "No MCP server 'ID'. list_mcp_servers shows them.",
            "No agent 'ID'. list_agents shows them.",
            "No auth connection 'ID'. list_auth_connections shows them.",
            "No batch 'ID'. list_batch_calls shows them.",
            "No conversation 'ID'. list_conversations shows them.",
            "No document 'ID'. list_documents shows them.",
            "No open conversation has this id. One is left open for 15 minutes after the last call, and not beyond a restart of the server. get_conversation shows its transcript; start_conversation begins another.",
            "No phone number 'ID'. list_phone_numbers shows them.",
            "No secret 'ID'. list_secrets shows them.",
            "No test 'ID'. list_agent_tests shows them.",
            "No test invocation 'ID'. list_test_invocations shows an agent's.",
            "No tool 'ID'. list_tools shows them.",
        ]
    )


async def test_each_of_these_calls_works_for_whose_ids_they_are(open_app: App) -> None:
    """Else the test above could not fail."""
    async with served(open_app, MINE, THEIRS) as url, entering(url, token("theirs")) as theirs:
        await theirs.call_tool("list_agents", {})
        async with inside(open_app, "theirs") as wire:
            own = await furnished(wire)
        reads = {tool: arguments for tool, arguments in reaching(own).items() if tool.startswith(("get_", "list_"))}
        failed = {tool: text(a) for tool, given in reads.items() if (a := await theirs.call_tool(tool, given)).is_error}
    assert {tool: _plain(words, own) for tool, words in failed.items()} == snapshot({})
    assert len(reads) == snapshot(22)


async def test_lists_show_what_is_ones_own(open_app: App) -> None:
    async with served(open_app, MINE, THEIRS) as url, entering(url, token("mine")) as mine:
        await mine.call_tool("list_agents", {})
        async with inside(open_app, "theirs") as wire:
            theirs = await furnished(wire)
        listing = [tool for tool, schema in tools().items() if "required" not in schema and _reads(tool)]
        for tool in listing:
            answer = await mine.call_tool(tool, {})
            shown = json.dumps(answer.structured_content)
            assert not [id for id in theirs.values() if f'"{id}"' in shown], tool
        assert len(listing) == snapshot(15)
        filtered = await mine.call_tool(
            "list_conversations", {"agent_id": theirs["agent_id"], "include_simulated": True}
        )
        assert not facts(filtered)["conversations"]


async def test_nothing_of_ones_own_can_refer_to_what_another_has(open_app: App) -> None:
    async with served(open_app, MINE, THEIRS) as url, entering(url, token("mine")) as mine:
        own = facts(await mine.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
        async with inside(open_app, "theirs") as wire:
            theirs = await furnished(wire)
        for name, key in {"document_ids": "documentation_id", "tool_ids": "tool_id", "test_ids": "test_id"}.items():
            answer = await mine.call_tool("update_agent", {"agent_id": own["agent_id"], name: [theirs[key]]})
            assert answer.is_error, name
        secret = {"name": "m", "url": "https://mcp.example.com/mcp", "token_secret_id": theirs["secret_id"]}
        assert (await mine.call_tool("create_mcp_server", secret)).is_error
        dictionary = {"dictionary_id": theirs["dictionary_id"]}
        for tool, rest in {
            "preview_pronunciation": {"text": "UN"},
            "add_pronunciation_dictionary": {"aliases": {"UN": "-"}},
        }.items():
            said = text(await mine.call_tool(tool, dictionary | rest))
            assert said.startswith(f"No pronunciation dictionary '{theirs['dictionary_id']}'."), tool
        summaries = await mine.call_tool("get_agent_test_summaries", {"test_ids": [theirs["test_id"]]})
        assert summaries.is_error or theirs["test_id"] not in json.dumps(facts(summaries).get("tests"))


async def test_resources_and_completions_stay_at_home(open_app: App) -> None:
    async with served(open_app, MINE, THEIRS) as url, entering(url, token("mine")) as mine:
        await mine.call_tool("list_agents", {})
        async with inside(open_app, "theirs") as wire:
            ids = await furnished(wire)
        given = {name: ids[ALIASES.get(name, name)] for name in SOURCES}
        async with entering(url, token("theirs")) as theirs:
            for place in PLACES:
                uri = place.uri.format(**given)
                own = await theirs.read_resource(uri)
                if "{" in place.uri:
                    with pytest.raises(MCPError, match="no such id"):
                        await mine.read_resource(uri)
                elif place.name != "workspace":
                    assert str(own.contents) != str((await mine.read_resource(uri)).contents) or place.name == "changes"
            for argument in SOURCES:
                template = next(place.uri for place in PLACES if f"{{{argument}}}" in place.uri)
                place, asked = ResourceTemplateReference(uri=template), {"name": argument, "value": ""}
                known = {"agent_id": given["agent_id"]} if argument != "agent_id" else {}
                assert (await theirs.complete(place, asked, known)).completion.values == [given[argument]]
                assert (await mine.complete(place, asked, known)).completion.values == []


async def test_the_log_and_undo_are_of_ones_own_place(open_app: App) -> None:
    async with served(open_app, MINE, THEIRS) as url:
        async with entering(url, token("theirs")) as theirs:
            agent = facts(await theirs.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
            await theirs.call_tool("update_agent", {"agent_id": agent["agent_id"], "name": "Eve"})
            changes = facts(await theirs.call_tool("list_changes", {}))["changes"]
            [update] = [row for row in changes if row["tool"] == "update_agent"]
        async with entering(url, token("mine")) as mine:
            assert facts(await mine.call_tool("list_changes", {}))["changes"] == []
            assert facts(await mine.call_tool("list_changes", {"target": agent["agent_id"]}))["changes"] == []
            read: Any = (await mine.read_resource("callwright://changes")).contents[0]
            assert json.loads(read.text) == []
            refused = await mine.call_tool("undo_change", {"change_id": update["change_id"]})
            assert "No change" in text(refused)
        async with entering(url, http_token(open_app)) as operator:
            assert facts(await operator.call_tool("list_changes", {}))["changes"] == []
        async with entering(url, token("theirs")) as theirs:
            await theirs.call_tool("undo_change", {"change_id": update["change_id"]})
            assert facts(await theirs.call_tool("get_agent", {"agent_id": agent["agent_id"]}))["name"] == "Ada"
    assert [(row["who"], row["platform"]) for row in changes] == [("theirs", "embedded theirs")] * 2


@pytest.mark.parametrize("broken", [False, True])
async def test_the_status_keeps_from_tenants_what_is_the_operators(tmp_path: Path, broken: bool) -> None:
    """Endpoints, the names that models have there, folders, and what the operator would have to set."""
    routes = tmp_path / "routes.json"
    own = {"gpt*": {"base_url": "https://llm.internal.example/v1", "model": "internal-name"}}
    routes.write_text("broken" if broken else json.dumps(own))
    app = App(settings(tmp_path / "home", llm_routes=routes), "embedded")
    async with served(app, MINE) as url:
        async with entering(url, token("mine")) as mine:
            told = facts(await mine.call_tool("get_status", {}))
        async with entering(url, http_token(app)) as operator:
            shown = facts(await operator.call_tool("get_status", {}))
    assert not [word for word in ("internal", "CALLWRIGHT_", str(tmp_path)) if word in json.dumps(told)]
    assert "CALLWRIGHT_LLM" in json.dumps(shown["missing"])
    offline = "offline responder (quotes documents, judges nothing)"
    assert told["llm"] == ("none" if broken else f"this server's, for gpt*; others: {offline}")
    assert len(told["missing"]) == int(broken)


FAULTS = {"500": Fault(500, {"error": {"message": "boom at opsecret"}}), "401": Fault(401), "down": None}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_model_that_fails_tells_tenants_nothing_of_where_it_is(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator reads the reason in the log, and in rehearsals of their own."""
    reply = FAULTS[fault]
    async with peer(lambda _: reply or Say()) as at:
        base = at.base_url if reply else "http://127.0.0.1:9/v1"
        app = App(settings(tmp_path / "home", llm_base_url=base, llm_model="opmodel"), "embedded")
        told: list[str] = []
        async with served(app, MINE) as url:
            for bearer in (token("mine"), http_token(app)):
                async with entering(url, bearer) as client:
                    agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))
                    asked = {"agent_id": agent["agent_id"], "caller": "Hi."}
                    told.append(json.dumps(facts(await client.call_tool("simulate_conversation", asked))))
    mine, operators = told
    assert not [word for word in ("opmodel", "127.0.0.1", "opsecret", "CALLWRIGHT") if word in mine]
    assert "Whoever runs this server finds the reason in its log." in mine
    assert "opmodel" in operators
    assert "opmodel" in caplog.text


async def test_a_tenant_who_cannot_be_asked_is_sent_to_whoever_runs_the_server(tmp_path: Path) -> None:
    app = App(settings(tmp_path / "home"), "embedded", ids=numbered())
    async with served(app, MINE) as url, entering(url, token("mine"), asks=False) as mine:
        waits = await mine.call_tool("create_secret", {"name": "crm", "value": "abc"})
    told: Json = refusal_facts(waits)
    command: str = told["approve_with"]
    assert (
        f"have whoever runs this server run `{command}` there (or set CALLWRIGHT_PUBLIC_URL, with which each user answers"
        " at /approvals) within"
    ) in text(waits)
    assert command.startswith("callwright approve ")


@pytest.mark.parametrize("era", ERAS)
async def test_an_approval_is_for_who_asked(tmp_path: Path, clock: Clock, era: str) -> None:
    """Two colleagues in one workspace: what a person allowed the one is not allowed the other."""
    app = App(settings(tmp_path / "home", unattended="token"), "embedded", clock=clock, ids=numbered())
    one, two = Principal("one", workspace="team"), Principal("two", workspace="team")

    async with (
        served(app, one, two) as url,
        entering(url, token("one"), era, asks=False) as first,
        entering(url, token("two"), era, asks=False) as second,
    ):
        agent = facts(await first.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
        asked = await first.call_tool("delete_agent", {"agent_id": agent["agent_id"]})
        told = refusal_facts(asked)
        approved = {"agent_id": agent["agent_id"], "approval_token": told["approval_token"]}
        stolen = await second.call_tool("delete_agent", approved)
        assert "was given for other arguments" in text(stolen)
        assert facts(await second.call_tool("get_agent", {"agent_id": agent["agent_id"]}))["name"] == "Ada"
        assert not (await first.call_tool("delete_agent", approved)).is_error


async def test_each_account_gets_its_own_key_and_never_the_clients_token(tmp_path: Path, clock: Clock) -> None:
    """Two hosted accounts, recorded where the requests arrive."""
    keys = {"mine": "account-key-of-mine", "theirs": "account-key-of-theirs"}
    platforms = {key: App(settings(tmp_path / name), "embedded", clock=clock) for name, key in keys.items()}
    engines = {key: await platform.engine(key) for key, platform in platforms.items()}
    seen: list[tuple[str, bytes]] = []

    async def platform(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        key = request.headers["xi-api-key"]
        seen.append((key, repr([scope["headers"], scope["raw_path"], scope["query_string"], body]).encode()))
        rest = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return rest.pop() if rest else await receive()

        await engines[key](scope, again, send)

    async with serving(platform) as url:
        chosen = settings(tmp_path / "home", api_url=url, api_key="the-servers-own-key", approval="none")
        app = App(chosen, "hosted", clock=clock)
        mine, theirs = (Principal(name, key=key) for name, key in keys.items())
        async with served(app, mine, theirs) as here:
            async with entering(here, token("theirs")) as client:
                agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "p"}))
                theirs_account = facts(await client.call_tool("list_changes", {}))["changes"][0]["platform"]
            assert {key for key, _ in seen} == {keys["theirs"]}
            async with entering(here, token("mine")) as client:
                assert (await client.call_tool("get_agent", {"agent_id": agent["agent_id"]})).is_error
                await client.call_tool("create_agent", {"name": "Bob", "prompt": "p"})
                [change] = facts(await client.call_tool("list_changes", {}))["changes"]
    for each in platforms.values():
        await each.close()
    assert {key for key, _ in seen} == set(keys.values())
    assert not [sent for _, sent in seen if b"token-of-" in sent]
    assert change["platform"] != theirs_account
    assert not [key for key in keys.values() if key in json.dumps(change) + theirs_account]


def _reads(tool: str) -> bool:
    return tool.startswith(("list_", "get_")) and tool not in ("list_voices", "list_llms", "list_changes")


def _plain(words: str, ids: dict[str, str]) -> str:
    for id in sorted(ids.values(), key=len, reverse=True):
        words = words.replace(id, "ID")
    return words
