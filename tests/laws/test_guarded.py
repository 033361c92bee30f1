"""Every guarded path, through every tool that can carry it: asked about, bounded, and shown without secrets."""

import json
import re
import shutil
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import anyio
import pytest
from mcp import Client

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.bounds import Bounds
from callwright.clock import NewId
from callwright.contract import all_operations
from callwright.contract.agent_tests import CreateAgentTest, RunAgentTests
from callwright.contract.agent_tools import CreateTool
from callwright.contract.agents import CreateAgent, GetAgent, UpdateAgent
from callwright.contract.errors import Refused
from callwright.contract.guards import is_guarded
from callwright.contract.mcp_servers import CreateMcpServer
from callwright.contract.operation import Operation
from callwright.contract.phone_numbers import CreatePhoneNumber, GetPhoneNumber
from callwright.contract.walk import annotation_of, core_of, is_model
from callwright.mcp_server.server import build_server

from ..engine.mcp_peer import real
from ..samples import SAMPLES
from ..samples.guarding import HOOK, NUMBER, SECRET, TRANSFER, graph, node, prompt
from ..transports import Clock, facts, numbered, reach, refusal_facts, settings, text
from .unguarded import WHY

pytestmark = pytest.mark.anyio

NEAR: dict[str, Any] = {"allow_private": ("127.0.0.1",), "secret_env": {"CRM": SECRET}}

NO_TOOL = {
    ("CreateMcpServer", "config.tool_approval_hashes"),
    ("CreateDocument", "url"),
    ("CreateDictionaryFromFile", "workspace_access"),
    ("CreateDictionaryFromRules", "workspace_access"),
}
"""Paths that no tool carries: a decision about a tool is made by the tool for that, which reads what it decides on; the
older way to add a page is left to the newer one; and who else may edit a dictionary is set elsewhere."""


@dataclass(frozen=True)
class Carried:
    """One tool call that carries one guarded pattern of the operation that it sends."""

    operation: str
    pattern: str
    where: str
    tool: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.tool}-{self.pattern}{self.where and f' {self.where}'}"


CALLS = [
    Carried(row.op.__name__, place.partition(" ")[0], place.partition(" ")[2], row.tool, arguments)
    for row in SAMPLES
    for place, arguments in row.guarded.items()
]
each_call = pytest.mark.parametrize("call", CALLS, ids=str)


def test_every_guarded_path_of_every_operation_is_tried() -> None:
    """An operation that gains a guarded path fails here until a call above carries it."""
    declared = {(op.__name__, guard.pattern) for op in all_operations() for guard in op.guarded}
    assert declared - NO_TOOL == {(call.operation, call.pattern) for call in CALLS}


def whole(home: Path, clock: Clock, ids: NewId) -> App:
    """The server with every tool, not only the everyday ones."""
    return App(settings(home, toolsets=("all",), **NEAR), "embedded", clock=clock, ids=ids)


TEST = {
    "name": "Hours",
    "chat_history": [{"role": "user", "message": "Hi", "time_in_call_secs": 0}],
    "success_condition": "Greets.",
    "success_examples": [],
    "failure_examples": [],
}


async def furnish(home: Path, mcp_server: str) -> None:
    """Put the agent `agent_1`, the SIP number `phnum_2`, an MCP server, a tool and a test that was run into `home`."""
    app = whole(home, Clock(), numbered())
    api = await app.api()
    await api.send(CreateAgent.model_validate({"name": "Ada", "conversation_config": {}}))
    trunk = {"address": "old.example"}
    await api.send(
        CreatePhoneNumber.model_validate({**NUMBER, "phone_number": "+15551112222", "provider": "sip_trunk", "outbound_trunk_config": trunk})
    )  # fmt: skip
    await api.send(CreateMcpServer.model_validate({"config": {"name": "Calendar", "url": mcp_server}}))
    # Another than the calls carry: an address that is there already asks nobody.
    await api.send(CreateTool.model_validate({"tool_config": HOOK | {"api_schema": {"url": "https://old.example"}}}))
    await api.send(CreateAgentTest.model_validate(TEST))
    await api.send(RunAgentTests.model_validate({"agent_id": "agent_1", "tests": [{"test_id": "test_5"}]}))
    await api.send(CreatePhoneNumber.model_validate({**NUMBER, "provider": "twilio", "sid": "AC1", "token": "hush"}))
    await app.close()


