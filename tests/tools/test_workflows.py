"""Workflows through the MCP client: what is wrong with one, how it is drawn, and where it leads."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.dialogue.test_workflow import EDGES, NODES
from tests.engine.helpers import JSON, agent
from tests.transports import ERAS, MODERN, Clock, facts, reach, text

from .everything import offering

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("either_platform")]

LOOKUP: JSON = {"type": "client", "name": "look_up", "description": "Looks an order up."}


async def explained(home: Path, clock: Clock, era: str = MODERN, **given: object) -> JSON:
    app = offering(home, clock)
    async with reach(app, era, "yes") as (client, _):
        tool = facts(await client.call_tool("create_tool", {"config": LOOKUP}))["tool_id"]
        bills = await agent(await app.api(), name="Bills")
        nodes = NODES | {
            "lookup": {"type": "tool", "tools": [{"tool_id": tool}]},
            "billing": {"type": "standalone_agent", "agent_id": bills},
        }
        ada = await agent(await app.api(), name="Ada", workflow={"nodes": nodes, "edges": EDGES})
        return facts(await client.call_tool("explain_workflow", {"agent_id": ada, **given}))


@pytest.mark.parametrize("era", ERAS)
async def test_a_workflow_is_told_in_words_and_drawn(tmp_path: Path, clock: Clock, era: str) -> None:
    assert await explained(tmp_path, clock, era) == snapshot(
        {
            "nodes": [
                "start: Start. begin to qualify, always",
                'qualify: Qualify. to_desk to desk, if tier = "vip"; to_lookup to lookup, if An order number was given; to_sell to sell, if The user wants to buy; to_billing to billing, if It is about a bill',
                "lookup: Run tool_1. found to sell, if the tools succeed; lost to qualify, if a tool fails",
                "sell: Sell. to_sell to qualify, if The wishes changed; done to bye, if The user is done",
                "billing: Hand over to agent agent_2. Nothing leads on.",
                "desk: Hand over to +15551234567. Nothing leads on.",
                "bye: End. Nothing leads on.",
            ],
            "mermaid": """\
flowchart TD
  n0(["Start"])
  n1["Qualify"]
  n2[["Run tool_1"]]
  n3["Sell"]
  n4[/"Hand over to agent agent_2"/]
  n5[/"Hand over to +15551234567"/]
  n6(["End"])
  n0 -->|"always"| n1
  n1 -->|"if An order number was given"| n2
  n2 -->|"if the tools succeed"| n3
  n2 -->|"if a tool fails"| n1
  n1 -->|"if tier = #34;vip#34;"| n5
  n1 -->|"if The user wants to buy"| n3
  n3 -->|"if The wishes changed"| n1
  n1 -->|"if It is about a bill"| n4
  n3 -->|"if The user is done"| n6\
