"""The graph of a workflow."""

from typing import Any

from callwright.workflow.graph import Workflow


class Counted(dict[str, Any]):
    """Edges that count how often all of them are gone through."""

    times = 0

    def items(self) -> Any:
        self.times += 1
        return super().items()


def test_the_edges_are_gone_through_once_however_many_nodes_there_are() -> None:
    nodes = {f"n{number}": {"type": "standalone_agent"} for number in range(50)}
    edges = Counted(
        {
            f"e{number}": {
                "source": f"n{number}",
                "target": f"n{(number + 1) % 50}",
                "forward_condition": {"type": "unconditional"},
            }
            for number in range(50)
        }
    )
    flow = Workflow(nodes, edges)
    assert [[edge.target for edge in flow.edges_from(node)] for node in nodes][:2] == [["n1"], ["n2"]]
    assert edges.times == 1


def test_edges_stand_in_the_order_of_their_node_and_lead_only_to_nodes() -> None:
    unconditional = {"forward_condition": {"type": "unconditional"}}
    nodes: dict[str, Any] = {"a": {"type": "start", "edge_order": ["second", "first"]}, "b": {"type": "end"}}
    edges = {
        "first": {"source": "a", "target": "b", **unconditional},
        "other": {"source": "a", "target": "b", **unconditional},
        "second": {"source": "a", "target": "b", **unconditional},
        "nowhere": {"source": "a", "target": "gone", **unconditional},
    }
    assert [edge.edge_id for edge in Workflow(nodes, edges).edges_from("a")] == ["second", "first", "other"]