@pytest.fixture(scope="module")
def model_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("furnished")
    anyio.run(furnish, home, "https://mcp.example/mcp")
    return home


@pytest.fixture
async def home(model_home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[Path]:
    """A data folder of the test's own, furnished."""
    home = tmp_path / "home"
    spec = getattr(request.node, "callspec", None)
    call: Carried | None = spec and spec.params.get("call")
    if call and call.operation == "CreateMcpToolApproval":
        # A decision about a tool is made about the tool as its server has it, so only that call needs one that answers.
        async with real() as (url, _):
            await furnish(home, url)
            yield home
    else:
        shutil.copytree(model_home, home)
        yield home


@pytest.fixture
async def app(home: Path, clock: Clock) -> AsyncGenerator[App]:
    app = whole(home, clock, numbered(after=100))
    yield app
    await app.close()


async def snapshot_of(app: App) -> str:
    api = await app.api()
    agent = await api.send(GetAgent(agent_id="agent_1"))
    number = await api.send(GetPhoneNumber(phone_number_id="phnum_2"))
    return agent.model_dump_json() + str(number)


@each_call
async def test_who_cannot_be_asked_is_refused_and_nothing_changes(app: App, call: Carried) -> None:
    before = await snapshot_of(app)
    async with reach(app) as (client, _):
        refused = await client.call_tool(call.tool, call.arguments)
        listed = facts(await client.call_tool("list_agents", {}))["agents"]
        assert await snapshot_of(app) == before
    step = refusal_facts(refused)
    assert refused.is_error
    assert step["needs_approval"] == "person"
    assert SECRET not in text(refused)
    assert SECRET not in json.dumps(step)
    assert [agent["name"] for agent in listed] == ["Ada"]


@each_call
async def test_the_question_names_the_path_and_hides_the_secret(app: App, call: Carried) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool(call.tool, call.arguments)
    [question] = asked
    assert call.pattern.removesuffix(".*").split(".")[-1] in question
    assert SECRET not in question


LEADING_OUT = {
    (op.__name__, guard.pattern)
    for op in all_operations()
    for guard in op.guarded
    if guard.outward and op.effect != "dial"  # of those, the tools are not offered
}
OUTWARD = [call for call in CALLS if (call.operation, call.pattern) in LEADING_OUT]


@pytest.mark.parametrize("call", OUTWARD, ids=str)
async def test_no_outbound_holds_where_nobody_is_asked(home: Path, clock: Clock, call: Carried) -> None:
    """With approval `none` the API layer is the only guard left."""
    bounded = App(
        settings(home, toolsets=("all",), approval="none", no_outbound=True, **NEAR),
        "embedded", clock=clock, ids=numbered(after=100),
    )  # fmt: skip
    async with reach(bounded) as (client, _):
        refused = await client.call_tool(call.tool, call.arguments)
    assert refused.is_error
    assert text(refused).startswith("This server sets no outside address (no-outbound), and this carries ")


async def test_read_only_holds_below_the_tools(app: App) -> None:
    engine = await app.api()
    bounded = ApiClient("http://embedded", transport=engine._http._transport, bounds=Bounds(read_only=True))  # pyright: ignore
    for op in (UpdateAgent(agent_id="agent_1", name="Bob"), CreateAgent.model_validate({"conversation_config": {}})):
        with pytest.raises(Refused, match="read-only"):
            await bounded.send(op)


def offered(**chosen: Any) -> set[str]:
    server = build_server(App(settings(Path("unused"), state_key=b"0" * 32, **chosen), "embedded"))
    return {tool.name for tool in server._tool_manager.list_tools()}  # pyright: ignore[reportPrivateUsage]


def test_a_read_only_server_offers_only_what_reads() -> None:
    verbs = {name.split("_")[0] for name in offered(read_only=True)}
    assert verbs == {"list", "get", "describe", "show", "validate", "calculate", "explain", "preview"}


# --- ways round


SLY: dict[str, dict[str, Any]] = {
    "null at what is guarded": {"platform_settings": {"privacy": None}},
    "a key with dots": node("phone_number", transfer_destination={"type": "phone", "phone_number": "+15550001111"})
    | graph(**{"a.b.c": {"type": "standalone_agent", "agent_id": "agent_1"}}),
    "a node named after a secret": graph(headers_token={"type": "standalone_agent", "agent_id": "agent_1"}),
    "nine at once": prompt(tools=[{**HOOK, "name": f"hook_{i}"} for i in range(9)]),
    "a language's own prompt": {
        "conversation_config": {
            "language_presets": {"de": {"overrides": {"agent": {"prompt": {"native_mcp_server_ids": ["mcp_9"]}}}}}
        }
    },
    "an older spelling": prompt(
        tools=[{**TRANSFER, "params": TRANSFER["params"]}],
    ),
}


@pytest.mark.parametrize("way", SLY)
async def test_no_way_round_the_question(app: App, way: str) -> None:
    before = await snapshot_of(app)
    async with reach(app, says="no") as (client, asked):
        refused = await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY[way]})
        assert refusal_facts(refused) == {"declined": True}
        assert await snapshot_of(app) == before
    assert len(asked) == 1
    assert "It sets " in asked[0]


