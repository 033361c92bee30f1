"""Who speaks in a live conversation, and what each of them must know: at nodes, after transfers, in other languages."""

from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.dialogue.llm_peer import JSON

from .talking import Stage, echo, judged, stage

pytestmark = pytest.mark.anyio

ALWAYS: JSON = {"type": "unconditional"}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with stage(tmp_path, judged(echo)) as at:
        yield at


def line(*nodes: tuple[str, JSON]) -> JSON:
    """A workflow whose nodes follow each other."""
    names = ["start", *(name for name, _ in nodes)]
    ways = pairwise(names)
    edges = {f"{a}_{b}": {"source": a, "target": b, "forward_condition": ALWAYS} for a, b in ways}
    return {"nodes": {"start": {"type": "start"}, **dict(nodes)}, "edges": edges}


def transferring(*rules: JSON, **prompt: object) -> JSON:
    params = {"system_tool_type": "transfer_to_agent", "transfers": list(rules)}
    tool = {"type": "system", "name": "transfer_to_agent", "description": "", "params": params}
    return {"agent": {"prompt": {"built_in_tools": {"transfer_to_agent": tool}, **prompt}}}


async def assigning(at: Stage, variable: str) -> str:
    """A stored tool whose answer sets a variable."""
    rule = {"source": "response", "dynamic_variable": variable, "value_path": variable}
    config = {"type": "client", "name": "look_up", "description": "Looks it up.", "assignments": [rule]}
    answer = await at.http.post("/v1/convai/tools", json={"tool_config": config})
    return answer.json()["id"]


async def test_variables_of_later_nodes_transfers_and_languages_are_named_before_anything_is_said(at: Stage) -> None:
    bills = await at.agent()
    config = transferring({"agent_id": bills, "condition": "Bills", "transfer_message": "To {{desk}}."})
    config["agent"]["prompt"]["built_in_tools"]["language_detection"] = {
        "type": "system", "name": "language_detection", "description": "",
        "params": {"system_tool_type": "language_detection"},
    }  # fmt: skip
    config["language_presets"] = {"nl": {"overrides": {"agent": {"prompt": {"prompt": "In {{stad}}."}}}}}
    own = {"agent": {"first_message": "{{greeting}}", "prompt": {"prompt": "For {{customer}}."}}}
    nodes = line(
        ("sell", {"type": "override_agent", "label": "Sell", "additional_prompt": "{{offer}}"}),
        ("care", {"type": "override_agent", "label": "Care", "conversation_config": own}),
        ("bills", {"type": "standalone_agent", "agent_id": bills, "transfer_message": "One moment, {{name}}."}),
    )
    ada = await at.agent(config, workflow=nodes)
    async with at.connected(ada) as caller:
        error, _ = await caller.refusal()
    names = ["customer", "desk", "greeting", "name", "offer", "stad"]
    assert (error["error_type"], error["details"]) == ("missing_dynamic_variable", {"names": names})


async def test_a_language_that_nobody_can_switch_to_needs_no_variables(at: Stage) -> None:
    ada = await at.agent({"language_presets": {"nl": {"overrides": {"agent": {"prompt": {"prompt": "{{stad}}"}}}}}})
    async with at.connected(ada) as caller:
        assert await caller.begun()


async def test_what_a_tool_may_set_is_asked_for_only_where_it_is_said(at: Stage) -> None:
    tool = await assigning(at, "tier")
    node = {"type": "override_agent", "label": "Sell", "additional_prompt": "Tier {{tier}}."}
    ada = await at.agent({"agent": {"prompt": {"tool_ids": [tool]}}}, workflow=line(("sell", node)))
    async with at.connected(ada) as caller:
        id = await caller.begun()
        await caller.say("Hello")
        error, closed = await caller.refusal()
    said = "Missing dynamic variables: tier. Give each a value, or a placeholder on the agent."
    assert (error["error_type"], error["message"]) == ("missing_dynamic_variable", said)
    assert closed[0] == 1008
    assert (await at.conversation(id, until="failed"))["metadata"]["error"] == {"code": 1008, "reason": said}


async def test_a_call_that_goes_out_needs_what_its_workflow_says(at: Stage) -> None:
    node = {"type": "override_agent", "label": "Sell", "additional_prompt": "{{offer}}"}
    ada = await at.agent(workflow=line(("sell", node)))
    number = {
        "phone_number": "+15550000001",
        "label": "Desk",
        "provider": "twilio",
        "sid": "AC" + "0" * 32,
        "token": "t",
    }
    made = await at.http.post("/v1/convai/phone-numbers", json=number)
    call = {"agent_id": ada, "agent_phone_number_id": made.json()["phone_number_id"], "to_number": "+15550000002"}
    answer = await at.http.post("/v1/convai/twilio/outbound-call", json=call)
    assert [problem["loc"][-2:] for problem in answer.json()["detail"]] == [["dynamic_variables", "offer"]]
