"""What the graph of a workflow must satisfy before it is stored."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.workflow.problems import DEEPEST_EXPRESSION
from tests.engine.helpers import JSON, agent, problems, read

pytestmark = pytest.mark.anyio

CREATE = "/v1/convai/agents/create"
ALWAYS: JSON = {"type": "unconditional"}


def edge(source: str, target: str, forward: JSON | None = None, backward: JSON | None = None) -> JSON:
    return {"source": source, "target": target, "forward_condition": forward, "backward_condition": backward}


def said(condition: str) -> JSON:
    return {"type": "llm", "condition": condition}


def result(*, successful: bool) -> JSON:
    return {"type": "result", "successful": successful}


async def refusals(wire: AsyncClient, nodes: JSON, edges: JSON) -> list[str]:
    body = {"conversation_config": {}, "workflow": {"nodes": nodes, "edges": edges}}
    return problems(await wire.post(CREATE, json=body))


async def every_kind(api: ApiClient, wire: AsyncClient) -> JSON:
    """A workflow with each kind of node and condition."""
    config = {"type": "client", "name": "look_up", "description": "Looks an order up."}
    tool = (await wire.post("/v1/convai/tools", json={"tool_config": config})).json()["id"]
    large = {
        "type": "gte_operator",
        "left": {"type": "dynamic_variable", "name": "amount"},
        "right": {"type": "number_literal", "value": 500},
    }
    vip = {
        "type": "eq_operator",
        "left": {"type": "dynamic_variable", "name": "tier"},
        "right": {"type": "string_literal", "value": "vip"},
    }
    return {
        "nodes": {
            "begin": {"type": "start", "edge_order": ["e1"]},
            "qualify": {"type": "override_agent", "label": "Qualify", "edge_order": ["e2", "e5", "e7", "e8"]},
            "find": {"type": "tool", "tools": [{"tool_id": tool}], "edge_order": ["e3", "e4"]},
            "sell": {"type": "override_agent", "label": "Sell", "edge_order": ["e6", "e8"]},
            "billing": {"type": "standalone_agent", "agent_id": await agent(api)},
            "human": {
                "type": "phone_number",
                "transfer_destination": {"type": "phone", "phone_number": "+15551234567"},
            },
            "bye": {"type": "end"},
        },
        "edges": {
            "e1": edge("begin", "qualify", ALWAYS),
            "e2": edge("qualify", "find", said("An order was named.")),
            "e3": edge("find", "sell", result(successful=True)),
            "e4": edge("find", "qualify", result(successful=False)),
            "e5": edge(
                "qualify",
                "human",
                {"type": "expression", "expression": {"type": "and_operator", "children": [large, vip]}},
            ),
            "e6": edge("sell", "bye", said("Nothing is left to do.")),
            "e7": edge("qualify", "billing", said("It is about a bill.")),
            "e8": edge("qualify", "sell", said("They want to buy."), said("They want something else.")),
        },
    }


async def test_a_workflow_with_every_kind_of_node_and_condition_is_kept(api: ApiClient, wire: AsyncClient) -> None:
    workflow = await every_kind(api, wire)
    kept = (await read(api, await agent(api, workflow=workflow)))["workflow"]
    assert list(kept["nodes"]) == list(workflow["nodes"])
    assert {id: one["forward_condition"] for id, one in kept["edges"].items()} == {
        id: one["forward_condition"] for id, one in workflow["edges"].items()
    }


async def test_a_workflow_is_refused_with_all_that_nobody_could_follow(wire: AsyncClient) -> None:
    deep: JSON = {"type": "boolean_literal", "value": True}
    for _ in range(DEEPEST_EXPRESSION + 1):
        deep = {"type": "or_operator", "children": [deep]}
    nodes = {
        "begin": {"type": "start", "edge_order": ["e1", "e9"]},
        "desk": {"type": "override_agent", "label": "Desk", "edge_order": ["e2", "e2", "e1"]},
        "bye": {"type": "end"},
        "human": {"type": "phone_number", "transfer_destination": {"type": "sip_uri", "sip_uri": "sip:a@b.example"}},
    }
    edges = {
        "e1": edge("begin", "desk", said("Hello.")),
        "e2": edge("desk", "bye", result(successful=True)),
        "e3": edge("bye", "nowhere", ALWAYS),
        "e4": edge("desk", "bye", {"type": "expression", "expression": deep}, said("Not yet.")),
    }
    assert await refusals(wire, nodes, edges) == snapshot(
        ["body.workflow.nodes.human: Value error, a SIP address needs transfer_type sip_refer"]
    )
    nodes["human"]["transfer_type"] = "sip_refer"
    assert await refusals(wire, nodes, edges) == snapshot(
        [
            "body.workflow.edges.e3.target: There is no node 'nowhere'.",
            "body.workflow.edges.e1.forward_condition: The edge out of the start is unconditional: nothing was said yet.",
            "body.workflow.nodes.begin.edge_order.1: There is no edge 'e9'.",
            "body.workflow.nodes.desk.edge_order.1: The edge 'e2' stands here twice.",
            "body.workflow.nodes.desk.edge_order.2: The edge 'e1' does not lead out of this node.",
            "body.workflow.edges.e2.forward_condition.type: Only a tool node has a result, and 'desk' is of the type override_agent.",
            "body.workflow.edges.e3.forward_condition: Nothing leads out of 'bye': a node of the type end ends the agent's part.",
            "body.workflow.edges.e4.forward_condition.expression: At most 32 operators inside one another.",
            "body.workflow.edges.e4.backward_condition: Nothing leads out of 'bye': a node of the type end ends the agent's part.",
        ]
    )


@pytest.mark.parametrize(
    ("nodes", "edges", "said"),
    [
        ({"a": {"type": "end"}}, {}, "A workflow has exactly one node of the type start."),
        (
            {"a": {"type": "start"}, "b": {"type": "start"}},
            {},
            "A workflow has exactly one node of the type start; these are 'a', 'b'.",
        ),
        ({"a": {"type": "start"}, "b": {"type": "end"}}, {}, "Exactly one edge leads out of the start, not 0."),
        (
            {"a": {"type": "start"}, "b": {"type": "end"}},
            {"e": edge("a", "b", ALWAYS), "f": edge("a", "b", ALWAYS)},
            "Exactly one edge leads out of the start, not 2.",
        ),
    ],
)
async def test_a_workflow_has_one_beginning(wire: AsyncClient, nodes: JSON, edges: JSON, said: str) -> None:
    assert [problem.partition(": ")[2] for problem in await refusals(wire, nodes, edges)] == [said]


@pytest.mark.parametrize(
    "nodes",
    [{}, {"a": {"type": "start"}}, {"a": {"type": "start"}, "b": {"type": "newer", "x": 1}}],
    ids=["nothing", "a start alone", "a kind of a newer platform"],
)
async def test_the_smallest_workflows_are_kept(api: ApiClient, nodes: dict[str, Any]) -> None:
    edges = {"e": edge("a", "b", ALWAYS)} if "b" in nodes else {}
    made = await agent(api, workflow={"nodes": nodes, "edges": edges})
    assert (await read(api, made))["workflow"]["nodes"].keys() == nodes.keys()


async def test_a_node_is_not_taken_out_from_under_its_edges(api: ApiClient, wire: AsyncClient) -> None:
    made = await agent(api, workflow=await every_kind(api, wire))
    patch = {"workflow": {"nodes": {"bye": None}}}
    assert problems(await wire.patch(f"/v1/convai/agents/{made}", json=patch)) == [
        "body.workflow.edges.e6.target: There is no node 'bye'."
    ]
    sell = {"type": "override_agent", "label": "Sell", "edge_order": ["e8"]}
    both = {"workflow": {"nodes": {"bye": None, "sell": sell}, "edges": {"e6": None}}}
    assert (await wire.patch(f"/v1/convai/agents/{made}", json=both)).status_code == 200