async def test_null_above_what_is_guarded_is_refused(app: App) -> None:
    before = await snapshot_of(app)
    async with reach(app, says="yes") as (client, asked):
        reset = {"agent_id": "agent_1", "config": {"platform_settings": None}}
        refused = await client.call_tool("update_agent", reset)
        assert text(refused) == "platform_settings: input should be an object."
        assert await snapshot_of(app) == before
    assert asked == []


async def test_a_person_sees_where_callers_go_whatever_the_node_is_called(app: App) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY["a node named after a secret"]})
    assert asked[0].endswith("It sets workflow.nodes.headers_token.agent_id = 'agent_1'.")


async def test_a_person_sees_all_nine_addresses(app: App) -> None:
    async with reach(app, says="no") as (client, asked):
        await client.call_tool("update_agent", {"agent_id": "agent_1", "config": SLY["nine at once"]})
    assert asked[0].count("https://hooks.example/crm") == 9


async def test_more_than_a_person_can_read_is_not_asked(app: App) -> None:
    many = prompt(tools=[{**HOOK, "name": f"hook_{i}"} for i in range(60)])
    async with reach(app, says="yes") as (client, asked):
        refused = await client.call_tool("update_agent", {"agent_id": "agent_1", "config": many})
    assert asked == []
    assert text(refused) == (
        "Not done: a person could not see all of it in one question (120 places need approval). Split it into several"
        " calls."
    )


async def test_what_is_not_guarded_is_not_asked(app: App, client: Client) -> None:
    for config in (
        {"conversation_config": {"tts": {"speed": None}}},
        {"platform_settings": {"widget": {"terms_text": "Be kind."}}},
        {"workflow": {"nodes": {"a": {"type": "start"}}}},
    ):
        assert facts(await client.call_tool("update_agent", {"agent_id": "agent_1", "config": config}))


STORED = [call for call in CALLS if call.tool.endswith("_agent") and not call.pattern.endswith("auth_connection")]


