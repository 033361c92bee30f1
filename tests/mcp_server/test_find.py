"""Three small tools reach all the others, beside the everyday list and alone, under the same approval."""

import csv
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from callwright.app import App
from callwright.approval.policy import Policy
from callwright.mcp_server.find_tools import RUNNERS, Catalogue, document, kind_of
from callwright.mcp_server.tool_visibility import EVERYDAY
from callwright.surface import built
from callwright.toolkit.ranking import words

from ..tools.requests import REQUESTS
from ..transports import ERAS, MODERN, Clock, Says, facts, numbered, reach, refusal_facts, settings, text

pytestmark = pytest.mark.anyio

SAID = Path(__file__).parents[1] / "requests.tsv"
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


def requests() -> list[tuple[str, str]]:
    """What people say, in their languages, and the tool that it takes (the first one, where it takes several)."""
    with SAID.open(encoding="utf-8", newline="") as file:
        return [(row["request"], row["tools"]) for row in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize("era", ERAS)
async def test_three_tools_are_listed_with_true_hints(tmp_path: Path, clock: Clock, era: str) -> None:
    async with searching(tmp_path, clock, era) as (client, _):
        listed = (await client.list_tools()).tools
    hints = {tool.name: tool.annotations for tool in listed}
    assert {n: (h.read_only_hint, h.destructive_hint, h.open_world_hint) for n, h in hints.items() if h} == {
        "find": (True, False, False),
        "run_reading": (True, False, False),
        "run_changing": (False, True, True),
    }


async def test_the_main_job_is_done_by_finding(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock, says="yes") as (client, asked):
        found = text(await client.call_tool("find", {"query": "make a support agent"}))
        told = text(await client.call_tool("find", {"query": "create_agent"}))
        made = facts(await run(client, "run_changing", "create_agent", name="Ada", prompt="Help."))
        heard = facts(
            await run(client, "run_changing", "simulate_conversation", agent_id=made["agent_id"], caller="Hi")
        )
        shown = facts(await run(client, "run_reading", "get_conversation", conversation_id=heard["conversation_id"]))
        gone = facts(await run(client, "run_changing", "delete_agent", agent_id=made["agent_id"]))
    assert found.startswith("create_agent(name*, prompt*, ")
    assert "with run_changing: Create a voice agent from a prompt." in found
    assert told.startswith("create_agent: run it with run_changing. Create a voice agent")
    described = json.loads(told.partition("\n")[2])
    assert described["required"] == ["name", "prompt"]
    assert described["arguments"]["name"] == {"type": "string", "description": "Display name."}
    assert shown["agent_id"] == made["agent_id"]
    assert gone["deleted"] == made["agent_id"]
    assert asked == ["Delete agent 'Ada' (agent_1) for good, with its configuration."]


async def test_every_tool_is_reached_from_the_everyday_list(tmp_path: Path, clock: Clock) -> None:
    app = App(settings(tmp_path, toolsets=EVERYDAY), "embedded", clock=clock, ids=numbered())
    async with reach(app) as (client, _):
        listed = {tool.name for tool in (await client.list_tools()).tools}
        for name, entry in ENTRIES.items():
            if name in listed:
                told = text(await client.call_tool("find", {"query": name}))
                assert told.startswith(f"{name}: call it by its name.")
                continue
            with pytest.raises(MCPError, match=f"It is not listed: run it with run_{kind_of(entry)}"):
                await client.call_tool(name, {})
            reached = await client.call_tool(f"run_{kind_of(entry)}", {"tool": name, "arguments": {"zzz": 1}})
            assert "Unknown argument 'zzz'" in text(reached) or "takes no arguments" in text(reached), text(reached)


async def test_a_name_that_nobody_has_is_answered_with_the_nearest(tmp_path: Path, clock: Clock) -> None:
    async with reach(App(settings(tmp_path), "embedded", clock=clock, ids=numbered())) as (client, _):
        with pytest.raises(MCPError, match=r"Unknown tool: list_agent\. Did you mean list_agents\?"):
            await client.call_tool("list_agent", {})


async def test_a_toolset_that_the_operator_left_out_is_named(tmp_path: Path, clock: Clock) -> None:
    app = App(settings(tmp_path, toolsets=("agents",)), "embedded", clock=clock, ids=numbered())
    async with reach(app) as (client, _):
        assert "find" not in {tool.name for tool in (await client.list_tools()).tools}
        with pytest.raises(
            MCPError, match=r"Unknown tool: place_call\. It is of the toolset calls, which is not offered here"
        ):
            await client.call_tool("place_call", {})


async def test_what_people_say_finds_its_tool(tmp_path: Path, clock: Clock) -> None:
    """The first hit is right for nine of ten requests, one of the first three for 98 of a hundred."""
    asked = [*requests(), *REQUESTS.items()]
    async with searching(tmp_path, clock) as (client, _):
        found = [text(await client.call_tool("find", {"query": request})) for request, _ in asked]
    hits = [[line.partition("(")[0] for line in answer.splitlines()] for answer in found]
    assert len(asked) >= 150
    first = sum(tool == names[0] for (_, tool), names in zip(asked, hits, strict=True))
    near = sum(tool in names[:3] for (_, tool), names in zip(asked, hits, strict=True))
    assert first >= 0.9 * len(asked)
    assert near >= 0.98 * len(asked)
    assert max(len(answer) for answer in found) <= 2_000


def test_each_word_that_people_say_is_needed() -> None:
    """A word beside a tool is in no name and no description, or a request of people has it."""
    said = {word for request, _ in [*requests(), *REQUESTS.items()] for word in words(request)}
    for name, entry in ENTRIES.items():
        own = set(words(document(entry)))
        assert {word for word in words(entry["words"]) if word in own and word not in said} == set(), name


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("run_reading", {"tool": "delete_agent", "arguments": {"agent_id": "agent_1"}},
         "delete_agent is not for run_reading: run it with run_changing."),
        ("run_changing", {"tool": "list_agents"}, "list_agents is not for run_changing: run it with run_reading."),
        ("run_reading", {"tool": "list_agent"}, "No tool 'list_agent'. Did you mean 'list_agents'?"),
        ("run_reading", {"tool": "frobnicate"}, "No tool 'frobnicate'. find tells which there are."),
        ("run_reading", {"tool": "get_agent", "agent_id": "agent_1"},
         "Unknown argument 'agent_id'; known: tool, arguments. Put the tool's own arguments into arguments."),
        ("run_reading", {"arguments": {}}, "tool is required."),
        ("run_reading", {"tool": "get_agent", "arguments": "{nonsense"}, "arguments must be an object."),
        ("run_reading", {"tool": "get_agent", "arguments": [1]}, "arguments must be an object."),
        ("run_reading", {"tool": "get_agent", "arguments": {"agentid": "x"}}, "agent_id is required. Unknown argument 'agentid'; did you mean 'agent_id'?"),
        ("find", {}, "query is required."),
        ("find", {"query": 7}, "query must be a text."),
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
        assert facts(await client.call_tool("run_changing", {"tool": "create_agent", "arguments": given}))
        assert facts(await client.call_tool("run_reading", {"tool": "list_agents"}))["agents"][0]["name"] == "Ada"


@pytest.mark.parametrize("transport", ["memory", "http", "stateless"])
@pytest.mark.parametrize("era", ERAS)
async def test_a_delete_asks_the_same_question_however_it_is_reached(
    tmp_path: Path, clock: Clock, era: str, transport: str
) -> None:
    async with searching(tmp_path, clock, era, "no", transport) as (client, asked):
        made = facts(await run(client, "run_changing", "create_agent", name="Ada", prompt="Help."))
        left = await run(client, "run_changing", "delete_agent", agent_id=made["agent_id"])
        listed = facts(await run(client, "run_reading", "list_agents"))["agents"]
    assert [agent["name"] for agent in listed] == ["Ada"]
    if transport == "stateless" and era == "legacy":  # no way back to the person: a preview and a token instead
        assert refusal_facts(left)["needs_approval"] == "preview"
    else:
        assert refusal_facts(left) == {"declined": True}
        assert len(asked) == 1


async def test_a_token_is_redeemed_inside_the_arguments(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock) as (client, _):
        made = facts(await run(client, "run_changing", "create_agent", name="Ada", prompt="Help."))
        asked = await run(client, "run_changing", "delete_agent", agent_id=made["agent_id"])
        token = refusal_facts(asked)["approval_token"]
        gone = facts(await run(client, "run_changing", "delete_agent", agent_id=made["agent_id"], approval_token=token))
    assert gone["deleted"] == made["agent_id"]


async def test_bounds_hold_behind_it(tmp_path: Path, clock: Clock) -> None:
    async with searching(tmp_path, clock, read_only=True) as (client, _):
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "find",
            "run_reading",
        ]
        gone = await client.call_tool("run_reading", {"tool": "delete_agent", "arguments": {"agent_id": "a"}})
    assert gone.is_error
    async with searching(tmp_path, clock, toolsets=("llms",)) as (client, _):
        assert "delete_agent(" not in text(await client.call_tool("find", {"query": "delete an agent"}))


def test_every_tool_is_run_by_the_dispatcher_whose_hints_are_true_for_it() -> None:
    for entry in ENTRIES.values():
        hints, kind = entry["tool"]["annotations"], kind_of(entry)
        assert hints["readOnlyHint"] is (kind == "reading")
        assert kind == "changing" or not hints["openWorldHint"]
    assert {kind_of(entry) for entry in ENTRIES.values()} == set(RUNNERS)


def test_a_query_that_fits_nothing_is_answered_with_all_there_is() -> None:
    said = Catalogue([*ENTRIES.values()], Policy()).found("zzz")
    assert said.startswith("Nothing fits 'zzz'. There are: list_agents, get_agent, ")
    assert all(name in said for name in ENTRIES)
