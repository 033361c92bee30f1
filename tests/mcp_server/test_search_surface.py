"""The search surface: five tools behind which are all the others, under the same approval."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from callwright.app import App
from callwright.approval.policy import Policy
from callwright.surface import built
from callwright.toolkit.ranking import Ranking
from callwright.tools.search import RUNNERS, Catalogue, document, kind_of
from tests.tools.requests import REQUESTS

from ..transports import ERAS, MODERN, Clock, Says, facts, numbered, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio

ENTRIES = {entry["tool"]["name"]: entry for entry in built()}


@asynccontextmanager
async def searching(
    home: Path, clock: Clock, era: str = MODERN, says: Says | None = None, transport: str = "memory", **chosen: Any
) -> AsyncGenerator[tuple[Client, list[str]]]:
    app = App(settings(home, surface="search", **chosen), "embedded", clock=clock, ids=numbered())
    async with reach(app, era, says, transport) as (client, asked):
        yield client, asked


async def run(client: Client, runner: str, tool: str, **arguments: Any) -> Any:
    return await client.call_tool(runner, {"tool": tool, "arguments": arguments})


@pytest.mark.parametrize("era", ERAS)
async def test_five_tools_are_listed_with_true_hints(tmp_path: Path, clock: Clock, era: str) -> None:
    async with searching(tmp_path, clock, era) as (client, _):
        listed = (await client.list_tools()).tools
    hints = {tool.name: tool.annotations for tool in listed}
    assert {n: (h.read_only_hint, h.destructive_hint, h.open_world_hint) for n, h in hints.items() if h} == snapshot(
        {
            "search_tools": (True, False, False),
            "describe_tool": (True, False, False),
            "run_read_tool": (True, False, False),
            "run_write_tool": (False, True, False),
            "run_risky_tool": (False, True, True),
        }
    )


async def test_the_main_job_is_done_by_searching(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock, says="yes") as (client, asked):
        found = text(await client.call_tool("search_tools", {"query": "make a support agent"}))
        told = text(await client.call_tool("describe_tool", {"tool": "create_agent"}))
        made = facts(await run(client, "run_write_tool", "create_agent", name="Ada", prompt="Help."))
        heard = facts(
            await run(client, "run_write_tool", "simulate_conversation", agent_id=made["agent_id"], caller="Hi")
        )
        shown = facts(await run(client, "run_read_tool", "get_conversation", conversation_id=heard["conversation_id"]))
        gone = facts(await run(client, "run_risky_tool", "delete_agent", agent_id=made["agent_id"]))
    assert "create_agent(name*, prompt*, " in found
    described = json.loads(told.partition("\n")[2])
    assert described["run_with"] == "run_write_tool"
    assert described["required"] == ["name", "prompt"]
    assert described["arguments"]["name"] == {"type": "string", "description": "Display name."}
    assert shown["agent_id"] == made["agent_id"]
    assert gone["deleted"] == made["agent_id"]
    assert asked == ["Delete agent 'Ada' (agent_1) for good, with its configuration."]


@pytest.mark.parametrize("era", ERAS)
async def test_a_search_is_answered_in_a_few_words(tmp_path: Path, clock: Clock, era: str) -> None:
    async with searching(tmp_path, clock, era) as (client, _):
        answers = [text(await client.call_tool("search_tools", {"query": query})) for query in REQUESTS]
    assert max(len(answer) for answer in answers) <= 1_200
    assert max(len(answer.splitlines()) for answer in answers) == 6


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("run_read_tool", {"tool": "delete_agent", "arguments": {"agent_id": "agent_1"}},
         "delete_agent is not for run_read_tool: run it with run_risky_tool."),
        ("run_write_tool", {"tool": "list_agents"}, "list_agents is not for run_write_tool: run it with run_read_tool."),
        ("run_read_tool", {"tool": "list_agent"}, "No tool 'list_agent'. Did you mean 'list_agents'?"),
        ("run_read_tool", {"tool": "frobnicate"}, "No tool 'frobnicate'. search_tools finds tools."),
        ("run_read_tool", {"tool": "get_agent", "agent_id": "agent_1"},
         "Unknown argument 'agent_id'; known: tool, arguments. Put the tool's own arguments into arguments."),
        ("run_read_tool", {"arguments": {}}, "tool is required."),
        ("run_read_tool", {"tool": "get_agent", "arguments": "{nonsense"}, "arguments must be an object."),
        ("run_read_tool", {"tool": "get_agent", "arguments": [1]}, "arguments must be an object."),
        ("run_read_tool", {"tool": "get_agent", "arguments": {"agentid": "x"}}, "agent_id is required. Unknown argument 'agentid'; did you mean 'agent_id'?"),
        ("describe_tool", {"tool": "get_agent", "argument": "id"}, "get_agent has no argument 'id'; it has: agent_id, parts."),
        ("search_tools", {}, "query is required."),
        ("search_tools", {"query": 7}, "query must be a text."),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_with_what_is_right(
    tmp_path: Path, clock: Clock, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with searching(tmp_path, clock) as (client, _):
        refused = await client.call_tool(tool, arguments)
    assert refused.is_error
    assert text(refused).startswith(said)


async def test_arguments_may_come_as_json_text(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock) as (client, _):
        given = json.dumps({"name": "Ada", "prompt": "Help."})
        assert facts(await client.call_tool("run_write_tool", {"tool": "create_agent", "arguments": given}))
        assert facts(await client.call_tool("run_read_tool", {"tool": "list_agents"}))["agents"][0]["name"] == "Ada"


@pytest.mark.parametrize("transport", ["memory", "http", "stateless"])
@pytest.mark.parametrize("era", ERAS)
async def test_a_delete_asks_the_same_question_however_it_is_reached(
    tmp_path: Path, clock: Clock, era: str, transport: str
) -> None:
    async with searching(tmp_path, clock, era, "no", transport) as (client, asked):
        made = facts(await run(client, "run_write_tool", "create_agent", name="Ada", prompt="Help."))
        left = await run(client, "run_risky_tool", "delete_agent", agent_id=made["agent_id"])
        listed = facts(await run(client, "run_read_tool", "list_agents"))["agents"]
    assert [agent["name"] for agent in listed] == ["Ada"]
    if transport == "stateless" and era == "legacy":  # no way back to the person: a preview and a token instead
        assert refusal_facts(left)["needs_approval"] == "preview"
    else:
        assert refusal_facts(left) == {"declined": True}
        assert len(asked) == 1


async def test_a_token_is_redeemed_inside_the_arguments(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock) as (client, _):
        made = facts(await run(client, "run_write_tool", "create_agent", name="Ada", prompt="Help."))
        asked = await run(client, "run_risky_tool", "delete_agent", agent_id=made["agent_id"])
        token = refusal_facts(asked)["approval_token"]
        gone = facts(
            await run(client, "run_risky_tool", "delete_agent", agent_id=made["agent_id"], approval_token=token)
        )
    assert gone["deleted"] == made["agent_id"]


async def test_bounds_hold_behind_it(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock, read_only=True) as (client, _):
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "search_tools",
            "describe_tool",
            "run_read_tool",
        ]
        gone = await client.call_tool("run_read_tool", {"tool": "delete_agent", "arguments": {"agent_id": "a"}})
    assert gone.is_error
    async with searching(tmp_path, clock, toolsets=("llms",)) as (client, _):
        assert "delete_agent(" not in text(await client.call_tool("search_tools", {"query": "delete an agent"}))


def test_every_tool_is_run_by_the_dispatcher_whose_hints_are_true_for_it() -> None:
    for entry in ENTRIES.values():
        hints, kind = entry["tool"]["annotations"], kind_of(entry)
        assert hints["readOnlyHint"] is (kind == "read")
        assert kind == "risky" or not hints["openWorldHint"]
    assert {kind_of(entry) for entry in ENTRIES.values()} == set(RUNNERS)


def test_the_right_tool_comes_first() -> None:
    """What people say, ranked over name, title and first sentence only, and as the search surface ranks."""

    def first(entry: Any) -> str:
        return f"{entry['tool']['title']} {entry['tool']['description'].split('. ')[0]}"

    for ranking in (
        Ranking({name: first(entry) for name, entry in ENTRIES.items()}),
        Ranking({name: document(entry) for name, entry in ENTRIES.items()}),
    ):
        missed = {query: ranking.best(query, 3) for query, tool in REQUESTS.items() if ranking.best(query, 1) != [tool]}
        assert len(missed) <= len(REQUESTS) - 55, missed
        near = {query for query, tool in REQUESTS.items() if tool not in ranking.best(query, 5)}
        assert near == set()


def test_a_search_for_nothing_that_there_is_names_what_there_is() -> None:
    said = Catalogue([*ENTRIES.values()], Policy()).briefs("zzz")
    assert said.startswith("No tool fits. There are tools for: agents, conversations, ")