@pytest.mark.parametrize("call", STORED, ids=str)
async def test_what_a_person_agreed_to_is_sent_as_it_was_shown(app: App, call: Carried) -> None:
    """The call runs twice, before and after the question: what the first run prepared must not disturb the second."""
    async with reach(app, says="yes") as (client, asked):
        facts(await client.call_tool(call.tool, call.arguments))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"platform_settings": {"post_call_webhook": {"url": "https://evil.example"}}}, "platform_settings.post_call_webhook"),
        ({"conversation_config": {"agent": {"webhook_url": "x"}}}, "conversation_config.agent.webhook_url"),
        ({"conversation_config": {"tts": {"custom": {"to": "wss://evil.example"}}}}, "conversation_config.tts.custom"),
        ({"platform_settings": {"new": ["https://evil.example"]}}, "platform_settings.new"),
    ],
)  # fmt: skip
async def test_an_address_in_a_field_of_a_newer_platform_asks_too(
    home: Path, clock: Clock, config: dict[str, Any], path: str
) -> None:
    arguments = {"agent_id": "agent_1", "config": config}
    async with reach(App(settings(home), "embedded", clock=clock, ids=numbered()), says="no") as (client, asked):
        await client.call_tool("update_agent", arguments)
    assert path in asked[0]
    bounded = App(settings(home, approval="none", no_outbound=True), "embedded", clock=clock, ids=numbered())
    async with reach(bounded) as (client, _):
        refused = await client.call_tool("update_agent", arguments)
    assert path in text(refused)


def test_what_is_only_shown_and_what_is_emptied_asks_nobody() -> None:
    shown = {"platform_settings": {"widget": {"terms_text": "See https://shop.example/terms"}}}
    assert UpdateAgent.model_validate({"agent_id": "agent_1", **shown}).guarded_places() == ()
    emptied: dict[str, Any] = {"conversation_config": {"agent": {"prompt": {"tool_ids": [], "mcp_server_ids": []}}}}
    assert UpdateAgent.model_validate({"agent_id": "agent_1", **emptied}).guarded_places() == ()


def below(declared: Any, at: tuple[str, ...], above: tuple[Any, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places without further fields below a type, as names; what holds itself is gone through once."""
    core = core_of(declared)
    arms = [core_of(arm) for arm in get_args(core)] if get_origin(core) in (Union, UnionType) else [core]
    found = False
    for arm in arms:
        if is_model(arm) and arm not in above:
            for name, field in arm.model_fields.items():
                found = True
                yield from below(annotation_of(field), (*at, field.alias or name), (*above, arm))
        elif get_origin(arm) in (list, dict):
            inner = list(below(get_args(arm)[-1], (*at, "*"), above))
            found = found or inner != [(*at, "*")]
            yield from inner if inner != [(*at, "*")] else ()
    if not found:
        yield at


def every_start(place: list[str | None]) -> list[list[str | None]]:
    return [place[:end] for end in range(1, len(place) + 1)]


def free(op: type[Operation[Any]]) -> set[str]:
    """The fields of a request's body that ask nobody, as `Operation.field.field`."""
    fields = {field.alias or name: field for name, field in op.model_fields.items()}
    places = {
        place
        for name, at in op.places().items()
        if at == "body"
        for place in below(annotation_of(fields[name]), (name,))
    }
    return {
        ".".join([op.__name__, *(name for name in place if name != "*")])
        for place in places
        if not any(is_guarded(op.guarded, above) for above in every_start([None if n == "*" else n for n in place]))
    }


def test_every_field_asks_or_has_a_reason_why_it_need_not() -> None:
    """A new field fails here until it is guarded, or until somebody has asked: what if an obedient model sets it?"""
    asks_nobody = {field for op in all_operations() if op.effect in ("create", "update") for field in free(op)}
    reasons = [entry for entries in WHY.values() for entry in entries.split()]
    fitting = {entry: re.compile(rf"(?:.*\.)?{pattern(entry)}") for entry in reasons}
    unexplained = {field for field in asks_nobody if not any(each.fullmatch(field) for each in fitting.values())}
    stale = {entry for entry, each in fitting.items() if not any(each.fullmatch(field) for field in asks_nobody)}
    assert (sorted(unexplained), sorted(stale)) == ([], [])


def pattern(entry: str) -> str:
    return re.escape(entry).replace(r"\*\*", ".*").replace(r"\*", ".+")
