"""A whole workflow over the WebSocket: what the client sees of it, and what the record keeps."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot
from starlette.responses import JSONResponse

from tests.dialogue.llm_peer import JSON, Call, Reply, Say
from tests.engine.tool_calls.test_webhooks import crm

from .talking import ALL_EVENTS, Stage, judged, stage

pytestmark = pytest.mark.anyio


def said(condition: str) -> JSON:
    return {"type": "llm", "condition": condition}


def compares(kind: str, variable: str, type_: str, value: object) -> JSON:
    right = {"type": f"{type_}_literal", "value": value}
    return {"type": f"{kind}_operator", "left": {"type": "dynamic_variable", "name": variable}, "right": right}


IMPORTANT: JSON = {
    "type": "expression",
    "expression": {
        "type": "and_operator",
        "children": [compares("eq", "tier", "string", "vip"), compares("gte", "amount", "number", 500)],
    },
}


def workflow(lookup: str, billing: str) -> JSON:
    """Every kind of node and of condition."""
    nodes: JSON = {
        "start_node": {"type": "start", "edge_order": ["e1"]},
        "qualify": {
            "type": "override_agent", "label": "Qualify", "additional_prompt": "Find out what the caller needs.",
            "edge_order": ["e2", "e5", "e7", "e8"],
        },
        "lookup": {"type": "tool", "tools": [{"tool_id": lookup}], "edge_order": ["e3", "e4"]},
        "sell": {
            "type": "override_agent", "label": "Sell", "edge_order": ["e6"],
            "conversation_config": {"agent": {"prompt": {"llm": "gpt-4o", "temperature": 0.2}}},
        },
        "billing": {"type": "standalone_agent", "agent_id": billing, "delay_ms": 0},
        "human": {
            "type": "phone_number", "transfer_type": "conference",
            "transfer_destination": {"type": "phone", "phone_number": "+15551234567"},
        },
        "bye": {"type": "end"},
    }  # fmt: skip
    edges: dict[str, tuple[str, str, JSON]] = {
        "e1": ("start_node", "qualify", {"type": "unconditional"}),
        "e2": ("qualify", "lookup", said("The user has provided an order id.")),
        "e3": ("lookup", "sell", {"type": "result", "successful": True}),
        "e4": ("lookup", "qualify", {"type": "result", "successful": False}),
        "e5": ("qualify", "human", IMPORTANT),
        "e6": ("sell", "bye", said("The user is done.")),
        "e7": ("qualify", "billing", said("The user asks about billing.")),
        "e8": ("qualify", "sell", said("The user wants to buy.")),
    }
    made = {
        id: {"source": source, "target": target, "forward_condition": condition, "backward_condition": None}
        for id, (source, target, condition) in edges.items()
    }
    made["e8"]["backward_condition"] = said("The requirements of the user changed.")
    return {"nodes": nodes, "edges": made}


MEANT = {"A-7": "order id", "That is all": "is done", "bill": "billing"}
"""What the judge of conditions takes words of the user for."""


def plays(request: JSON) -> Reply:
    task = str(request["messages"][1]["content"])
    if "Conditions:" in task:
        listed = task.partition("Conditions:\n")[2].partition("\nIf several")[0].splitlines()
        last = task.rpartition('"role": "user"')[2]
        for number, condition in (line.split(": ", 1) for line in listed):
            if any(word in last and meaning in condition for word, meaning in MEANT.items()):
                return Say(f'{{"condition": {number}, "rationale": "So it is."}}')
        return Say('{"condition": null, "rationale": "None."}')
    return judged(speaks)(request)


def speaks(request: JSON) -> Reply:
    if request.get("tool_choice"):
        return Say(calls=(Call("look_up", '{"order": "A-7"}'),))
    system, told = request["messages"][0]["content"], [m for m in request["messages"] if m["role"] == "tool"]
    if told:
        return Say(f"Your order: {told[-1]['content']}")
    return Say("Bills are mine." if "You explain bills." in system else "What do you need?")


async def served(at: Stage, url: str) -> str:
    """An agent that follows the workflow."""
    order = {"type": "string", "description": "Its number."}
    tool: JSON = {
        "type": "webhook", "name": "look_up", "description": "Looks an order up.",
        "api_schema": {"url": f"{url}/orders/{{order}}", "path_params_schema": {"order": order}},
        "assignments": [{"source": "response", "dynamic_variable": "tier", "value_path": "tier"}],
    }  # fmt: skip
    made = await at.http.post("/v1/convai/tools", json={"tool_config": tool})
    assert made.status_code == 200, made.text
    billing = await at.agent({"agent": {"prompt": {"prompt": "You explain bills."}}}, name="Billing")
    events = {"conversation": {"client_events": ALL_EVENTS}}
    return await at.agent(events, workflow=workflow(made.json()["id"], billing), name="Sales")


async def test_a_client_is_led_through_a_workflow_with_a_webhook_to_its_end(tmp_path: Path) -> None:
    async with (
        crm(JSONResponse({"tier": "vip"})) as (url, got),
        stage(tmp_path, plays, allow_private=("127.0.0.1",)) as at,
    ):
        ada = await served(at, url)
        async with at.connected(ada, dynamic_variables={"tier": "new", "amount": 900}) as caller:
            id = await caller.begun()
            await caller.answer()
            for line in ("Good morning", "My order is A-7"):
                await caller.say(line)
                await caller.answer()
            await caller.say("That is all")
            end = await caller.end()
        kept = await at.conversation(id)
    assert end == (1000, "The workflow came to its end.")
    assert [request["path"] for request in got] == ["/orders/A-7?"]
    parts = "agent_chat_response_part"
    assert [f["type"] for f in caller.seen if f["type"] != parts] == snapshot(
        ["conversation_initiation_metadata", "agent_response", "agent_response", "agent_response"]
    )
    told = [(turn["role"], node_of(turn), turn["message"] or steps(turn)) for turn in kept["transcript"]]
    assert told == snapshot(
        [
            ("agent", "qualify", ["workflow"]),
            ("agent", "qualify", ["e1"]),
            ("agent", "qualify", "Hello! How can I help you today?"),
            ("user", None, "Good morning"),
            ("agent", "qualify", "What do you need?"),
            ("user", None, "My order is A-7"),
            ("agent", "sell", ["workflow"]),
            ("agent", "sell", ["e2", ("lookup", ['{"tier":"vip"}'], True), "e3"]),
            ("agent", "sell", 'Your order: {"tier":"vip"}'),
            ("user", None, "That is all"),
            ("agent", "sell", ["workflow"]),
            ("agent", "sell", ["e6"]),
        ]
    )
    used = kept["metadata"]["features_usage"]["workflow"]
    assert used == snapshot(
        {
            "enabled": True,
            "tool_node": {"enabled": True, "used": True},
            "standalone_agent_node": {"enabled": True, "used": False},
            "phone_number_node": {"enabled": True, "used": False},
            "end_node": {"enabled": True, "used": True},
        }
    )


def node_of(turn: JSON) -> str | None:
    return turn["agent_metadata"] and turn["agent_metadata"]["workflow_node_id"]


def steps(turn: JSON) -> list[object]:
    """The moves that a turn records; the types of its calls, where there are none."""
    moves = [step for result in turn["tool_results"] for step in result["result"]["steps"]]
    return [
        step.get("edge_id") or (step["node_id"], [r["result_value"] for r in step["results"]], step["is_successful"])
        for step in moves
    ] or [call["type"] for call in turn["tool_calls"]]


@pytest.mark.parametrize(("tier", "end"), [("vip", True), ("new", False)])
async def test_a_client_whose_variables_say_so_is_handed_to_a_person(tmp_path: Path, tier: str, end: bool) -> None:
    async with stage(tmp_path, plays) as at:
        ada = await served(at, "https://orders.example")
        async with at.connected(ada, dynamic_variables={"tier": tier, "amount": 500}) as caller:
            await caller.begun()
            await caller.answer()
            await caller.say("Good morning")
            if end:
                assert await caller.end() == (1000, "The workflow handed the conversation over to +15551234567.")
            else:
                assert await caller.answer() == "What do you need?"


async def test_a_client_is_led_to_another_agent(tmp_path: Path) -> None:
    async with stage(tmp_path, plays) as at:
        ada = await served(at, "https://orders.example")
        async with at.connected(ada, dynamic_variables={"tier": "new", "amount": 1}) as caller:
            id = await caller.begun()
            await caller.answer()
            for line, answer in (("Good morning", "What do you need?"), ("My bill", "Bills are mine.")):
                await caller.say(line)
                assert await caller.answer() == answer
        kept = await at.conversation(id)
    last = kept["transcript"][-1]["agent_metadata"]
    assert (last["agent_id"] != ada, last["workflow_node_id"]) == (True, None)
