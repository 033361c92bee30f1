"""Tools of MCP servers as models are offered them: in tests, in rehearsals, and under which names."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.contract.mcp_servers import CreateMcpToolConfig
from callwright.engine.tool_calls.offers import Listing, offered
from tests.dialogue.llm_peer import Call, Say, peer
from tests.dialogue.rehearsals import role
from tests.engine.helpers import JSON, agent, dump
from tests.engine.mcp_peer import real, refusing
from tests.engine.test_agent_tests import CALL
from tests.engine.test_agent_tests import made as a_test
from tests.engine.test_mcp_servers import made
from tests.engine.test_simulations import rehearse
from tests.engine.test_test_runs import finished, results, run
from tests.peers import peer as tcp
from tests.transports import Clock

from .lives import platform
from .test_live import prompt


def server(id: str, *names: str, title: str = "Desk", policy: str = "auto_approve_all") -> Listing:
    config: JSON = {
        "name": title, "approval_policy": policy, "tool_approval_hashes": [], "tool_config_overrides": [],
    }  # fmt: skip
    return Listing(id, config, [{"name": name, "inputSchema": {"type": "object"}} for name in names])


TEXT = st.text(max_size=80)


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=4)), max_size=4), st.sets(st.sampled_from(["a", "b", "tool"])))
def test_every_offered_tool_has_a_name_that_models_take_and_nothing_else_has(
    servers: list[tuple[str, list[str]]], taken: set[str]
) -> None:
    tools = offered([server(f"s{n}", *names, title=title) for n, (title, names) in enumerate(servers)], taken)
    names = [tool.name for tool in tools]
    assert len(names) == sum(len(names) for _, names in servers)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
    assert len({*names, *taken}) == len(names) + len(taken)
    listed = [name for _, names in servers for name in names]
    assert [tool.config["mcp_tool_name"] for tool in tools] == listed


def test_a_name_stays_as_it_is_where_only_one_server_has_it() -> None:
    tools = offered([server("s1", "book", "find slot"), server("s2", "book", title="Front desk")], {"end_call"})
    assert [tool.name for tool in tools] == ["Desk_book", "find_slot", "Front_desk_book"]


@pytest.mark.anyio
async def test_an_agent_is_tested_with_the_tools_of_its_mcp_servers(tmp_path: Path, clock: Clock) -> None:
    def play(request: JSON) -> Say:
        judges = "review conversations" in request["messages"][0]["content"]
        return Say('{"result": "success"}') if judges else Say(calls=(Call("book", '{"day": "Friday"}'),))

    check = {"parameters": [{"path": "day", "eval": {"type": "exact", "expected_value": "Friday"}}]}
    wanted = {**check, "referenced_tool": {"id": "book", "type": "mcp"}, "verify_absence": False}
    async with (
        real() as (url, _),
        tcp(refusing) as down,
        peer(play) as llm,
        platform(tmp_path, clock, llm.base_url) as (api, _),
    ):
        servers = [await made(api, url=down), await made(api, url=url)]
        ada = await agent(api, prompt(mcp_server_ids=servers))
        test = await a_test(api, CALL, tool_call_parameters=wanted)
        done = await finished(api, (await api.send(run(ada, test))).id)
    assert [(status, result) for _, status, result in results(done)] == [("passed", "success")], done
    assert [tool["function"]["name"] for tool in llm.requests[0]["tools"]] == ["free_slots", "book"]


@pytest.mark.anyio
async def test_a_rehearsal_offers_them_and_answers_from_its_mocks(tmp_path: Path, clock: Clock) -> None:
    def play(request: JSON) -> Say:
        if role(request) == "user":
            return Say("Book Friday.")
        if role(request) == "judge":
            return Say('{"summary": "s", "title": "t"}')
        called = request["messages"][-1]["role"] == "tool"
        return Say("Booked.") if called else Say(calls=(Call("book", '{"day": "Friday"}'),))

    mocks = {"book": {"default_return_value": "A mock.", "default_is_error": False}}
    async with real() as (url, _), peer(play) as llm, platform(tmp_path, clock, llm.base_url) as (api, _):
        ada = await agent(api, prompt(mcp_server_ids=[await made(api, url=url)]))
        done = dump(await api.send(rehearse(ada, tool_mock_config=mocks, new_turns_limit=2)))
    [result] = [result for turn in done["simulated_conversation"] for result in turn["tool_results"]]
    assert (result["type"], result["result_value"], result["tool_has_been_called"]) == ("mcp", "A mock.", True)


@pytest.mark.anyio
async def test_a_rehearsal_asks_a_server_with_its_variables(tmp_path: Path, clock: Clock) -> None:
    def play(request: JSON) -> Say:
        return Say({"user": "Hi.", "judge": '{"summary": "s", "title": "t"}'}.get(role(request), "Hello."))

    headers = {"X-Tenant": {"variable_name": "tenant"}, "X-Call": {"variable_name": "system__conversation_id"}}
    async with real() as (url, got), peer(play) as llm, platform(tmp_path, clock, llm.base_url) as (api, _):
        ada = await agent(api, prompt(mcp_server_ids=[await made(api, url=url, request_headers=headers)]))
        done = dump(await api.send(rehearse(ada, dynamic_variables={"tenant": "north"}, new_turns_limit=2)))
    assert {(one["x-tenant"], one["x-call"]) for one in got} == {("north", done["conversation_id"])}
    [told] = [request["tools"] for request in llm.requests if "tools" in request]
    assert [tool["function"]["name"] for tool in told] == ["free_slots", "book"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("day", "answer", "is_error"),
    [
        ("Monday", "Booked, by its own mock.", False),
        ("Tuesday", "Closed on Tuesdays.", True),
        ("Sunday", "Nobody works then.", False),
        ("Friday", "Tool Called.", False),
    ],
)
async def test_a_rehearsed_tool_answers_from_the_first_of_its_own_mocks_whose_conditions_hold(
    tmp_path: Path, clock: Clock, day: str, answer: str, is_error: bool
) -> None:
    def play(request: JSON) -> Say:
        asked = request["messages"][-1]["content"].partition("<transcript>")[0]
        if "a day of rest" in asked:
            return Say(json.dumps({"match": "Sunday" in asked, "rationale": "It says so."}))
        if role(request) == "user":
            return Say("Book it.")
        if role(request) == "judge":
            return Say('{"summary": "s", "title": "t"}')
        called = request["messages"][-1]["role"] == "tool"
        return Say("Done.") if called else Say(calls=(Call("book", json.dumps({"day": day})),))

    def when(mock: str, is_error: bool = False, **expected: str) -> JSON:
        return {"parameter_conditions": [{"path": "day", "eval": expected}], "mock_result": mock, "is_error": is_error}

    mocks = [
        when("Booked, by its own mock.", type="exact", expected_value="Monday"),
        when("Closed on Tuesdays.", is_error=True, type="regex", pattern="^(Mon|Tues)day$"),
        when("Nobody works then.", type="llm", description="a day of rest"),
    ]
    async with real() as (url, _), peer(play) as llm, platform(tmp_path, clock, llm.base_url) as (api, _):
        server = await made(api, url=url)
        config = {"mcp_server_id": server, "tool_name": "book", "response_mocks": mocks}
        await api.send(CreateMcpToolConfig.model_validate(config))
        ada = await agent(api, prompt(mcp_server_ids=[server]))
        done = dump(await api.send(rehearse(ada, new_turns_limit=2)))
        named = {"book": {"default_return_value": "As this rehearsal says.", "default_is_error": False}}
        again = dump(await api.send(rehearse(ada, tool_mock_config=named, new_turns_limit=2)))
    [own], [over] = (
        [result for turn in talk["simulated_conversation"] for result in turn["tool_results"]] for talk in (done, again)
    )
    assert (own["result_value"], own["is_error"]) == (answer, is_error)
    assert over["result_value"] == "As this rehearsal says."
