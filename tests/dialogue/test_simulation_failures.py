"""Rehearsals in which a tool, a model or a variable does not do what it should."""

import json
from dataclasses import replace

import anyio
import pytest
from inline_snapshot import snapshot

from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.roles import Role
from callwright.engine.dialogue.simulated_user import STOP
from callwright.engine.dialogue.tools import Mock
from callwright.engine.dialogue.variables import MissingVariables
from callwright.workflow.graph import read_workflow

from .conftest import Connect
from .llm_peer import JSON, Call, Fault, Reply, Say, peer
from .rehearsals import brief, parts, rehearsal, rehearse, renting

pytestmark = pytest.mark.anyio


async def test_a_tool_without_a_mock_answers_that_it_was_called_and_a_mocked_error_is_one(connect: Connect) -> None:
    calls = (Call("show_map", "{}", "a", 0), Call("free_canoes", '{"day": "Friday"}', "b", 1))

    def agent(request: JSON) -> Say:
        return Say("So.") if request["messages"][-1]["role"] == "tool" else Say(calls=calls)

    async with peer(parts(agent, f"Hm. {STOP}")) as at:
        done = await rehearse(rehearsal(mocks={"free_canoes": Mock("closed", is_error=True)}), connect(at))
    assert [(r["tool_name"], r["result_value"], r["is_error"]) for r in done.transcript[3]["tool_results"]] == [
        ("show_map", "Tool Called.", False),
        ("free_canoes", "closed", True),
    ]


async def test_a_call_that_makes_no_sense_is_told_to_the_model_and_not_made(connect: Connect) -> None:
    calls = (Call("shell!", "{}", "a", 0), Call("free_canoes", "{}", "b", 1), Call("show_map", '{"x', "c", 2))

    def agent(request: JSON) -> Say:
        return Say("So.") if request["messages"][-1]["role"] == "tool" else Say(calls=calls)

    async with peer(parts(agent, f"Hm. {STOP}")) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert [
        (r["tool_name"], r["result_value"], r["tool_has_been_called"]) for r in done.transcript[3]["tool_results"]
    ] == snapshot(
        [
            ("shell_", "There is no tool 'shell!'. Tools: free_canoes, show_map, end_call.", False),
            ("free_canoes", "Missing arguments: day. Call the tool again with correct arguments.", False),
            ("show_map", "The arguments are not a JSON object. Call the tool again with correct arguments.", False),
        ]
    )


async def test_a_model_that_only_calls_tools_has_to_speak_after_ten_rounds(connect: Connect) -> None:
    def agent(request: JSON) -> Say:
        return Say(calls=(Call("show_map"),)) if "tools" in request else Say("Enough.")

    async with peer(parts(agent, f"Hm. {STOP}")) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert brief(done.transcript).count("agent calls ['show_map']") == 10
    assert brief(done.transcript)[-1] == "agent: Enough."


async def test_a_model_that_fails_in_mid_conversation_ends_it_with_what_was_said(connect: Connect) -> None:
    def agent(request: JSON) -> Reply:
        return Fault(401) if "second" in str(request["messages"]) else Say("First answer.")

    async with peer(parts(agent, "first", "second")) as at:
        done = await rehearse(rehearsal(), connect(at))
        host = at.base_url.removeprefix("http://").removesuffix("/v1")
    assert brief(done.transcript) == [
        "agent: Hello, Northshore here.",
        "user: first",
        "agent: First answer.",
        "user: second",
    ]
    assert done.failed
    assert json.loads(json.dumps(done.analysis).replace(host, "HOST")) == snapshot(
        {
            "evaluation_criteria_results": {
                "polite": {
                    "criteria_id": "polite",
                    "result": "unknown",
                    "rationale": 'Not judged, because the rehearsal broke off: The language model "wanted-model" at HOST answered 401. Check the API key of the language model.',
                },
                "informed": {
                    "criteria_id": "informed",
                    "result": "unknown",
                    "rationale": 'Not judged, because the rehearsal broke off: The language model "wanted-model" at HOST answered 401. Check the API key of the language model.',
                },
            },
            "data_collection_results": {
                "day": {
                    "data_collection_id": "day",
                    "value": None,
                    "json_schema": {"type": "string", "description": "The wanted day."},
                    "rationale": 'Not judged, because the rehearsal broke off: The language model "wanted-model" at HOST answered 401. Check the API key of the language model.',
                },
                "shop": {
                    "data_collection_id": "shop",
                    "value": "Northshore",
                    "json_schema": {"type": "string", "dynamic_variable": "shop"},
                    "rationale": "The dynamic variable shop.",
                },
            },
            "call_successful": "unknown",
            "transcript_summary": 'Not judged, because the rehearsal broke off: The language model "wanted-model" at HOST answered 401. Check the API key of the language model.',
            "call_summary_title": "Rehearsal broken off",
        }
    )


async def test_words_that_were_heard_before_a_failure_stay_and_are_marked(connect: Connect) -> None:
    async with peer(parts(lambda _: Say("The deposit is", error="gone"), "first")) as at:
        done = await rehearse(rehearsal(), connect(at))
    assert (done.transcript[-1]["message"], done.transcript[-1]["interrupted"]) == ("The deposit is", True)


async def test_cancelling_a_rehearsal_closes_the_stream_upstream(connect: Connect) -> None:
    async with peer(parts(lambda _: Say("Well, ", stalls=True), "first")) as at:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rehearse, rehearsal(), connect(at))
            await at.stalled.wait()
            tasks.cancel_scope.cancel()
        await at.hung_up.wait()


async def test_missing_variables_are_all_named_before_anything_is_said(connect: Connect) -> None:
    user = read_agent("user", {"agent": {"prompt": {"prompt": "You are {{person}} from {{town}}."}}})
    async with peer(parts(renting)) as at:
        with pytest.raises(MissingVariables) as caught:
            await rehearse(rehearsal(user=user), connect(at))
    assert (caught.value.names, at.requests) == (["person", "town"], [])


async def test_a_variable_that_is_missing_at_a_later_node_breaks_off_and_keeps_what_was_said(connect: Connect) -> None:
    class Stage:
        async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
            told = "Your order is {{order}}." if node_id == "late" else "Help."
            agent = read_agent("agent_1", {"agent": {"first_message": "Hello.", "prompt": {"prompt": told}}})
            return Role(agent, llm=llm, workflow=flow)

    nodes = {"start": {"type": "start"}, "late": {"type": "override_agent"}}
    edge = {"source": "start", "target": "late", "forward_condition": {"type": "unconditional"}}
    flow = read_workflow({"nodes": nodes, "edges": {"on": edge}})
    user = read_agent("user", {"agent": {"first_message": "Where is it?"}})
    async with peer(parts(renting)) as at:
        llm = connect(at)
        stage = Stage()
        done = await rehearse(rehearsal(roles=stage, role=await stage.role("agent_1"), user=user), llm)
    said = "Missing dynamic variables: order. Give each a value, or a placeholder on the agent."
    assert (brief(done.transcript)[2:], done.ended) == (["agent: Hello.", "user: Where is it?"], said)
    assert done.failed
    assert {one["result"] for one in done.analysis["evaluation_criteria_results"].values()} == {"unknown"}
    assert said in str(done.analysis["evaluation_criteria_results"])


async def test_a_role_names_all_it_will_need_before_anything_is_said(connect: Connect) -> None:
    whole = rehearsal()
    needing = replace(whole.role, needs=frozenset({"order", "shop"}))
    with pytest.raises(MissingVariables, match="variables: order"):
        await rehearse(rehearsal(role=needing), None)
