"""Every kind of node that the contract knows is declared whole, once."""

from typing import Any, get_args

import pytest

from callwright.contract.agent.workflow import Node
from callwright.contract.common import Unknown
from callwright.contract.conversation.metadata import WorkflowUse
from callwright.workflow.node_kinds import KINDS, NodeKind, kind_of

NODES: dict[str, dict[str, Any]] = {
    "start": {"type": "start"},
    "override_agent": {"type": "override_agent", "label": "Sell"},
    "tool": {"type": "tool", "tools": [{"tool_id": "tool_1"}]},
    "standalone_agent": {"type": "standalone_agent", "agent_id": "agent_2"},
    "phone_number": {
        "type": "phone_number",
        "transfer_destination": {"type": "phone", "phone_number": "+15551234567"},
    },
    "end": {"type": "end"},
}
"""The least that the contract takes."""


class Recorded:
    """A conversation that writes down what a node does to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def stay(self) -> None:
        self.done.append("stays")

    async def speak(self, language: str | None) -> None:
        self.done.append("speaks")

    async def run_tools(self) -> bool:
        self.done.append("runs tools")
        return True

    async def hand_over(self, rule: Any) -> None:
        self.done.append(f"hands over to {rule['agent_id']}")

    def end(self, why: str) -> None:
        self.done.append("ends")


def test_each_kind_of_the_contract_has_one_entry() -> None:
    models = set(get_args(get_args(Node)[0])) - {Unknown}
    assert {kind.model for kind in KINDS.values()} == models
    assert len(KINDS) == len(models)


def test_each_field_of_a_conversations_record_has_its_kind() -> None:
    assert {kind.feature for kind in KINDS.values()} - {None} == WorkflowUse.model_fields.keys() - {"enabled"}


def test_one_kind_begins() -> None:
    assert [name for name, kind in KINDS.items() if kind.begins] == ["start"]


@pytest.mark.anyio
@pytest.mark.parametrize("name", KINDS)
async def test_what_a_kind_says_of_itself_is_what_it_does(name: str) -> None:
    kind, node = KINDS[name], NODES[name]
    assert kind.model.model_validate(node).model_dump(exclude_unset=True)["type"] == name
    stage = Recorded()
    successful = await kind.arrive(stage, node)
    assert (successful is not None) == kind.runs_tools
    assert (stage.done[0].startswith(("ends", "hands over")), len(stage.done)) == (kind.last, 1)
    assert ("speaks" in stage.done or "stays" in stage.done) == kind.speaks
    assert kind.words("n1", node)


@pytest.mark.parametrize("name", KINDS)
def test_what_a_kind_fills_in_is_taken_by_its_model(name: str) -> None:
    whole = KINDS[name].defaults | NODES[name]
    assert KINDS[name].model.model_validate(whole).model_dump(exclude_unset=True).keys() == whole.keys()


@pytest.mark.anyio
async def test_a_kind_of_a_newer_platform_leaves_the_agent_as_it_is() -> None:
    node, stage = {"type": "weather"}, Recorded()
    kind: NodeKind = kind_of(node)
    assert (await kind.arrive(stage, node), stage.done) == (None, ["stays"])
    assert kind.words("n1", node) == "n1 (weather)"
    assert kind.configured({"agent": {"language": "en"}}, node) == {"agent": {"language": "en"}}
