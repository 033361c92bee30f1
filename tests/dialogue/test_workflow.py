"""A conversation that follows its workflow, and one that is handed over: what is said by whom, and what is recorded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot

from callwright.contract.errors import NotFound
from callwright.engine.dialogue.agent import read_agent
from callwright.engine.dialogue.llm import LLM
from callwright.engine.dialogue.roles import Role
from callwright.engine.dialogue.simulated_user import STOP
from callwright.engine.dialogue.simulation import Rehearsal, Simulated
from callwright.engine.dialogue.tools import Mock
from callwright.workflow.graph import MOST_STEPS, read_workflow

from .conftest import Connect
from .llm_peer import JSON, Call, Fault, Reply, Say, peer
from .rehearsals import brief, lenient, rehearsal, rehearse, role

pytestmark = pytest.mark.anyio

ALWAYS: JSON = {"type": "unconditional"}
LOOK_UP: JSON = {
    "type": "client",
    "name": "look_up",
    "description": "Looks an order up.",
    "parameters": {
        "type": "object",
        "properties": {"order": {"type": "string", "description": "Its number."}},
        "required": ["order"],
    },
    "assignments": [{"source": "response", "dynamic_variable": "tier", "value_path": "tier"}],
}


def said(condition: str) -> JSON:
    return {"type": "llm", "condition": condition}


def edge(source: str, target: str, forward: JSON | None = None, backward: JSON | None = None) -> JSON:
    return {"source": source, "target": target, "forward_condition": forward, "backward_condition": backward}


VIP: JSON = {
    "type": "expression",
    "expression": {
        "type": "eq_operator",
        "left": {"type": "dynamic_variable", "name": "tier"},
        "right": {"type": "string_literal", "value": "vip"},
    },
}
NODES: JSON = {
    "start": {"type": "start"},
    "qualify": {"type": "override_agent", "label": "Qualify", "edge_order": ["to_desk", "to_lookup", "to_sell"]},
    "lookup": {"type": "tool", "tools": [{"tool_id": "tool_1"}]},
    "sell": {"type": "override_agent", "label": "Sell"},
    "billing": {"type": "standalone_agent", "agent_id": "agent_2", "transfer_message": "One moment, {{name}}."},
    "desk": {"type": "phone_number", "transfer_destination": {"type": "phone", "phone_number": "+15551234567"}},
    "bye": {"type": "end"},
}
EDGES: JSON = {
    "begin": edge("start", "qualify", ALWAYS),
    "to_lookup": edge("qualify", "lookup", said("An order number was given.")),
    "found": edge("lookup", "sell", {"type": "result", "successful": True}),
    "lost": edge("lookup", "qualify", {"type": "result", "successful": False}),
    "to_desk": edge("qualify", "desk", VIP),
    "to_sell": edge("qualify", "sell", said("The user wants to buy."), said("The wishes changed.")),
    "to_billing": edge("qualify", "billing", said("It is about a bill.")),
    "done": edge("sell", "bye", said("The user is done.")),
}


class Stage:
    """A provider of three roles: an agent with its nodes, the agent for bills, and nobody else."""

    def __init__(self, llm: LLM | None, nodes: JSON = NODES, edges: JSON = EDGES) -> None:
        self._llm, self._flow = llm, read_workflow({"nodes": nodes, "edges": edges})

    async def role(self, agent_id: str, node_id: str | None = None, language: str | None = None) -> Role:
        if agent_id == "agent_2":
            agent = {"first_message": "Bills, how can I help?", "prompt": {"prompt": "You explain bills."}}
            return Role(read_agent("agent_2", {"agent": agent}), llm=self._llm)
        if agent_id != "agent_1":
            raise NotFound(f"No agent {agent_id!r}.")
        prompt: JSON = {"prompt": f"You are at {node_id}."}
        if node_id == "lookup":
            prompt["tools"] = [LOOK_UP]
        if node_id is None:
            transfers: list[JSON] = [
                {"agent_id": "agent_2", "condition": "Bills"},
                {"agent_id": "agent_9", "condition": "Ghosts"},
            ]
            transfers[0]["enable_transferred_agent_first_message"] = True
            tool = {"system_tool_type": "transfer_to_agent", "transfers": transfers}
            prompt["built_in_tools"] = {"transfer_to_agent": {"name": "transfer_to_agent", "params": tool}}
        agent = read_agent("agent_1", {"agent": {"first_message": "Hello.", "prompt": prompt}})
        return Role(agent, llm=self._llm, workflow=self._flow)


async def staged(llm: LLM, nodes: JSON = NODES, edges: JSON = EDGES, **changes: Any) -> Simulated:
    stage = Stage(llm, nodes, edges)
    begun: Rehearsal = rehearsal(
        roles=stage, dynamic_variables={"name": "Ada", "shop": "x", **changes.pop("given", {})}
    )
    return await rehearse(replace(begun, role=await stage.role("agent_1"), **changes), llm)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def playing(*lines: str, **conditions: str) -> Callable[[JSON], Reply]:
    """The user reads `lines`; a condition holds where the last words contain the text it is given here."""
    left = list(lines)

    def answer(request: JSON) -> Reply:
        match role(request):
            case "user":
                return Say(left.pop(0))
            case "judge" if "Conditions:" in (task := request["messages"][1]["content"]):
                listed = task.partition("Conditions:\n")[2].partition("\nIf several")[0].splitlines()
                last = task.rpartition('"role": "user"')[2]
                for line in listed:
                    number, _, condition = line.partition(": ")
                    if any(_spaced(name) in condition.lower() and word in last for name, word in conditions.items()):
                        return Say(f'{{"condition": {number}, "rationale": "So it is."}}')
                return Say('{"condition": null, "rationale": "None."}')
            case "judge":
                return lenient(request)
            case _ if request.get("tool_choice"):
                return Say(calls=(Call("look_up", '{"order": "A-7"}'),))
            case _:
                where = request["messages"][0]["content"].partition("\n")[0]
                heard = [m["content"] for m in request["messages"] if m["role"] == "tool"]
                return Say(f"({where} {heard[-1] if heard else ''})")

    return answer


def moves(done: Simulated) -> list[list[str]]:
    """Where each walk led, in a few words."""
    results = [r for one in done.transcript for r in one["tool_results"] if r["type"] == "workflow"]
    return [
        [
            step.get("edge_id") or f"{step['type']} {step.get('is_successful', '')}".strip()
            for step in r["result"]["steps"]
        ]
        for r in results
    ]


async def test_a_conversation_goes_where_its_workflow_leads(connect: Connect) -> None:
    lines = ("Hi.", "My order is A-7.", "Something else instead.", "I want to buy it.", f"I am done. {STOP}")
    play = playing(*lines, order_number="A-7", wishes_changed="else", wants_to_buy="buy", is_done="done")
    async with peer(play) as at:
        done = await staged(connect(at), mocks={"look_up": Mock('{"item": "canoe"}')})
    assert brief(done.transcript) == snapshot(
        [
            "agent calls ['workflow']",
            "results ['qualify']",
            "agent: Hello.",
            "user: Hi.",
            "agent: (You are at qualify. )",
            "user: My order is A-7.",
            "agent calls ['workflow']",
            "results ['lookup > sell']",
            'agent: (You are at sell. {"item": "canoe"})',
            "user: Something else instead.",
            "agent calls ['workflow']",
            "results ['qualify']",
            'agent: (You are at qualify. {"item": "canoe"})',
            "user: I want to buy it.",
            "agent calls ['workflow']",
            "results ['sell']",
            'agent: (You are at sell. {"item": "canoe"})',
            "user: I am done.",
            "agent calls ['workflow']",
            "results ['bye']",
        ]
    )
    assert moves(done) == snapshot(
        [["begin"], ["to_lookup", "nested_tools True", "found"], ["to_sell"], ["to_sell"], ["done"]]
    )
    assert done.ended == snapshot("The workflow came to its end.")


async def test_every_move_is_recorded_with_where_it_led_and_what_the_tools_said(connect: Connect) -> None:
    async with peer(playing(f"My order is A-7. {STOP}", order_number="A-7")) as at:
        done = await staged(connect(at), mocks={"look_up": Mock('{"item": "canoe"}')})
    [_, moved] = [one["tool_results"] for one in done.transcript if one["tool_results"]]
    assert moved == snapshot(
        [
            {
                "request_id": "workflow_00000000000000000000000000000003",
                "tool_name": "workflow",
                "type": "workflow",
                "result_value": "lookup > sell",
                "is_error": False,
                "tool_has_been_called": True,
                "tool_latency_secs": 0,
                "dynamic_variable_updates": [],
                "result": {
                    "steps": [
                        {"type": "edge", "step_latency_secs": 0, "edge_id": "to_lookup", "target_node_id": "lookup"},
                        {
                            "type": "nested_tools",
                            "step_latency_secs": 0,
                            "node_id": "lookup",
                            "requests": [
                                {
                                    "request_id": "look_up_00000000000000000000000000000002",
                                    "tool_name": "look_up",
                                    "type": "client",
                                    "params_as_json": '{"order": "A-7"}',
                                    "tool_has_been_called": False,
                                    "tool_details": None,
                                }
                            ],
                            "results": [
                                {
                                    "request_id": "look_up_00000000000000000000000000000002",
                                    "tool_name": "look_up",
                                    "type": "client",
                                    "result_value": '{"item": "canoe"}',
                                    "is_error": False,
                                    "tool_has_been_called": True,
                                    "tool_latency_secs": 0,
                                    "dynamic_variable_updates": [],
                                }
                            ],
                            "is_successful": True,
                        },
                        {"type": "edge", "step_latency_secs": 0, "edge_id": "found", "target_node_id": "sell"},
                    ]
                },
            }
        ]
    )
    assert [one["agent_metadata"] for one in done.transcript] == snapshot(
        [
            {"agent_id": "agent_1", "workflow_node_id": "qualify"},
            {"agent_id": "agent_1", "workflow_node_id": "qualify"},
            {"agent_id": "agent_1", "workflow_node_id": "qualify"},
            None,
            {"agent_id": "agent_1", "workflow_node_id": "sell"},
            {"agent_id": "agent_1", "workflow_node_id": "sell"},
            {"agent_id": "agent_1", "workflow_node_id": "sell"},
        ]
    )


async def test_a_tool_that_fails_leads_along_the_edge_of_failure(connect: Connect) -> None:
    async with peer(playing(f"My order is A-7. {STOP}", order_number="A-7")) as at:
        done = await staged(connect(at), mocks={"look_up": Mock("Not found.", is_error=True)})
    assert moves(done) == snapshot([["begin"], ["to_lookup", "nested_tools False", "lost"]])
    assert brief(done.transcript)[-1] == snapshot("agent: (You are at qualify. Not found.)")


async def test_words_beside_a_call_that_breaks_off_were_never_said(connect: Connect) -> None:
    """A tool node has the model fill in arguments: nobody hears what it writes besides."""
    play = playing(f"My order is A-7. {STOP}", order_number="A-7")

    def answer(request: JSON) -> Reply:
        return Say("Let me look.", error={"message": "broke"}) if request.get("tool_choice") else play(request)

    async with peer(answer) as at:
        done = await staged(connect(at))
    assert moves(done) == [["begin"], ["to_lookup", "nested_tools False", "lost"]]
    assert "Let me look." not in [one["message"] for one in done.transcript]


async def test_what_can_be_worked_out_asks_no_model(connect: Connect) -> None:
    async with peer(playing("Hello?")) as at:
        done = await staged(connect(at), given={"tier": "vip"})
    assert done.ended == "The workflow handed the conversation over to +15551234567."
    assert not [r for r in at.requests if "Conditions:" in r["messages"][-1]["content"]]


async def test_a_workflow_hands_over_to_another_agent_who_goes_on(connect: Connect) -> None:
    async with peer(playing("This bill is wrong.", f"Thanks. {STOP}", about_a_bill="bill")) as at:
        done = await staged(connect(at))
    assert brief(done.transcript) == snapshot(
        [
            "agent calls ['workflow']",
            "results ['qualify']",
            "agent: Hello.",
            "user: This bill is wrong.",
            "agent calls ['workflow']",
            "results ['billing']",
            "agent: One moment, Ada.",
            "agent: (You explain bills. )",
            "user: Thanks.",
            "agent: (You explain bills. )",
        ]
    )
    spoke = [one["agent_metadata"]["agent_id"] for one in done.transcript if one["role"] == "agent"]
    assert spoke == snapshot(["agent_1", "agent_1", "agent_1", "agent_1", "agent_1", "agent_1", "agent_2", "agent_2"])


async def test_an_agent_that_does_not_exist_ends_the_workflow_with_the_reason(connect: Connect) -> None:
    nodes = NODES | {"billing": NODES["billing"] | {"agent_id": "agent_9"}}
    async with peer(playing("This bill is wrong.", about_a_bill="bill")) as at:
        done = await staged(connect(at), nodes)
    assert done.ended == "The workflow could not hand the conversation over: No agent 'agent_9'."


async def test_tool_nodes_that_lead_to_each_other_are_stopped(connect: Connect) -> None:
    nodes = {"start": NODES["start"], "one": NODES["lookup"], "two": NODES["lookup"]}
    edges = {"a": edge("start", "one", ALWAYS), "b": edge("one", "two", ALWAYS, ALWAYS)}
    nodes["one"], nodes["two"] = ({"type": "tool", "tools": []} for _ in range(2))
    async with peer(playing(f"Hi. {STOP}")) as at:
        done = await staged(connect(at), nodes, edges)
    first = next(one["tool_results"][0] for one in done.transcript if one["tool_results"])
    assert first["result"]["steps"][-1] == {
        "type": "max_iterations_exceeded", "step_latency_secs": 0.0, "max_iterations": MOST_STEPS
    }  # fmt: skip


async def test_a_judge_that_cannot_be_reached_leaves_the_conversation_where_it_is(connect: Connect) -> None:
    play = playing("My order is A-7.", f"Yes. {STOP}", order_number="A-7")

    def answer(request: JSON) -> Reply:
        return Fault(400) if role(request) == "judge" else play(request)

    async with peer(answer) as at:
        done = await staged(connect(at))
    assert moves(done) == [["begin"]]
    assert brief(done.transcript)[-1] == snapshot("agent: (You are at qualify. )")


async def test_a_transfer_by_the_model_lets_the_other_agent_speak_first(connect: Connect) -> None:
    play = playing("Bills please.", f"Fine. {STOP}")

    def answer(request: JSON) -> Reply:
        if request["messages"][0]["content"].startswith("You are at None"):
            results = [m for m in request["messages"] if m["role"] == "tool"]
            return Say(calls=(Call("transfer_to_agent", f'{{"agent_number": {0 if results else 1}}}'),))
        return play(request)

    async with peer(answer) as at:
        done = await staged(connect(at), {}, {})
    assert brief(done.transcript) == snapshot(
        [
            "agent: Hello.",
            "user: Bills please.",
            "agent calls ['transfer_to_agent']",
            "results [\"No agent 'agent_9'.\"]",
            "agent calls ['transfer_to_agent']",
            'results [\'{"result_type": "transfer_to_agent_success", "status": "success", "from_agent": "agent_1", "to_agent": "agent_2", "condition": "Bills", "delay_ms": 0, "transfer_message": null, "enable_transferred_agent_first_message": true}\']',
            "agent: Bills, how can I help?",
            "user: Fine.",
            'agent: (You explain bills. {"result_type": "transfer_to_agent_success", "status": "success", "from_agent": "agent_1", "to_agent": "agent_2", "condition": "Bills", "delay_ms": 0, "transfer_message": null, "enable_transferred_agent_first_message": true})',
        ]
    )


async def test_a_way_can_depend_on_what_a_tool_has_just_answered(connect: Connect) -> None:
    edges = {
        "begin": edge("start", "lookup", ALWAYS),
        "vip": edge("lookup", "desk", VIP),
        "else": edge("lookup", "bye", ALWAYS),
    }
    async with peer(lambda _: Say(calls=(Call("look_up", '{"order": "A-7"}'),))) as at:
        mocks = {"look_up": Mock('{"tier": "vip"}')}
        done = await staged(connect(at), edges=edges, mocks=mocks, given={"tier": "none"})
    assert done.ended == "The workflow handed the conversation over to +15551234567."
    [moves] = [turn["tool_results"][0]["result"]["steps"] for turn in done.transcript if turn["tool_results"]]
    [nested] = [result for step in moves for result in step.get("results", ())]
    assert [(one["old_value"], one["new_value"]) for one in nested["dynamic_variable_updates"]] == [("none", "vip")]
