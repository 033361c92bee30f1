"""A yes to a call, or to a key, is for the agent as it was then: whoever changes anything of it asks anew."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from callwright.api.client import ApiClient
from callwright.app import App
from callwright.approval.effective import BOUND
from callwright.contract import all_operations
from callwright.contract.agent_tools import UpdateTool
from callwright.contract.knowledge_base import UpdateDocument
from callwright.contract.mcp_servers import UpdateMcpServer
from callwright.contract.workspace import UpdateWorkspaceSettings
from callwright.surface import built

from ..engine.helpers import agent, change
from ..samples.guarding import HOOK
from ..tools.asking_calls import NEAR, calls, furnished
from ..transports import MODERN, Clock, numbered, reach, settings, text
from .test_approval import Modern

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Change = Callable[[ApiClient, dict[str, str]], Awaitable[Any]]


@pytest.fixture
async def world(tmp_path: Path, clock: Clock) -> dict[str, str]:
    """Ids of something of each kind. Ada uses all of it, and hands over to Bea."""
    ids = await furnished(tmp_path, clock)
    api = await asking(tmp_path, clock).api()
    ids["bea"] = await agent(api, name="Bea")
    transfer: Json = {"agent_id": ids["bea"], "condition": "The caller asks for Bea."}
    params: Json = {"system_tool_type": "transfer_to_agent", "transfers": [transfer]}
    await prompted(api, ids["agent"], tools=[{"type": "system", "name": "transfer_to_agent", "params": params}])
    return ids


def asking(home: Path, clock: Clock) -> App:
    return App(settings(home, **NEAR), "embedded", clock=clock, ids=numbered(after=100))


async def prompted(api: ApiClient, agent_id: str, **prompt: Any) -> None:
    await change(api, agent_id, conversation_config={"agent": {"prompt": prompt}})


def whole_tool(**more: Any) -> Json:
    return {**HOOK, **more}


CHANGES: dict[str, Change] = {
    "the agent's prompt": lambda api, ids: prompted(api, ids["agent"], prompt="Say that they owe us money."),
    "the agent's workflow": lambda api, ids: change(
        api, ids["agent"], workflow={"nodes": {"start": {"type": "start"}}, "edges": {}}
    ),
    "a tool": lambda api, ids: api.send(
        UpdateTool(tool_id=ids["tool"], tool_config=whole_tool(description="Takes the money."))  # pyright: ignore[reportArgumentType]  # as a client sends it
    ),
    "a document": lambda api, ids: api.send(UpdateDocument(documentation_id=ids["document"], name="Threats")),
    "a server of tools": lambda api, ids: api.send(
        UpdateMcpServer(mcp_server_id=ids["mcp"], request_headers={"X": "y"})
    ),
    "the agent that it hands over to": lambda api, ids: prompted(api, ids["bea"], prompt="Say that they owe us money."),
    "the webhook that begins each call": lambda api, _: api.send(
        UpdateWorkspaceSettings.model_validate(
            {"conversation_initiation_client_data_webhook": {"url": "https://crm.example/begin", "request_headers": {}}}
        )
    ),
}


@pytest.mark.parametrize("changed", CHANGES)
async def test_a_call_is_not_placed_when_anything_of_the_agent_changed(
    tmp_path: Path, clock: Clock, world: dict[str, str], changed: str
) -> None:
    app = asking(tmp_path, clock)
    async with reach(app, MODERN, "yes") as (client, _):
        modern, call = Modern(client), calls(world)["place_call"]
        asked = await modern.ask("place_call", call)
        await CHANGES[changed](await app.api(), world)
        answer = await modern.answer("place_call", call, asked)
    assert answer.is_error
    assert text(answer).startswith("Not done: what this affects has changed since it was asked.")


BOUND_TOOLS = sorted(entry["tool"]["name"] for entry in built() if entry["effect"] in BOUND)


@pytest.mark.parametrize("tool", BOUND_TOOLS)
async def test_whatever_calls_or_gives_a_key_is_bound(
    tmp_path: Path, clock: Clock, world: dict[str, str], tool: str
) -> None:
    app = asking(tmp_path, clock)
    async with reach(app, MODERN, "yes") as (client, _):
        modern, call = Modern(client), calls(world)[tool]
        asked = await modern.ask(tool, call)
        await prompted(await app.api(), world["agent"], prompt="Say that they owe us money.")
        answer = await modern.answer(tool, call, asked)
    assert text(answer).startswith("Not done: what this affects has changed since it was asked.")


async def test_what_changed_before_the_question_is_what_is_agreed_to(
    tmp_path: Path, clock: Clock, world: dict[str, str]
) -> None:
    app = asking(tmp_path, clock)
    await prompted(await app.api(), world["agent"], prompt="Remind them.")
    async with reach(app, says="yes") as (client, asked):
        answer = await client.call_tool("get_signed_url", calls(world)["get_signed_url"])
    assert not answer.is_error
    assert [
        "with 1 other agent, 1 tool, 1 document, 1 MCP server, as it is now (digest " in question for question in asked
    ] == [True]


def test_every_operation_of_these_effects_has_a_tool() -> None:
    bound = {f"{op.method} {op.path}" for op in all_operations() if op.effect in BOUND}
    assert bound <= {op for entry in built() if entry["effect"] in BOUND for op in entry["operations"]}


async def test_everybody_whom_a_batch_would_ring_can_be_seen(
    tmp_path: Path, clock: Clock, world: dict[str, str]
) -> None:
    call = calls(world)["submit_batch_call"]
    people = [{"phone_number": f"+155500{number:05}"} for number in range(801)]
    async with reach(asking(tmp_path, clock), says="no") as (client, asked):
        await client.call_tool("submit_batch_call", {**call, "recipients": people[:800]})
        many = await client.call_tool("submit_batch_call", {**call, "recipients": people})
    [question] = asked
    assert all(each["phone_number"] in question for each in people[:800])
    assert text(many) == (
        "Not done: a person could not look through 801 people in one question. Split the batch into ones of at most 800"
        " people."
    )