""",
            "path": ["start -> qualify (begin: always)"],
            "stays_at": "qualify",
            "notes": [],
        }
    )


async def test_a_dry_run_goes_where_the_given_conditions_lead(tmp_path: Path, clock: Clock) -> None:
    told = await explained(tmp_path, clock, holds=["to_lookup", "done"])
    assert (told["path"], told["stays_at"]) == snapshot(
        (
            [
                "start -> qualify (begin: always)",
                "qualify -> lookup (to_lookup: if An order number was given)",
                "lookup -> sell (found: if the tools succeed)",
                "sell -> bye (done: if The user is done)",
            ],
            "bye",
        )
    )


async def test_a_dry_run_with_failing_tools_takes_the_other_way(tmp_path: Path, clock: Clock) -> None:
    told = await explained(tmp_path, clock, holds=["to_lookup"], tools_succeed=False)
    assert (told["path"], told["stays_at"]) == snapshot(
        (
            [
                "start -> qualify (begin: always)",
                "qualify -> lookup (to_lookup: if An order number was given)",
                "lookup -> qualify (lost: if a tool fails)",
            ],
            "qualify",
        )
    )


async def test_a_dry_run_works_expressions_out_with_the_given_variables(tmp_path: Path, clock: Clock) -> None:
    told = await explained(tmp_path, clock, variables={"tier": "vip"})
    assert (told["path"][-1], told["stays_at"]) == snapshot(('qualify -> desk (to_desk: if tier = "vip")', "desk"))


async def test_an_edge_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    workflow = {"nodes": {"s": {"type": "start"}, "e": {"type": "end"}}, "edges": {"go": EDGES["begin"] | {"source": "s", "target": "e"}}}  # fmt: skip
    ada = await agent(await app.api(), workflow=workflow)
    bea = await agent(await app.api(), name="Bea")
    async with reach(app) as (client, _):
        wrong = await client.call_tool("explain_workflow", {"agent_id": ada, "holds": ["went"]})
        none = await client.call_tool("explain_workflow", {"agent_id": bea})
    assert (text(wrong), text(none)) == snapshot(
        ("holds names no edge 'went'. Edges: go.", "Agent 'Bea' has no workflow: it follows its prompt alone.")
    )


@pytest.mark.parametrize("era", ERAS)
async def test_every_problem_of_a_workflow_is_found_at_once(tmp_path: Path, clock: Clock, era: str) -> None:
    nodes: JSON = {
        "start": {"type": "start", "edge_order": ["gone"]},
        "ask": {"type": "override_agent", "label": "Ask"},
        "alone": {"type": "end"},
    }
    result = {"type": "result", "successful": True}
    edges: JSON = {
        "a": {"source": "start", "target": "ask", "forward_condition": {"type": "llm", "condition": "x"}},
        "b": {"source": "ask", "target": "nowhere", "forward_condition": result},
    }
    async with reach(offering(tmp_path, clock), era) as (client, asked):
        wrong = facts(await client.call_tool("validate_workflow", {"workflow": {"nodes": nodes, "edges": edges}}))
        shape = facts(await client.call_tool("validate_workflow", {"workflow": {"nodes": {"a": {"type": "end", "edge_order": 5}}}}))  # fmt: skip
        right = facts(await client.call_tool("validate_workflow", {"workflow": {"nodes": NODES, "edges": EDGES}}))
    assert (wrong, shape, right, asked) == snapshot(
        (
            {
                "valid": False,
                "problems": [
                    "edges.b.target: There is no node 'nowhere'.",
                    "edges.a.forward_condition: The edge out of the start is unconditional: nothing was said yet.",
                    "nodes.start.edge_order.0: There is no edge 'gone'.",
                    "edges.b.forward_condition.type: Only a tool node has a result, and 'ask' is of the type override_agent.",
                ],
                "notes": [
                    "Whether its agents, tools and documents exist is checked when it is saved.",
                    "No conversation gets to: alone.",
                ],
            },
            {"valid": False, "problems": ["nodes.a.edge_order: Input should be a valid list"], "notes": []},
            {
                "valid": True,
                "problems": [],
                "notes": ["Whether its agents, tools and documents exist is checked when it is saved."],
            },
            [],
        )
    )


async def test_a_label_cannot_break_out_of_the_drawing(tmp_path: Path, clock: Clock) -> None:
    app = offering(tmp_path, clock)
    label = 'Ask"]\n  evil --> n1 %% <script>'
    nodes = {"start": {"type": "start"}, "ask": {"type": "override_agent", "label": label}}
    ada = await agent(await app.api(), workflow={"nodes": nodes, "edges": {"go": EDGES["begin"] | {"target": "ask"}}})
    async with reach(app) as (client, _):
        drawn = facts(await client.call_tool("explain_workflow", {"agent_id": ada}))["mermaid"]
    assert drawn == snapshot("""\
flowchart TD
  n0(["Start"])
  n1["Ask#34;#93; evil --#62; n1 #37;#37; #60;script#62;"]
  n0 -->|"always"| n1\
""")
