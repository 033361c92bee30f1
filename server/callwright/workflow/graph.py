"""The graph of a workflow: its nodes, and the directed edges between them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..contract.merge import JsonView
from .node_kinds import NodeKind, kind_of

MOST_STEPS = 20
"""Moves before the agent speaks. The bound stops tool nodes that lead to each other."""


@dataclass(frozen=True)
class DirectedEdge:
    """An edge in one of its two directions."""

    edge_id: str
    field: str
    """`forward_condition` or `backward_condition`, which leads from the edge's target to its source."""
    source: str
    target: str
    condition: JsonView


def directed_edges(edges: Mapping[str, JsonView]) -> Iterator[DirectedEdge]:
    for id_, edge in edges.items():
        for field, source, target in (
            ("forward_condition", edge["source"], edge["target"]),
            ("backward_condition", edge["target"], edge["source"]),
        ):
            if edge.get(field) is not None:
                yield DirectedEdge(id_, field, source, target, edge[field])


@dataclass(frozen=True)
class Workflow:
    """A workflow from an agent's document; it was validated when it was saved."""

    nodes: Mapping[str, JsonView]
    edges: Mapping[str, JsonView]

    @property
    def start(self) -> str | None:
        return next((id_ for id_ in self.nodes if self.kind(id_).begins), None)

    def kind(self, node_id: str) -> NodeKind:
        return kind_of(self.nodes[node_id])

    def edges_from(self, node_id: str) -> list[DirectedEdge]:
        """The outgoing edges in the node's own order, then those that its order does not name."""
        order: Sequence[str] = self.nodes[node_id].get("edge_order") or ()
        places = {edge_id: place for place, edge_id in enumerate(order)}
        return sorted(self._outgoing.get(node_id, ()), key=lambda edge: places.get(edge.edge_id, len(places)))

    @cached_property
    def _outgoing(self) -> Mapping[str, list[DirectedEdge]]:
        """The edges between nodes that there are, by their source."""
        found: dict[str, list[DirectedEdge]] = {}
        for edge in directed_edges(self.edges):
            if edge.target in self.nodes:
                found.setdefault(edge.source, []).append(edge)
        return found


def read_workflow(workflow: JsonView | None) -> Workflow | None:
    """Returns None if the agent has no graph to follow."""
    whole: JsonView = workflow or {}
    found = Workflow(whole.get("nodes") or {}, whole.get("edges") or {})
    return found if found.start else None
